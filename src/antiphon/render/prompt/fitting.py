"""Messages with calls, told again as a template takes them: nothing is left out, and the order stays.

Published templates differ in what they drop or refuse: several calls in one message, text beside calls, a user's
message right behind results. Where nothing else helps, a message of a single space, which no template refuses, stands
between two that must not meet.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from antiphon.render.prompt.template import Abilities

Message = dict[str, Any]

_NOTHING: Final = " "


def fitted(messages: Sequence[Message], abilities: Abilities, thought_field: str | None = None) -> list[Message]:
    """The same conversation for a template of these abilities; `thought_field`: where messages have thoughts."""
    told = list(messages)
    if thought_field is not None and not abilities.text_beside_thought:
        told = [_thought_with_text(message, thought_field) for message in told]
    if not abilities.several_calls:
        told = _one_call_each(told, thought_field)
    if not abilities.text_beside_calls:
        told = _texts_apart(told, together=abilities.text_before_calls)
    if not abilities.user_behind_results:
        told = _replies_between(told)
    empty = abilities.empty_beside_calls
    return [
        {**message, "content": message["content"] or empty} if "tool_calls" in message else message
        for message in told
    ]


def _thought_with_text(message: Message, field: str) -> Message:
    """Text beside a thought and calls as the thought's end: such a template tells the text as a thought anyway."""
    if not (message.get(field) and message["content"] and "tool_calls" in message):
        return message
    return {**message, field: f"{message[field]}\n\n{message['content']}", "content": ""}


def _one_call_each(messages: Sequence[Message], thought_field: str | None) -> list[Message]:
    """Each call in a message of its own, its result right behind it; a thought stays with the first."""
    told: list[Message] = []
    for message in messages:
        calls: Sequence[Mapping[str, Any]] = message.get("tool_calls", ())
        if message["role"] == "tool":
            # A result stands near its call, so the search begins at the end.
            places = range(len(told) - 1, -1, -1)
            at = next((at for at in places if _makes(told[at], message["tool_call_id"])), len(told) - 1)
            told.insert(at + 1, message)
            continue
        if len(calls) < 2:
            told.append(message)
            continue
        rest = {key: value for key, value in message.items() if key != thought_field}
        told.append({**message, "tool_calls": [calls[0]]})
        told += [{**rest, "content": "", "tool_calls": [call]} for call in calls[1:]]
    return told


def _makes(message: Message, call_id: str) -> bool:
    return any(call["id"] == call_id for call in message.get("tool_calls", ()))


def _texts_apart(messages: Sequence[Message], *, together: bool) -> list[Message]:
    """Text in a message of its own before the calls that it stood beside."""
    told: list[Message] = []
    for message in messages:
        if message.get("tool_calls") and message["content"]:
            told.append({"role": message["role"], "content": message["content"]})
            if not together:
                told.append({"role": "user", "content": _NOTHING})
            told.append({**message, "content": ""})
        else:
            told.append(message)
    return told


def _replies_between(messages: Sequence[Message]) -> list[Message]:
    """A reply that says nothing between results and the user's next words."""
    told: list[Message] = []
    for message in messages:
        if message["role"] == "user" and told and told[-1]["role"] == "tool":
            told.append({"role": "assistant", "content": _NOTHING})
        told.append(message)
    return told

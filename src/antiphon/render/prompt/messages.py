"""A conversation as the messages that a chat template takes: roles, texts, calls and results."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from antiphon.dialogue.content import Document, SearchResult
from antiphon.dialogue.conversation import Conversation, Part, Reasoning, Text, Turn
from antiphon.dialogue.media import Image
from antiphon.dialogue.tools import Call, Result, Tool, ToolChange
from antiphon.render.families.argument_kinds import to_json
from antiphon.render.families.syntax import Family
from antiphon.render.prompt.calls import CallWriter, nine_characters
from antiphon.render.prompt.fitting import Message, fitted
from antiphon.render.prompt.kept import KeptTexts
from antiphon.render.prompt.template import Abilities
from antiphon.render.prompt.thoughts import ToldThoughts
from antiphon.render.prompt.tools import definition, told_change, told_results, tool_prompt

PART_SEPARATOR = "\n"

_RUN_SEPARATOR = "\n\n"


class Messages:
    """Makes the messages for a template of these abilities and a model of this family.

    They have placeholders of `thoughts` where thoughts belong.
    """

    def __init__(self, abilities: Abilities, family: Family, thoughts: ToldThoughts, kept: KeptTexts) -> None:
        self._abilities = abilities
        self._family = family
        self._thoughts = thoughts
        self._kept = kept
        self._field = abilities.thought_field if family.thought.told == "field" else None
        self._tools: tuple[Tool, ...] = ()
        self._writer = CallWriter(family.syntax, ())
        self._ids: dict[str, str] = {}

    def of(self, conversation: Conversation) -> list[Message]:
        """The messages of a conversation, prefill left out."""
        abilities = self._abilities
        self._tools = conversation.tools
        self._writer = CallWriter(self._family.syntax, conversation.tools)
        system = PART_SEPARATOR.join(part.text for part in conversation.system)
        if conversation.tools and self._family.definitions == "system":
            told = [tool for tool in conversation.tools if not tool.deferred]
            system = tool_prompt(self._family.syntax, told, system, self._kept)
        messages: list[Message] = []
        if system and abilities.system:
            messages.append({"role": "system", "content": system})
        turns = conversation.turns
        if turns and turns[0].speaker == "assistant" and not abilities.assistant_first:
            messages.append({"role": "user", "content": ""})
        for turn in turns:
            for message in self._speak(turn):
                _append(messages, message, merge=not abilities.late_system)
        if system and not abilities.system:
            first_user = next((at for at, message in enumerate(messages) if message["role"] == "user"), None)
            if first_user is None:
                messages.insert(0, {"role": "user", "content": system})
            else:
                said = messages[first_user]["content"]
                messages[first_user] = {"role": "user", "content": f"{system}\n\n{said}"}
        return fitted(messages, abilities, self._field)

    def _speak(self, turn: Turn) -> list[Message]:
        if turn.speaker == "system" and not self._abilities.late_system:
            return [{"role": "user", "content": f"<system>\n{self._text(turn.parts)}\n</system>"}]
        if turn.speaker == "assistant":
            return [self._reply(turn.parts)]
        if self._family.history == "text" or all(isinstance(part, Text) for part in turn.parts):
            return [{"role": turn.speaker, "content": self._text(turn.parts)}]
        messages = [self._result(part) for part in turn.parts if isinstance(part, Result)]
        words = [part for part in turn.parts if not isinstance(part, Result)]
        return [*messages, {"role": turn.speaker, "content": self._text(words)}] if words else messages

    def _text(self, parts: Sequence[Part]) -> str:
        """All parts as one text, a line apart; calls in a row are one section, and so are results."""
        if len(parts) == 1 and isinstance(parts[0], Text):
            return parts[0].text
        told, previous = "", None
        for kind, group in groupby(parts, type):
            run = list(group)
            ends = parts[-1] is run[-1]
            more = self._thoughts_in(run, ends=ends) if kind is Reasoning else self._run(run)
            # The model's own line break before a call is its text's last character already.
            closed = not told or (kind is Call and told.endswith("\n")) or previous is Reasoning
            told += more if closed else PART_SEPARATOR + more
            previous = kind
        return told

    def _run(self, run: Sequence[Part]) -> str:
        """Parts of one kind as text."""
        calls = [part for part in run if isinstance(part, Call)]
        results = [self._explained(part) for part in run if isinstance(part, Result)]
        if any(isinstance(part, Image | Document | SearchResult) for part in run):
            raise AssertionError("contents are told in words before messages are made of them")
        changes = [told_change(part, self._kept) for part in run if isinstance(part, ToolChange)]
        words = PART_SEPARATOR.join((*(part.text for part in run if isinstance(part, Text)), *changes))
        return told_results(results) if results else words or (self._writer.write(calls) if calls else "")

    def _thoughts_in(self, run: Sequence[Part], *, ends: bool) -> str:
        thoughts = [part.text for part in run if isinstance(part, Reasoning)]
        last = len(thoughts) - 1
        return "".join(
            self._thoughts.section(thought, ends=ends and at == last) for at, thought in enumerate(thoughts)
        )

    def _reply(self, parts: Sequence[Part]) -> Message:
        """One reply of the model: its text, what it thought, and what it called."""
        message: Message = {"role": "assistant"}
        calls = [part for part in parts if isinstance(part, Call)] if self._family.history == "fields" else []
        inline = self._field is None and self._family.thought.told != "dropped"
        left_out = (*([Call] if calls else []), *([] if inline else [Reasoning]))
        text = self._text([part for part in parts if not isinstance(part, left_out)])
        thoughts = [self._thoughts.place(part.text) for part in parts if isinstance(part, Reasoning)]
        if self._field is not None and (thoughts or self._family.thought.close in text):
            # Without the field a template may take what looks like markers in the text for a thought.
            message[self._field] = _RUN_SEPARATOR.join(thoughts)
        if calls:
            message["tool_calls"] = [
                {
                    "type": "function",
                    "id": self._id(call, index),
                    "function": {"name": call.name, "arguments": self._arguments(call)},
                }
                for index, call in enumerate(calls)
            ]
        return {**message, "content": text}

    def _arguments(self, call: Call) -> object:
        return to_json(call.input) if self._abilities.calls == "text" else call.input

    def _id(self, call: Call, index: int) -> str:
        match self._family.call_ids:
            case "given":
                made = call.id
            case "nine":
                made = nine_characters(call.id)
            case "numbered":
                made = f"functions.{call.name}:{index}"
        # Another turn may use an id again: a result is that of the call right before it.
        self._ids[call.id] = made
        return made

    def _result(self, result: Result) -> Message:
        explained = self._explained(result)
        text = f"Error: {explained.text}" if result.is_error else explained.text
        id_ = self._ids.get(result.call_id, result.call_id)
        return {"role": "tool", "name": result.name, "tool_call_id": id_, "content": text}

    def _explained(self, result: Result) -> Result:
        """The result with the definitions of the tools that it has found."""
        if result.parts:
            raise AssertionError("a result of more than text has been lowered, and nothing here can render it")
        if not result.found:
            return result
        # Where a name has been defined anew since, the first of its tools is the one that was found.
        known = {tool.name: tool for tool in reversed(self._tools)}
        found = [
            definition(tool, self._kept)
            for tool in self._tools
            if tool.name in result.found and tool is known[tool.name]
        ]
        text = "\n".join((*([result.text] if result.text else []), "<functions>", *found, "</functions>"))
        return Result(result.call_id, result.name, text, result.is_error)


def definitions_for_template(tools: Sequence[Tool]) -> list[Mapping[str, Any]]:
    """The definitions as chat templates take them; examples are told in the description, which has the only room."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": _described(tool), "parameters": tool.schema},
        }
        for tool in tools
        if not tool.deferred
    ]


def _described(tool: Tool) -> str:
    if not tool.examples:
        return tool.description
    return "\n".join((tool.description, "Examples of inputs:", *map(to_json, tool.examples)))


def _append(messages: list[Message], message: Message, *, merge: bool) -> None:
    plain = {"role", "content"}
    if (
        merge
        and messages
        and messages[-1]["role"] == message["role"]
        and messages[-1].keys() == message.keys() == plain
    ):
        messages[-1] = {"role": message["role"], "content": f"{messages[-1]['content']}\n\n{message['content']}"}
    else:
        messages.append(message)

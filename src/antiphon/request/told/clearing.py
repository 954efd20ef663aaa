"""Old results of tools are taken out of what the model is told: `clear_tool_uses_20250919`.

Only the model's view is edited, anew for each request; what the client holds stays whole. Source: API reference,
Context editing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from antiphon.dialogue.content import Text
from antiphon.dialogue.conversation import Conversation, Part, Turn
from antiphon.dialogue.tools import Call, Result
from antiphon.request.case import Case
from antiphon.request.told.memory import remembers
from antiphon.request.tools.toolbox import Member, members
from antiphon.wire.settings import ClearToolUses, InputTokens, ToolUses

DEFAULT_TRIGGER: Final = InputTokens.model_construct(type="input_tokens", value=100_000)

DEFAULT_KEEP: Final = 3

CLEARED: Final = "[Old tool result cleared]"
"""What stands in the place of a result; the published wording is unknown."""

SAVE_FIRST: Final = (
    "[The conversation is nearly as long as it may become. Old tool results will be cleared from it soon. Save what "
    "you still need of them in the memory directory now.]"
)


@dataclass(frozen=True, slots=True)
class Cleared:
    """The conversation with the results of so many tool `uses` taken out of it."""

    conversation: Conversation
    uses: int


def clearing_edits(case: Case) -> list[ClearToolUses]:
    """The request's edits that clear the results of tools, in their order."""
    return [edit for edit in case.edits if isinstance(edit, ClearToolUses)]


def is_due(edit: ClearToolUses, conversation: Conversation, tokens: int) -> bool:
    """Whether a prompt of so many tokens is longer than the edit lets it be."""
    trigger = edit.trigger or DEFAULT_TRIGGER
    return _reached(trigger, conversation, tokens) > trigger.value


def clear(edit: ClearToolUses, case: Case, conversation: Conversation) -> Cleared | None:
    """The conversation as the edit leaves it; None where it leaves everything."""
    uses = _clearable(edit, case, conversation)
    if not uses:
        return None
    emptied = {id_ for id_, names in uses.items() if _empties(edit, names)}

    def edited(part: Part) -> Part:
        match part:
            case Result(call_id=id_) if id_ in uses:
                return replace(part, text=CLEARED, parts=())
            case Call(id=id_) if id_ in emptied:
                return replace(part, input={})
            case _:
                return part

    turns = tuple(Turn(turn.speaker, tuple(map(edited, turn.parts))) for turn in conversation.turns)
    return Cleared(replace(conversation, turns=turns), len(uses))


def entry(cleared: Cleared, tokens: int) -> dict[str, Any]:
    """What the reply's `applied_edits` says of it; it took so many tokens out of the input."""
    return {
        "type": "clear_tool_uses_20250919",
        "cleared_tool_uses": cleared.uses,
        "cleared_input_tokens": tokens,
    }


def warned(
    edits: Sequence[ClearToolUses], case: Case, conversation: Conversation, tokens: int
) -> Conversation | None:
    """The conversation with a word to a model that has a memory: results are to be cleared soon.

    None where nothing is near, nothing would be lost, or the model has no memory to save it in.
    """
    if not remembers(case) or conversation.turns[-1].speaker != "user":
        return None
    if not any(_is_near(edit, conversation, tokens) and _clearable(edit, case, conversation, 0) for edit in edits):
        return None
    last = conversation.turns[-1]
    turns = (*conversation.turns[:-1], replace(last, parts=(*last.parts, Text(SAVE_FIRST))))
    origins = conversation.origins
    if origins.turns:
        origins = replace(origins, turns=(*origins.turns[:-1], (*origins.turns[-1], "")))
    return replace(conversation, turns=turns, origins=origins)


def _is_near(edit: ClearToolUses, conversation: Conversation, tokens: int) -> bool:
    """Whether at least nine tenths of the trigger are there, and not yet more than the trigger."""
    trigger = edit.trigger or DEFAULT_TRIGGER
    reached = _reached(trigger, conversation, tokens)
    return trigger.value * 9 <= reached * 10 and reached <= trigger.value


def _reached(trigger: InputTokens | ToolUses, conversation: Conversation, tokens: int) -> int:
    return tokens if isinstance(trigger, InputTokens) else sum(1 for _ in _answered(conversation))


def _answered(conversation: Conversation) -> Iterator[Call]:
    """The calls that have their result, in their order."""
    parts = [part for turn in conversation.turns for part in turn.parts]
    results = {part.call_id for part in parts if isinstance(part, Result)}
    return (part for part in parts if isinstance(part, Call) and part.id in results)


def _clearable(
    edit: ClearToolUses, case: Case, conversation: Conversation, keep: int | None = None
) -> dict[str, frozenset[str]]:
    """The ids of the calls whose results go, each with the names that the client may call its tool by."""
    if keep is None:
        keep = DEFAULT_KEEP if edit.keep is None else edit.keep.value
    calls = list(_answered(conversation))
    known = members(case.tools)
    excluded = frozenset(edit.exclude_tools or ())
    named = {call.id: _names(call.name, known) for call in (calls[:-keep] if keep else calls)}
    return {id_: names for id_, names in named.items() if not names & excluded}


def _names(spoken: str, known: Mapping[str, Member]) -> frozenset[str]:
    member = known.get(spoken)
    return frozenset({spoken} if member is None else {spoken, member.toolset, member.name})


def _empties(edit: ClearToolUses, names: frozenset[str]) -> bool:
    which = edit.clear_tool_inputs
    return which is True or (isinstance(which, list | tuple) and not names.isdisjoint(which))

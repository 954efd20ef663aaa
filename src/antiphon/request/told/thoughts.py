"""Which of the thoughts that came back the model is told, and what the request's own edit took away.

The turn that the reply goes on with keeps its thoughts always. Of the turns before it a model keeps all, or none once
the user has spoken. `clear_thinking_20251015` says instead how many of the latest turns with thoughts keep them.
Source: API reference, Context editing; Thinking, preservation by model.
"""

from dataclasses import dataclass
from typing import Any, Final

from antiphon.request.case import Case, Placed, Turn
from antiphon.request.sealed.thoughts import Thoughts
from antiphon.wire.settings import ClearThinking, ThinkingTurns


@dataclass(frozen=True, slots=True)
class Kept:
    """`places`: message and block of the thoughts that are told. `cleared`: turns that the edit took them from."""

    places: frozenset[tuple[int, int]]
    cleared: int = 0


NOTHING_KEPT: Final = Kept(frozenset())
"""What is kept of no thoughts."""


def kept(case: Case, thoughts: Thoughts, *, clearing: bool = True) -> Kept:
    """What is kept. With `clearing=False` a request that clears thoughts keeps them all: what it is measured by."""
    if not thoughts.opened:
        return NOTHING_KEPT
    told = [(reply, places) for reply in case.replies if (places := _places(reply, thoughts))]
    edit = _edit(case)
    latest = _latest(edit, case) if clearing or edit is None else None
    first = 0 if latest is None else max(0, len(told) - latest)
    places: set[tuple[int, int]] = set()
    cleared = 0
    for number, (reply, own) in enumerate(told):
        if number >= first or reply is case.open_reply:
            places |= own
        elif edit is not None:
            cleared += 1
    return Kept(frozenset(places), cleared)


def applied_edits(cleared: int, tokens: int) -> list[dict[str, Any]]:
    """The reply's `applied_edits` for thoughts cleared from so many turns, `tokens` of input in all."""
    if not cleared:
        return []
    return [{"type": "clear_thinking_20251015", "cleared_thinking_turns": cleared, "cleared_input_tokens": tokens}]


def _edit(case: Case) -> ClearThinking | None:
    return next((edit for edit in case.edits if isinstance(edit, ClearThinking)), None)


def _latest(edit: ClearThinking | None, case: Case) -> int | None:
    """How many of the latest turns with thoughts keep them; None: all."""
    if edit is not None and isinstance(edit.keep, ThinkingTurns):
        return edit.keep.value
    if case.profile.keeps_thinking or (edit is not None and edit.keep is not None):
        return None
    # An edit that names no number keeps the last turn's, even if that turn is over.
    return 0 if edit is None else 1


def _places(reply: tuple[Turn, ...], thoughts: Thoughts) -> set[tuple[int, int]]:
    items: list[Placed] = [item for turn in reply for item in turn.items]
    return {(item.message, item.position) for item in items if thoughts.at(item.message, item.position) is not None}

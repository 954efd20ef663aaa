"""What is kept, found by the beginning that a prompt shares with it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from antiphon.engines.llamacpp.kept.staging import Staged
from antiphon.engines.llamacpp.slots import common_start
from antiphon.ports.engine import Keep

_GLANCE: Final = 16
"""Tokens by which most of what is kept is told from a prompt."""


@dataclass(slots=True, eq=False)
class State:
    """What a slot held of these `tokens`, or more of them, in so many bytes.

    `form`: who may have it: the same for one tenant's work of one kind. `staged`: where it lies in memory; `file`:
    the name of its file. One of the two is there. `readers`: how many use its memory now.
    """

    form: str
    tokens: tuple[int, ...]
    size: int
    marks: dict[bytes, Keep] = field(default_factory=dict[bytes, Keep])
    staged: Staged | None = None
    file: str | None = None
    used: int = 0
    readers: int = 0

    @property
    def until(self) -> float:
        """When the last of its marks ends."""
        return max((mark.until for mark in self.marks.values()), default=0.0)

    def marked(self, now: float) -> int:
        """How many of its tokens are marked still."""
        return max((mark.tokens for mark in self.marks.values() if mark.until > now), default=0)

    def shared(self, tokens: tuple[int, ...]) -> int:
        """How many of a prompt's tokens it has."""
        if self.tokens[:_GLANCE] != tokens[: min(_GLANCE, len(self.tokens))]:
            return 0
        return common_start(self.tokens, tokens)

    def mark(self, marks: Iterable[Keep]) -> bool:
        """These are marked, each for the longer of its times; whether that is later than it was."""
        later = False
        for mark in marks:
            known = self.marks.get(mark.key)
            if known is None or known.until < mark.until:
                self.marks[mark.key] = mark
                later = True
        return later


class States:
    """All that is kept. What nobody asked for longest comes first."""

    def __init__(self) -> None:
        self._all: list[State] = []
        self._uses = 0

    def __iter__(self) -> Iterator[State]:
        return iter(sorted(self._all, key=lambda state: state.used))

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, state: object) -> bool:
        return any(one is state for one in self._all)

    def add(self, state: State) -> None:
        """One more."""
        self._all.append(state)
        self.use(state)

    def use(self, state: State) -> None:
        """It was asked for."""
        self._uses += 1
        state.used = self._uses

    def drop(self, state: State) -> None:
        """One less."""
        if state in self:
            self._all.remove(state)

    def best(self, form: str, tokens: tuple[int, ...], now: float) -> tuple[State | None, int]:
        """What has the most of a prompt's beginning, and how many tokens of it."""
        best, most = None, 0
        for state in self._all:
            if state.form != form or state.until <= now:
                continue
            shared = state.shared(tokens)
            if shared > most:
                best, most = state, shared
        return best, most

    def within(self, state: State, now: float) -> list[State]:
        """What is kept in vain once this state is: all of it that is marked is there, too."""
        return [
            one
            for one in self._all
            if one is not state and one.form == state.form and one.shared(state.tokens) >= one.marked(now)
        ]

"""Who works in which of the server's slots.

A slot keeps what was read and written in it last, so that a prompt with the same beginning goes on from there. Left
to itself, the server gives a slot to whoever comes next and shares a few words with it. A reply that thinks comes
twice, with milliseconds between: it would find its thought overwritten, and other requests before it in the queue.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

GRACE: Final = 2.0
"""Seconds for which a slot is kept for the work that goes on from there."""

_SIMILAR: Final = 0.5


@dataclass(slots=True, eq=False)
class Slot:
    """One of the server's slots. `tokens`: what is in it, as far as known. `prompt`: how many of them were read."""

    number: int
    tokens: tuple[int, ...] = ()
    prompt: int = 0
    used: int = 0
    free: bool = True
    keeping: asyncio.TimerHandle | None = None

    def is_kept_for(self, tokens: Sequence[int]) -> bool:
        """Whether the slot waits for a prompt that begins as these tokens do."""
        return self.keeping is not None and len(tokens) > self.prompt <= common_start(self.tokens, tokens)


class Slots:
    """Gives every prompt a slot of its own, first come, first served.

    The slot is the one that holds the most of the prompt, if that is the better part of it, else the one that has not
    been used for the longest time. `grace`: seconds for which `give_back` keeps a slot.
    """

    def __init__(self, count: int, *, grace: float = GRACE) -> None:
        self._slots = [Slot(number) for number in range(count)]
        self._waiting: deque[tuple[asyncio.Future[Slot], tuple[int, ...]]] = deque()
        self._grace = grace
        self._uses = 0

    async def take(self, tokens: tuple[int, ...]) -> Slot:
        """A slot for a prompt of these tokens: at once where one was kept for it, else when it is its turn."""
        kept = [slot for slot in self._slots if slot.is_kept_for(tokens)]
        if kept:
            slot = max(kept, key=lambda slot: common_start(slot.tokens, tokens))
            self._end_keeping(slot)
            return slot
        turn: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, tokens))
        self._serve()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._open(turn.result())
            raise

    def give_back(self, slot: Slot, prompt: tuple[int, ...], written: Sequence[int], *, keep: bool) -> None:
        """The work in a slot has ended; this is in it now. `keep`: the slot waits a moment for what goes on there."""
        self._uses += 1
        slot.tokens, slot.prompt, slot.used = (*prompt, *written), len(prompt), self._uses
        if keep:
            slot.keeping = asyncio.get_running_loop().call_later(self._grace, self._let_go, slot)
        else:
            self._open(slot)

    def _let_go(self, slot: Slot) -> None:
        self._end_keeping(slot)
        self._open(slot)

    def _end_keeping(self, slot: Slot) -> None:
        assert slot.keeping is not None
        slot.keeping.cancel()
        slot.keeping = None

    def _open(self, slot: Slot) -> None:
        slot.free = True
        self._serve()

    def _serve(self) -> None:
        while self._waiting and any(slot.free for slot in self._slots):
            turn, tokens = self._waiting.popleft()
            if not turn.done():
                slot = self._best(tokens)
                slot.free = False
                turn.set_result(slot)

    def _best(self, tokens: tuple[int, ...]) -> Slot:
        free = [slot for slot in self._slots if slot.free]
        shared = {slot.number: common_start(slot.tokens, tokens) for slot in free}
        most = max(shared.values())
        if most > _SIMILAR * len(tokens):
            free = [slot for slot in free if shared[slot.number] == most]
        return min(free, key=lambda slot: slot.used)


def common_start(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences share at their beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        # Halves are compared at a time, because prompts are long, and slices compare fast.
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low

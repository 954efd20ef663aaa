"""Who works in which of the server's slots.

A slot keeps what was read and written in it last, so that a prompt with the same beginning goes on from there. Left
to itself, the server gives a slot to whoever comes next and shares a few words with it. A reply that thinks comes
twice, with milliseconds between: it would find its thought overwritten, and other requests before it in the queue.

With an adapter that is applied at load and not for all work, the server computes work of one kind at a time, that of
the first slot, for as long as there is any: the other kind would wait without end. Here the kinds take turns, in the
order in which they came.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from antiphon.engines.waiting import FairQueue, Pace
from antiphon.errors import EngineFull

MOST_WAITING: Final = 256

GRACE: Final = 2.0
"""Seconds for which a slot is kept for the work that goes on from there."""

_SIMILAR: Final = 0.5


@dataclass(slots=True, eq=False)
class Slot:
    """One of the server's slots. `tokens`: what is in it, as far as known. `prompt`: how many of them were read.
    `adapted`: whether the adapter was part of the model that read and wrote them, None where that is not known.
    `anew`: what it held when it was taken is of no use to who took it, although the tokens may be the same."""

    number: int
    tokens: tuple[int, ...] = ()
    prompt: int = 0
    adapted: bool | None = None
    anew: bool = True
    used: int = 0
    free: bool = True
    keeping: asyncio.TimerHandle | None = None

    def is_kept_for(self, tokens: Sequence[int], adapted: bool) -> bool:
        """Whether the slot waits for a prompt that begins as these tokens do."""
        return self.keeping is not None and len(tokens) > self.prompt <= self.shared(tokens, adapted)

    def shared(self, tokens: Sequence[int], adapted: bool) -> int:
        """How many of a prompt's tokens need not be read anew here."""
        return common_start(self.tokens, tokens) if self.adapted is adapted else 0


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    """A prompt that waits for a slot."""

    slot: asyncio.Future[Slot]
    tokens: tuple[int, ...]
    adapted: bool
    tenant: str


class Slots:
    """Gives every prompt a slot of its own: tenants take turns, and each tenant's own are served in order.

    Prompts for the model with its adapter and for the model without it do not run at the same time. The slot is
    the one that holds the most of the prompt, if that is the better part of it, else the one that has not been used
    for the longest time. `grace`: seconds for which `give_back` keeps a slot. `queue`: how many may wait.
    """

    def __init__(self, count: int, *, grace: float = GRACE, queue: int = MOST_WAITING) -> None:
        self._slots = [Slot(number) for number in range(count)]
        self._waiting = FairQueue[_Turn]()
        self._most = queue
        self._pace = Pace()
        self._grace = grace
        self._uses = 0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def take(self, tokens: tuple[int, ...], *, adapted: bool = True, tenant: str = "") -> Slot:
        """A slot for a prompt of these tokens: at once where one was kept for it, else when it is its turn.

        `adapted`: the prompt is for the model with its adapter, if it has one. Raises `EngineFull`.
        """
        kept = [slot for slot in self._slots if slot.is_kept_for(tokens, adapted)]
        if kept:
            slot = max(kept, key=lambda slot: slot.shared(tokens, adapted))
            self._end_keeping(slot)
            slot.anew = False
            return slot
        loop = asyncio.get_running_loop()
        turn = _Turn(loop.create_future(), tokens, adapted, tenant)
        self._waiting.add(tenant, turn)
        self._serve()
        if len(self._waiting) > self._most and not turn.slot.done():
            self._waiting.drop(tenant, turn)
            seconds = self._pace.seconds(len(self._waiting) + 1, loop.time())
            raise EngineFull(f"{len(self._waiting)} requests wait already", retry_after=seconds)
        try:
            return await turn.slot
        except asyncio.CancelledError:
            if turn.slot.done() and not turn.slot.cancelled():
                self._open(turn.slot.result())
            else:
                self._waiting.drop(tenant, turn)
                self._serve()  # those behind it may have waited for its kind's turn only
            raise

    def give_back(
        self,
        slot: Slot,
        prompt: tuple[int, ...],
        written: Sequence[int],
        *,
        keep: bool,
        begun: bool = True,
        left: object = None,
    ) -> None:
        """The work in a slot has ended; this is in it now. `keep`: the slot waits a moment for what goes on there.
        `begun`: the server was seen at the work, so that nothing of what was there before is left. What is `left` to
        be kept is no affair of slots alone."""
        self._uses += 1
        self._pace.ended(asyncio.get_running_loop().time())
        slot.tokens, slot.prompt, slot.used = (*prompt, *written), len(prompt), self._uses
        if slot.anew and not begun:
            slot.adapted = None
        if keep:
            slot.keeping = asyncio.get_running_loop().call_later(self._grace, self._let_go, slot)
        else:
            self._open(slot)

    def leave(self, slot: Slot) -> None:
        """The slot was taken, and nothing was done in it."""
        self._open(slot)

    def hold(self, slot: Slot) -> bool:
        """Take this slot, as it is, if it is free; `leave` ends that."""
        if not slot.free:
            return False
        slot.free = False
        return True

    def forget(self) -> None:
        """The server is another one: nothing is in its slots."""
        for slot in self._slots:
            slot.tokens, slot.prompt = (), 0
            if slot.free:
                slot.adapted = None

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
        while (turn := self._waiting.first()) is not None:
            if turn.slot.done():  # whoever waited for it has gone
                self._waiting.drop(turn.tenant, turn)
                continue
            if not self._has_room(turn.adapted):
                return
            slot = self._best(turn)
            slot.free, slot.anew, slot.adapted = False, slot.adapted is not turn.adapted, turn.adapted
            turn.slot.set_result(slot)
            self._waiting.serve(turn.tenant, turn)

    def _has_room(self, adapted: bool) -> bool:
        return any(slot.free for slot in self._slots) and all(
            slot.free or slot.adapted is adapted for slot in self._slots
        )

    def _best(self, turn: _Turn) -> Slot:
        free = [slot for slot in self._slots if slot.free]
        shared = {slot.number: slot.shared(turn.tokens, turn.adapted) for slot in free}
        most = max(shared.values())
        if most > _SIMILAR * len(turn.tokens):
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

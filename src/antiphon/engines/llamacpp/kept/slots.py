"""The slots of one server, filled with what is kept.

What is marked is kept when its slot has rested, or before something else is read there. A slot is filled when what is
kept has more of a prompt than it has itself. Whatever goes wrong there, the prompt is read.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final

from antiphon.engines.llamacpp.client import LlamaClient, Server
from antiphon.engines.llamacpp.home import Left
from antiphon.engines.llamacpp.kept.states import State
from antiphon.engines.llamacpp.kept.store import SavedStates
from antiphon.engines.llamacpp.kept.trial import why_not
from antiphon.engines.llamacpp.slots import Slot, Slots, common_start
from antiphon.errors import EngineFault, EngineRefused
from antiphon.ports.engine import Keep

_log = logging.getLogger("antiphon.engine")

REST: Final = 1.0
"""Seconds that a slot rests before what is in it is kept."""

WORTH: Final = 32
"""Tokens that are read as fast as a slot is filled."""

PATIENCE: Final = 1.0
"""Seconds that a prompt waits for what is kept to be known."""

_IN_VAIN: Final = 3

_TELLING: Final = 0.5
"""Of what was put back, the part that has to be of use."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What is marked in a slot: the beginning of these tokens. `form`: see `State`."""

    form: str
    tokens: tuple[int, ...]
    marks: tuple[Keep, ...]

    @property
    def length(self) -> int:
        return max(mark.tokens for mark in self.marks)

    def within(self, tokens: Sequence[int]) -> bool:
        """Whether all that is marked is the beginning of these tokens."""
        return common_start(self.tokens, tokens) >= self.length


@dataclass(slots=True)
class _Taken:
    """A slot that works, in the server's so many-th `life`. `shared`: the tokens of its prompt that are in it,
    `restored`: put there."""

    form: str
    life: int
    shared: int = 0
    restored: bool = False


@dataclass(slots=True)
class Counts:
    """See `KeptPrefixes`."""

    in_place: int = 0
    restored: int = 0
    missed: int = 0


class KeptSlots:
    """A `SlotKeeper` over `slots`. `server`: the server that these are of, None while it is away; `adapted`: the kind
    of its work; `rest`: see `REST`. `why`: why nothing can be kept, None while that is not known.
    """

    def __init__(
        self,
        slots: Slots,
        saved: SavedStates,
        client: LlamaClient,
        server: Callable[[], Server | None],
        *,
        adapted: bool = True,
        rest: float = REST,
    ) -> None:
        self.why: str | None = None
        self.counts = Counts()
        self.opening: asyncio.Task[None] | None = None
        """What finds that out, and what earlier processes left: a prompt waits a moment for it."""
        self._slots = slots
        self._saved = saved
        self._client = client
        self._server = server
        self._adapted = adapted
        self._rest = rest
        self._held: dict[Slot, _Held] = {}
        self._taken: dict[Slot, _Taken] = {}
        self._timers: dict[Slot, asyncio.TimerHandle] = {}
        self._saving: dict[asyncio.Task[None], _Held] = {}
        self._life = 0
        self._size = 0.0
        self._in_vain = 0

    @property
    def is_saving(self) -> bool:
        """Whether a slot that has rested is being saved."""
        return bool(self._saving)

    async def take(self, tokens: tuple[int, ...], *, adapted: bool = True, tenant: str = "") -> Slot:
        """A slot for a prompt of these tokens, with as much of it as is kept; see `Slots.take`."""
        slot = await self._slots.take(tokens, adapted=adapted, tenant=tenant)
        taken = self._taken[slot] = _Taken(self._form(tenant), self._life)
        try:
            await self._fill(slot, tokens, taken)
        except BaseException:
            self.leave(slot)
            raise
        return slot

    def give_back(
        self,
        slot: Slot,
        prompt: tuple[int, ...],
        written: Sequence[int],
        *,
        keep: bool,
        begun: bool = True,
        left: Left | None = None,
    ) -> None:
        """The work in a slot has ended; see `Slots.give_back`, and `SlotKeeper`."""
        held = self._held.get(slot)
        taken = self._taken.pop(slot)
        if taken.life != self._life:  # what it left is gone with the server
            prompt, written, left, begun = (), (), None, True
        if left is None:
            self._held.pop(slot, None)
            if held is not None and not begun and held.within(prompt):
                # The server may have begun all the same.
                self._held[slot] = replace(held, tokens=held.tokens[: common_start(held.tokens, prompt)])
        elif left.keep:
            old = held.marks if held is not None and held.within(prompt) else ()
            fresh = {mark.key: mark for mark in (*old, *left.keep)}
            self._held[slot] = _Held(taken.form, (*prompt, *written), tuple(fresh.values()))
            self._count(left, restored=taken.restored)
        elif held is not None and not held.within(prompt):
            del self._held[slot]
        if left is not None and taken.restored:
            self._judge(taken.shared, len(prompt), left.cached)
        self._slots.give_back(slot, prompt, written, keep=keep, begun=begun)
        self._rest_then_save(slot)

    def leave(self, slot: Slot) -> None:
        """The slot was taken, and nothing was done in it."""
        self._taken.pop(slot, None)
        self._slots.leave(slot)

    def forget(self) -> None:
        """The server is another one."""
        self._life += 1
        self._slots.forget()
        self._held.clear()

    async def find_out(self) -> None:
        """Try whether what is in a slot can be kept; see `why`."""
        server = self._server()
        if self.why is not None or server is None:
            return
        slot = await self._slots.take((), adapted=self._adapted)
        try:
            self.why = await why_not(self._client, server, slot.number, self._saved.staging)
        except (EngineFault, OSError) as problem:
            self.why = f"it cannot be tried: {problem}"
        finally:
            slot.tokens, slot.adapted = (), None
            self._slots.leave(slot)

    async def aclose(self) -> None:
        """Keep what is in slots and not kept yet."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for slot in list(self._held):
            if self._slots.hold(slot):
                await self._save(slot)
        while self._saving:
            await asyncio.wait(self._saving)

    def _form(self, tenant: str) -> str:
        return blake2b(f"{self._adapted} {tenant}".encode(), digest_size=16).hexdigest()

    def _count(self, left: Left, *, restored: bool) -> None:
        if left.cached < min(mark.tokens for mark in left.keep):
            self.counts.missed += 1
        elif restored:
            self.counts.restored += 1
        else:
            self.counts.in_place += 1

    def _judge(self, shared: int, prompt: int, cached: int) -> None:
        """What was put back has to be of use, or it is not done any more."""
        if cached >= _TELLING * min(shared, prompt - 1):
            self._in_vain = 0
            return
        self._in_vain += 1
        if self._in_vain == _IN_VAIN:
            self.why = f"of {shared} tokens that were put back, all but {cached} were read anew"
            _log.warning("marked prefixes are not kept any more: %s", self.why)

    async def _fill(self, slot: Slot, tokens: tuple[int, ...], taken: _Taken) -> None:
        """See that the slot has what is kept of the prompt; and that what was in it is kept."""
        timer = self._timers.pop(slot, None)
        if timer is not None:
            timer.cancel()
        here = 0 if slot.anew else common_start(slot.tokens, tokens)
        taken.shared = here
        if self.opening is not None and not self.opening.done():
            await asyncio.wait({self.opening}, timeout=PATIENCE)
        if self.why != "":
            return
        held = self._held.get(slot)
        if held is not None and not held.within(tokens):
            await self._saved_now(slot, held)
        for saving, other in list(self._saving.items()):
            if other.form == taken.form and common_start(other.tokens, tokens) > here + WORTH:
                await asyncio.wait({saving})
        state, shared = self._saved.best(taken.form, tokens)
        server = self._server()
        if state is None or server is None or shared <= here + WORTH:
            return
        async with self._saved.reading(state) as staged:
            if staged is not None and await self._restore(slot, server, state, staged.name, shared):
                slot.tokens, slot.anew = state.tokens, False
                taken.shared, taken.restored = shared, True

    async def _restore(self, slot: Slot, server: Server, state: State, name: str, shared: int) -> bool:
        """Put a state into the slot, of which so many tokens are of use; whether it is there."""
        # Whatever comes now, what was there is gone.
        self._held.pop(slot, None)
        slot.tokens, slot.prompt = (), 0
        try:
            if await self._client.restore(server, slot.number, name) < shared:
                raise EngineRefused("fewer tokens were put back than were kept")
        except EngineRefused as fault:
            _log.info("a kept prefix cannot be put back: %s", fault)
            self._saved.lose(state)
            await self._empty(slot, server)
            return False
        except EngineFault:  # the server's end is no fault of the state
            return False
        return True

    async def _empty(self, slot: Slot, server: Server) -> None:
        try:
            await self._client.erase(server, slot.number)
        except EngineFault as fault:
            _log.info("a slot cannot be emptied: %s", fault)

    def _rest_then_save(self, slot: Slot) -> None:
        if slot in self._held and not self.why and slot not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[slot] = loop.call_later(self._rest, self._rested, slot)

    def _rested(self, slot: Slot) -> None:
        del self._timers[slot]
        held = self._held.get(slot)
        if held is None:
            return
        if slot.keeping is not None or self.why is None:  # a reply may go on there; it may not be known yet
            self._rest_then_save(slot)
        elif self._slots.hold(slot):
            self._begin(slot, held)

    async def _saved_now(self, slot: Slot, held: _Held) -> None:
        """Keep what is in a slot that somebody has taken."""
        del self._held[slot]
        await self._write(slot, held)

    def _begin(self, slot: Slot, held: _Held) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._save(slot))
        self._saving[task] = held
        task.add_done_callback(lambda task: self._saving.pop(task, None))
        return task

    async def _save(self, slot: Slot) -> None:
        """Keep what is in a slot that is held for that."""
        try:
            held = self._held.pop(slot, None)
            if held is not None:
                await self._write(slot, held)
        finally:
            self._slots.leave(slot)

    async def _write(self, slot: Slot, held: _Held) -> None:
        state, shared = self._saved.best(held.form, held.tokens)
        if state is not None and shared >= held.length:
            self._saved.mark(state, [mark for mark in held.marks if mark.tokens <= shared])
            return
        server = self._server()
        staged = None if server is None else self._saved.room_for(int(self._size * len(held.tokens)))
        if server is None or staged is None:
            return
        try:
            saved = await self._client.save(server, slot.number, staged.name)
            if saved < held.length or staged.size == 0:
                raise EngineFault(f"{saved} tokens were saved, where {held.length} are marked")
        except EngineFault as fault:
            staged.close()
            _log.info("a marked prefix is not kept: %s", fault)
            return
        except BaseException:
            staged.close()
            raise
        tokens = held.tokens[:saved]
        self._size = staged.size / len(tokens)
        self._saved.add(held.form, tokens, staged, held.marks)

"""A server that belongs to another process, and slots that are asked for there."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from antiphon.engines.llamacpp.home import Left, Place, Running
from antiphon.engines.llamacpp.lent.line import Send, packed, told_left
from antiphon.engines.llamacpp.slots import Slot
from antiphon.engines.supervisor import Presence
from antiphon.errors import EngineFull
from antiphon.ports.engine import KeptPrefixes


class AttachedHome:
    """What an owner tells of its server; see `Home`. `marker`: the server's. Everything heard goes to `hear`."""

    def __init__(self, send: Send, marker: str) -> None:
        self.marker = marker
        self._asked = AskedSlots(send)
        self.slots: Mapping[bool, AskedSlots] = {False: self._asked, True: self._asked}
        self._kept: KeptPrefixes | None = None
        self._presence = Presence[Place]("the engine has not been started", expected=True)

    @property
    def child(self) -> Place | None:
        """The server, if it runs."""
        return self._presence.child

    @property
    def detail(self) -> str:
        """Why it does not."""
        return self._presence.detail

    @property
    def kept(self) -> KeptPrefixes | None:
        """What the owner said last of it; see `Home.kept`."""
        return self._kept

    @property
    def waiting(self) -> None:
        """Its owner knows."""
        return

    async def start(self) -> Place:
        """The server, however long it takes: its owner ends us where it cannot start."""
        return await self._presence.ready(None)

    async def ready(self, patience: float) -> Place:
        """The server; see `Home.ready`."""
        return await self._presence.ready(patience)

    async def lost(self, running: Running, patience: float) -> None:
        """See `Home.lost`."""
        if isinstance(running, Place):
            await self._presence.lost(running, patience)

    async def aclose(self) -> None:
        """The server stays: others use it."""
        self._presence.end("the engine is stopped")

    def hear(self, message: dict[str, Any]) -> None:
        """What the owner says."""
        if "up" in message:
            self._presence.enter(Place(**message["up"]))
        elif "down" in message:
            self._presence.leave(message["down"])
        elif "full" in message:
            self._asked.refused(message["full"], EngineFull(message["says"], retry_after=message["retry_after"]))
        elif "kept" in message:
            self._kept = KeptPrefixes(**message["kept"])
        else:
            self._asked.given(message["slot"], Slot(message["number"], anew=message["anew"]))


class AskedSlots:
    """Slots that the server's owner gives out; see `SlotKeeper`."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._numbers = count(1)
        self._wanted: dict[int, asyncio.Future[Slot]] = {}
        self._taken: dict[Slot, int] = {}

    async def take(self, tokens: tuple[int, ...], *, adapted: bool = True, tenant: str = "") -> Slot:
        """A slot for a prompt of these tokens, when the owner says so. Raises `EngineFull`."""
        number = next(self._numbers)
        wanted = self._wanted[number] = asyncio.get_running_loop().create_future()
        self._send({"take": number, "adapted": adapted, "tenant": tenant}, packed(tokens))
        try:
            slot = await wanted
        except asyncio.CancelledError:
            self._send({"cancel": number}, b"")
            raise
        finally:
            del self._wanted[number]
        self._taken[slot] = number
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
        """The work in a slot has ended. The owner has its prompt since it was taken."""
        ending = {"end": self._taken.pop(slot), "keep": keep, "begun": begun, "left": told_left(left)}
        self._send(ending, packed(written))

    def leave(self, slot: Slot) -> None:
        """The slot was taken, and nothing was done in it."""
        self._send({"cancel": self._taken.pop(slot)}, b"")

    def given(self, number: int, slot: Slot) -> None:
        """The owner gives a slot."""
        wanted = self._wanted.get(number)
        if wanted is not None and not wanted.done():
            wanted.set_result(slot)

    def refused(self, number: int, why: EngineFull) -> None:
        """The owner has no slot, and no place to wait for one."""
        wanted = self._wanted.get(number)
        if wanted is not None and not wanted.done():
            wanted.set_exception(why)

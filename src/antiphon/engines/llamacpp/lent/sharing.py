"""A server's owner, towards one of those who share it."""

import asyncio
from dataclasses import asdict
from typing import Any

from antiphon.engines.llamacpp.embedded.home import EmbeddedHome
from antiphon.engines.llamacpp.home import SlotKeeper
from antiphon.engines.llamacpp.lent.line import Send, heard_left, unpacked
from antiphon.engines.llamacpp.slots import Slot
from antiphon.errors import EngineFull


class Share:
    """One other process's share of a home. All that it holds is free again when it is closed.

    It is told where the server is from the start on, and at every change.
    """

    def __init__(self, home: EmbeddedHome, send: Send) -> None:
        self._home = home
        self._send = send
        self._taking: dict[int, asyncio.Task[Slot]] = {}
        self._held: dict[int, tuple[SlotKeeper, Slot, tuple[int, ...]]] = {}
        home.presence.watchers.append(self._tell)
        self._tell()

    def hear(self, message: dict[str, Any], data: bytes) -> None:
        """What the other one says."""
        if "take" in message:
            self._take(message["take"], unpacked(data), message["adapted"], message["tenant"])
        elif "cancel" in message:
            self._cancel(message["cancel"])
        else:
            slots, slot, prompt = self._held.pop(message["end"])
            left = heard_left(message["left"])
            slots.give_back(slot, prompt, unpacked(data), keep=message["keep"], begun=message["begun"], left=left)
            self._tell_kept()

    def close(self) -> None:
        """The other one is gone; what its work left in the slots is not known."""
        self._home.presence.watchers.remove(self._tell)
        while self._taking:
            self._cancel(next(iter(self._taking)))
        while self._held:
            slots, slot, prompt = self._held.popitem()[1]
            slots.give_back(slot, prompt, (), keep=False, begun=False)

    def _tell(self) -> None:
        child = self._home.child
        if child is None:
            self._send({"down": self._home.detail}, b"")
        else:
            self._send({"up": {"address": child.address, "key": child.key, "second": child.second}}, b"")

        self._tell_kept()

    def _tell_kept(self) -> None:
        kept = self._home.kept
        if kept is not None:
            self._send({"kept": asdict(kept)}, b"")

    def _take(self, number: int, tokens: tuple[int, ...], adapted: bool, tenant: str) -> None:
        # Tasks begin in the order in which they are made: slots are given in that in which they were asked for.
        slots = self._home.slots[adapted]
        self._taking[number] = asyncio.ensure_future(slots.take(tokens, adapted=adapted, tenant=tenant))

        def taken(task: asyncio.Task[Slot]) -> None:
            wanted = self._taking.pop(number, None) is not None
            if task.cancelled():
                return
            try:
                slot = task.result()
            except EngineFull as full:
                self._send({"full": number, "says": str(full), "retry_after": full.retry_after}, b"")
                return
            if not wanted:
                slots.leave(slot)
                return
            self._held[number] = (slots, slot, tokens)
            self._send({"slot": number, "number": slot.number, "anew": slot.anew}, b"")

        self._taking[number].add_done_callback(taken)

    def _cancel(self, number: int) -> None:
        if number in self._taking:
            self._taking.pop(number).cancel()
        elif number in self._held:
            slots, slot, _ = self._held.pop(number)
            slots.leave(slot)

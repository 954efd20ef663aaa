"""Conversations of message threads in this process: while they are young, and as many as there is room for."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from itertools import count
from typing import Final, Literal

from antiphon.ports.system import Clock
from antiphon.ports.threads import Claim, Unclaimed

ENTRY_BYTES: Final = 512
"""What an entry takes beside its conversation, about."""

_Key = tuple[str, str]


@dataclass(slots=True)
class _Entry:
    """`until`: when it is forgotten. `token`: of the claim that has it."""

    data: bytes
    until: float
    state: Literal["open", "claimed", "continued"] = "open"
    token: str = ""


class MemoryThreads:
    """Keeps conversations for `lifetime` seconds from their last use in `most` bytes; the longest unused go first."""

    def __init__(self, clock: Clock, lifetime: float, most: int) -> None:
        self._clock = clock
        self._lifetime = lifetime
        self._most = most
        self._held: OrderedDict[_Key, _Entry] = OrderedDict()  # the longest unused first
        self._weight = 0
        self._tokens = count()
        self._sweep: asyncio.TimerHandle | None = None

    @property
    def weight(self) -> int:
        """Bytes that all of it takes, about."""
        return self._weight

    async def check(self) -> None:
        """It is here."""

    async def claim(self, tenant: str, id_: str) -> Claim | Unclaimed:
        self._forget()
        entry = self._held.get((tenant, id_))
        match entry.state if entry is not None else None:
            case "continued":
                return "continued"
            case "claimed":
                return "in flight"
            case "open" if entry is not None:
                entry.state, entry.token = "claimed", str(next(self._tokens))
                self._used((tenant, id_), entry)
                return Claim(tenant, id_, entry.token, entry.data)
            case _:
                return "unknown"

    async def release(self, claim: Claim) -> None:
        self._forget()
        entry = self._claimed(claim)
        if entry is not None:
            entry.state = "open"
            self._used((claim.tenant, claim.id), entry)

    async def keep(self, tenant: str, id_: str, data: bytes | None, claim: Claim | None) -> None:
        self._forget()
        if claim is not None and (entry := self._claimed(claim)) is not None:
            self._weight -= len(entry.data)
            entry.data, entry.state = b"", "continued"
            self._used((claim.tenant, claim.id), entry)
        if data is None or len(data) + ENTRY_BYTES > self._most:
            return
        self._drop((tenant, id_))
        self._held[tenant, id_] = _Entry(data, self._clock.now() + self._lifetime)
        self._weight += len(data) + ENTRY_BYTES
        while self._weight > self._most:
            self._drop(next(iter(self._held)))
        self._sweep_later()

    async def aclose(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        self._held.clear()
        self._weight = 0

    def _claimed(self, claim: Claim) -> _Entry | None:
        entry = self._held.get((claim.tenant, claim.id))
        return entry if entry is not None and entry.state == "claimed" and entry.token == claim.token else None

    def _used(self, key: _Key, entry: _Entry) -> None:
        entry.until = self._clock.now() + self._lifetime
        self._held.move_to_end(key)

    def _drop(self, key: _Key) -> None:
        entry = self._held.pop(key, None)
        if entry is not None:
            self._weight -= len(entry.data) + ENTRY_BYTES

    def _forget(self) -> None:
        now = self._clock.now()
        while self._held:
            key, entry = next(iter(self._held.items()))
            if now < entry.until:
                break
            self._drop(key)

    def _sweep_later(self) -> None:
        """What nobody asks for goes too."""
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(self._lifetime, self._swept)

    def _swept(self) -> None:
        self._sweep = None
        self._forget()
        if self._held:
            self._sweep_later()

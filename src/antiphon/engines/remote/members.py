"""The endpoints of one model, and who of them does which work."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from antiphon.engines.remote.endpoint import Endpoint, Findings
from antiphon.ports.engine import Generation


@dataclass(slots=True, eq=False)
class Member:
    """An endpoint and what is known of it. `up`: it answers, and has the model that it should have. `detail`: why it
    is not up. `trace`: what it told of itself when that was found; `seen`: when it last did, on the loop's clock.
    `works`: how many it has now. `refused`: the trace of what was found unfit, so that it is not tried again."""

    endpoint: Endpoint
    up: bool = False
    detail: str = "it has not been asked yet"
    findings: Findings | None = None
    trace: str = ""
    seen: float = float("-inf")
    works: int = 0
    refused: str = ""
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    doubted: asyncio.Event = field(default_factory=asyncio.Event)


class Choice(Protocol):
    """Which endpoint does which work."""

    def place(self, work: Generation, among: Sequence[Member]) -> AbstractAsyncContextManager[Member]:
        """One of those that are up (there is one at least), for as long as the context is open; waits for room.

        Raises `EngineFull`.
        """
        ...


class LeastBusy:
    """Each work to the endpoint that has the fewest. `limit`: works that one has at once; 0 = as many as it says."""

    def __init__(self, limit: int = 0) -> None:
        self._limit = limit
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def place(self, work: Generation, among: Sequence[Member]) -> AsyncGenerator[Member]:
        """The least busy one of them, as soon as one has room."""
        while (member := self._with_room(among)) is None:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._wake()
                raise
        member.works += 1
        try:
            yield member
        finally:
            member.works -= 1
            self._wake()

    def _with_room(self, among: Sequence[Member]) -> Member | None:
        free = [member for member in among if not self._places(member) or member.works < self._places(member)]
        return min(free, key=lambda member: member.works, default=None)

    def _places(self, member: Member) -> int:
        return self._limit or (0 if member.findings is None else member.findings.places)

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

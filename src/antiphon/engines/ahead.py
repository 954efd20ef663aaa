"""A source is read as it comes, however slowly what it brings is taken.

A client may stop to read in the middle of its reply. The model's slot is not to wait for it: others do. Who takes
what comes reads the source itself, though: a task between them would be woken for every token, for nothing.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable
from types import AsyncGeneratorType, TracebackType
from typing import Final, TypeVar, cast

AWAY: Final = 0.1
"""Seconds after which one who does not come back for more is taken to have stopped; up to twice as long pass."""

_Item = TypeVar("_Item")


def read_ahead(source: AsyncGenerator[_Item, None], away: float = AWAY) -> AsyncGenerator[_Item, None]:
    """All that the source brings; what has not been taken yet is kept, so the source has to have an end.

    Its error comes behind what it brought before. Closing the generator ends the source, and waits for that.
    """
    return _ReadAhead(source, away)


class _ReadAhead(AsyncGenerator[_Item, None]):
    """Hands out the source's own steps, as long as the taker comes back soon, and then what a task reads."""

    def __init__(self, source: AsyncGenerator[_Item, None], away: float) -> None:
        self._source = cast("AsyncGeneratorType[_Item, None]", source)
        self._away = away
        self._steps = self._seen = 0
        self._timer: asyncio.TimerHandle | None = None
        self._came: deque[_Item] = deque()
        self._news = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._kept: AsyncGenerator[_Item, None] | None = None

    def __anext__(self) -> Awaitable[_Item]:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self._kept is not None:
            return self._kept.__anext__()
        if not self._steps:
            self._timer = asyncio.get_running_loop().call_later(self._away, self._look)
        self._steps += 1
        return self._source.__anext__()

    async def asend(self, value: None, /) -> _Item:
        """The next item."""
        return await self.__anext__()

    async def athrow(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
        /,
    ) -> _Item:
        """End the source, and raise that."""
        await self.aclose()
        raise typ

    async def aclose(self) -> None:
        """End the source, and wait for that."""
        if self._timer is not None:
            self._timer.cancel()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._kept is not None:
            await self._kept.aclose()
        await self._source.aclose()

    def _look(self) -> None:
        source = self._source
        if source.ag_frame is None:  # it has ended
            return
        loop = asyncio.get_running_loop()
        if source.ag_running or self._steps != self._seen:
            self._seen = self._steps
            self._timer = loop.call_later(self._away, self._look)
            return
        self._reading = loop.create_task(self._read())
        self._reading.add_done_callback(lambda _: self._news.set())
        self._kept = self._taken_from(self._reading)

    async def _read(self) -> None:
        async for item in self._source:
            self._came.append(item)
            self._news.set()

    async def _taken_from(self, reading: asyncio.Task[None]) -> AsyncGenerator[_Item, None]:
        """What the task has read and reads."""
        while True:
            while self._came:
                yield self._came.popleft()
            if reading.done():
                reading.result()
                return
            self._news.clear()
            await self._news.wait()

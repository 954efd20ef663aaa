"""A source is read as it comes, however slowly what it brings is taken.

A client may stop to read in the middle of its reply. The model's slot is not to wait for it: others do. Who takes
what comes reads the source itself, though: a task between them would be woken for every token, for nothing.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, Generic, TypeVar

AWAY: Final = 0.1
"""Seconds after which one who does not come back for more is taken to have stopped; up to twice as long pass."""

_Item = TypeVar("_Item")


async def read_ahead(source: AsyncGenerator[_Item, None], away: float = AWAY) -> AsyncGenerator[_Item, None]:
    """All that the source brings; what has not been taken yet is kept, so the source has to have an end.

    Its error comes behind what it brought before. Closing the generator ends the source, and waits for that.
    """
    readers = _Readers(source, away)
    try:
        while not readers.ahead:
            readers.inside = True
            try:
                item = await anext(source)
            except StopAsyncIteration:
                return
            finally:
                readers.inside = False
                readers.steps += 1
            yield item
        async with aclosing(readers.kept()) as kept:
            async for item in kept:
                yield item
    finally:
        await readers.aclose()


class _Readers(Generic[_Item]):
    """Who reads the source: the taker, as long as it comes back soon, and a task from then on.

    `inside`: the taker waits for the source; `steps`: how often it has. `ahead`: the task reads.
    """

    def __init__(self, source: AsyncGenerator[_Item, None], away: float) -> None:
        self.inside = False
        self.steps = 0
        self._source = source
        self._away = away
        self._seen = 0
        self._came: deque[_Item] = deque()
        self._news = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(away, self._look)

    @property
    def ahead(self) -> bool:
        return self._reading is not None

    async def kept(self) -> AsyncGenerator[_Item, None]:
        """What the task has read and reads."""
        reading = self._reading
        assert reading is not None
        while True:
            while self._came:
                yield self._came.popleft()
            if reading.done():
                reading.result()
                return
            self._news.clear()
            await self._news.wait()

    async def aclose(self) -> None:
        self._timer.cancel()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._source.aclose()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        if self.inside or self.steps != self._seen:
            self._seen = self.steps
            self._timer = loop.call_later(self._away, self._look)
            return
        self._reading = loop.create_task(self._read())
        self._reading.add_done_callback(lambda _: self._news.set())

    async def _read(self) -> None:
        async for item in self._source:
            self._came.append(item)
            self._news.set()

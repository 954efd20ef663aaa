"""A source is read as it comes, however slowly what it brings is taken.

A client may stop to read in the middle of its reply. The model's slot is not to wait for it: others do.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

_Item = TypeVar("_Item")


async def read_ahead(source: AsyncGenerator[_Item, None]) -> AsyncGenerator[_Item, None]:
    """All that the source brings; what has not been taken yet is kept, so the source has to have an end.

    Its error comes behind what it brought before. Closing the generator ends the source, and waits for that.
    """
    came: deque[_Item] = deque()
    news = asyncio.Event()

    async def read() -> None:
        async with aclosing(source) as items:
            async for item in items:
                came.append(item)
                news.set()

    reading = asyncio.create_task(read())
    reading.add_done_callback(lambda _: news.set())
    try:
        while True:
            while came:
                yield came.popleft()
            if reading.done():
                reading.result()
                return
            news.clear()
            await news.wait()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

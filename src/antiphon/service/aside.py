"""Work that would hold up the streams of other clients is done aside."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

_Given = TypeVar("_Given", str, bytes)
_Made = TypeVar("_Made")
_Result = TypeVar("_Result")


async def aside(work: Callable[[_Given], _Made], given: _Given, *, large: int) -> _Made:
    """Do it; with more than `large` bytes or characters in a thread, so that other replies go on."""
    return await asyncio.to_thread(work, given) if len(given) > large else work(given)


async def aside_by(size: int, work: Callable[[], _Result], *, large: int) -> _Result:
    """The same with what is not bytes or characters, but was made of so many."""
    return await asyncio.to_thread(work) if size > large else work()

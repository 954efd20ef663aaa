"""What comes together is sent together, and nothing waits because something else is to come."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from antiphon.web.pouring import pour

WAIT = 20.0


class Vessel:
    """Takes items, and notes what was flushed together."""

    def __init__(self, full_at: int = 100) -> None:
        self.held: list[str] = []
        self.flushed: list[list[str]] = []
        self.full_at = full_at
        self.gate: asyncio.Event | None = None

    def take(self, item: str) -> bool:
        self.held.append(item)
        return len(self.held) >= self.full_at

    async def flush(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.held:
            self.flushed.append(self.held)
            self.held = []


async def poured(source: AsyncGenerator[str, None], vessel: Vessel) -> None:
    async with asyncio.timeout(WAIT), aclosing(source) as items:
        await pour(items, vessel.take, vessel.flush)


@pytest.mark.promise("streaming.together")
async def test_items_between_two_waits_are_flushed_together_and_before_the_wait() -> None:
    go_on = asyncio.Event()
    vessel = Vessel()

    async def source() -> AsyncGenerator[str, None]:
        yield "a"
        yield "b"
        await go_on.wait()
        yield "c"
        await asyncio.sleep(0)
        yield "d"

    task = asyncio.create_task(poured(source(), vessel))
    await asyncio.sleep(0)
    assert vessel.flushed == [["a", "b"]]
    go_on.set()
    await task
    assert vessel.flushed == [["a", "b"], ["c"]]
    assert vessel.held == ["d"]


async def test_a_source_that_never_waits_is_flushed_whenever_it_is_due() -> None:
    vessel = Vessel(full_at=2)

    async def source() -> AsyncGenerator[str, None]:
        for item in "abcde":
            yield item

    await poured(source(), vessel)
    assert vessel.flushed == [["a", "b"], ["c", "d"]]
    assert vessel.held == ["e"]


async def test_an_error_of_the_source_comes_out_and_leaves_what_was_held() -> None:
    vessel = Vessel()

    async def source() -> AsyncGenerator[str, None]:
        yield "a"
        await asyncio.sleep(0)
        yield "b"
        raise LookupError("over")

    with pytest.raises(LookupError, match="over"):
        await poured(source(), vessel)
    assert vessel.flushed == [["a"]]
    assert vessel.held == ["b"]


@pytest.mark.promise("streaming.disconnect-cancels")
@pytest.mark.parametrize("blocked", ["the source", "the flush"])
async def test_a_cancellation_reaches_the_source_wherever_the_pouring_waits(blocked: str) -> None:
    vessel, told = Vessel(), list[str]()
    if blocked == "the flush":
        vessel.gate = asyncio.Event()

    async def source() -> AsyncGenerator[str, None]:
        try:
            yield "a"
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.append("cancelled")
            raise
        finally:
            told.append("closed")

    task = asyncio.create_task(poured(source(), vessel))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(WAIT):
            await task
    assert told == ["cancelled", "closed"]


async def test_an_error_of_the_flush_ends_the_source() -> None:
    told = list[str]()

    async def flush() -> None:
        raise ConnectionError("gone")

    async def source() -> AsyncGenerator[str, None]:
        try:
            yield "a"
            await asyncio.sleep(0)
            told.append("went on")
        except ConnectionError:
            told.append("gone")
            raise

    with pytest.raises(ConnectionError):
        async with asyncio.timeout(WAIT), aclosing(source()) as items:
            await pour(items, lambda _: False, flush)
    assert told == ["gone"]

"""A model's slot does not wait for who reads what was written there."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from antiphon.engines.ahead import read_ahead
from antiphon.engines.llamacpp.slots import Slots
from tests.engines.test_slots import begin, settle

WAIT = 20.0
SOON = 0.002
"""Seconds after which who takes nothing is taken to have stopped."""


class Source:
    """Brings these items, with a turn for others before each; notes that it was closed."""

    def __init__(self, *items: str, error: Exception | None = None, endless: bool = False) -> None:
        self.items = items
        self.error = error
        self.endless = endless
        self.closed = False
        self.brought = asyncio.Event()

    async def read(self) -> AsyncGenerator[str, None]:
        try:
            for item in self.items:
                await asyncio.sleep(0)
                yield item
            self.brought.set()
            if self.error is not None:
                raise self.error
            if self.endless:
                await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.closed = True


async def test_everything_comes_in_its_order():
    source = Source("a", "b", "c")
    async with asyncio.timeout(WAIT):
        assert [item async for item in read_ahead(source.read())] == ["a", "b", "c"]
    assert source.closed


@pytest.mark.promise("engine.slow-readers")
async def test_a_slot_goes_to_who_waits_while_its_reply_is_still_to_be_read():
    slots = Slots(1)

    async def reply() -> AsyncGenerator[str, None]:
        slot = await slots.take((1,))
        try:
            async with aclosing(Source("a", "b", "c").read()) as items:
                async for item in items:
                    yield item
        finally:
            slots.give_back(slot, (1,), (), keep=False)

    async with asyncio.timeout(WAIT), aclosing(read_ahead(reply(), SOON)) as items:
        assert await anext(items) == "a"
        waits = begin(slots, (2,))
        assert (await waits).number == 0
        assert [item async for item in items] == ["b", "c"]


async def test_who_stops_for_a_while_finds_all_that_came_meanwhile_in_its_order():
    source = Source("a", "b", "c", "d")
    async with asyncio.timeout(WAIT), aclosing(read_ahead(source.read(), SOON)) as items:
        assert [await anext(items), await anext(items)] == ["a", "b"]
        await source.brought.wait()
        assert [item async for item in items] == ["c", "d"]
    assert source.closed


async def test_who_comes_back_soon_reads_the_source_without_a_task_between():
    tasks: set[asyncio.Task[None] | None] = set()

    async def source() -> AsyncGenerator[int, None]:
        for number in range(100):
            tasks.add(asyncio.current_task())
            yield number

    async with asyncio.timeout(WAIT):
        assert [number async for number in read_ahead(source())] == list(range(100))
    assert tasks == {asyncio.current_task()}


@pytest.mark.parametrize("stops", [True, False])
async def test_an_error_comes_behind_what_came_before_it(stops: bool):
    taken: list[str] = []
    source = Source("a", "b", error=OSError("lost"))

    async def take() -> None:
        async for item in read_ahead(source.read(), SOON):
            taken.append(item)
            if stops:
                await source.brought.wait()

    with pytest.raises(OSError, match="lost"):
        await asyncio.wait_for(take(), WAIT)
    assert taken == ["a", "b"]


@pytest.mark.promise("engine.cancel")
@pytest.mark.parametrize("endless", [True, False])
@pytest.mark.parametrize("stops", [True, False])
async def test_who_stops_to_read_ends_the_source_before_going_on(endless: bool, stops: bool):
    source = Source("a", "b", endless=endless)
    async with asyncio.timeout(WAIT), aclosing(read_ahead(source.read(), SOON)) as items:
        assert await anext(items) == "a"
        if stops:
            await source.brought.wait()
            await settle()
    assert source.closed


@pytest.mark.promise("engine.cancel")
async def test_who_is_cancelled_while_the_source_waits_ends_it():
    source = Source(endless=True)

    async def take() -> None:
        async with aclosing(read_ahead(source.read())) as items:
            async for _ in items:
                pass

    taking = asyncio.create_task(take())
    await settle()
    taking.cancel()
    async with asyncio.timeout(WAIT):
        await asyncio.gather(taking, return_exceptions=True)
    assert (taking.cancelled(), source.closed) == (True, True)

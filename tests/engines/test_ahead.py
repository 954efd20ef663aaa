"""A model's slot does not wait for who reads what was written there."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from antiphon.engines.ahead import read_ahead
from antiphon.engines.llamacpp.slots import Slots
from tests.engines.test_slots import begin, settle

WAIT = 20.0


class Source:
    """Brings these items, with a turn for others before each; notes that it was closed."""

    def __init__(self, *items: str, error: Exception | None = None, endless: bool = False) -> None:
        self.items = items
        self.error = error
        self.endless = endless
        self.closed = False

    async def read(self) -> AsyncGenerator[str, None]:
        try:
            for item in self.items:
                await asyncio.sleep(0)
                yield item
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

    async with asyncio.timeout(WAIT), aclosing(read_ahead(reply())) as items:
        assert await anext(items) == "a"
        waits = begin(slots, (2,))
        assert (await waits).number == 0
        assert [item async for item in items] == ["b", "c"]


async def test_an_error_comes_behind_what_came_before_it():
    taken: list[str] = []

    async def take() -> None:
        async for item in read_ahead(Source("a", "b", error=OSError("lost")).read()):
            await settle()
            taken.append(item)

    with pytest.raises(OSError, match="lost"):
        await asyncio.wait_for(take(), WAIT)
    assert taken == ["a", "b"]


@pytest.mark.promise("engine.cancel")
@pytest.mark.parametrize("endless", [True, False])
async def test_who_stops_to_read_ends_the_source_before_going_on(endless: bool):
    source = Source("a", "b", endless=endless)
    async with asyncio.timeout(WAIT), aclosing(read_ahead(source.read())) as items:
        assert await anext(items) == "a"
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

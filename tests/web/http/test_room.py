"""What a connection holds for those that wait does what asyncio's and uvicorn's own does."""

import asyncio
from typing import Any, cast

from antiphon.web.room import Bell, Flow, Line


async def test_all_that_wait_for_a_bell_hear_it_and_later_ones_do_until_it_is_cleared():
    bell = Bell()
    waiting = [asyncio.create_task(bell.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    assert repr(bell) == "<Bell, silent, 3 waiting>"
    bell.set()
    bell.set()
    async with asyncio.timeout(10):
        assert await asyncio.gather(*waiting) == [True, True, True]
        assert bell.is_set()
        assert await bell.wait()
    bell.clear()
    late = asyncio.create_task(bell.wait())
    await asyncio.sleep(0)
    assert not late.done()
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    assert late.cancelled()
    assert not bell.is_set()


async def test_of_two_that_wait_for_a_bell_one_may_go():
    bell = Bell()
    first, second = (asyncio.create_task(bell.wait()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    bell.set()
    async with asyncio.timeout(10):
        assert await second
    assert first.cancelled()


async def test_who_writes_waits_only_while_nothing_is_taken():
    flow = Flow(cast("Any", None))
    async with asyncio.timeout(10):
        await flow.drain()
        flow.pause_writing()
        assert flow.write_paused
        writing = [asyncio.create_task(flow.drain()) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in writing)
        flow.resume_writing()
        # Before they have their turn it may be full again.
        flow.pause_writing()
        await asyncio.gather(*writing)
        assert flow.write_paused


def test_what_came_first_goes_first():
    line = Line[int]()
    for number in range(3):
        line.appendleft(number)
    assert [line.pop() for _ in range(3)] == [0, 1, 2]

"""What comes together is read together; nothing waits, gets lost or outlives its reply because of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from antiphon.service.reply.together import together

WAIT = 20.0


def last(item: str) -> bool:
    return item == "last"


async def taken(source: AsyncGenerator[str, None], most: int = 64) -> list[list[str]]:
    async with asyncio.timeout(WAIT), aclosing(together(source, last=last, most=most)) as lists:
        return [each async for each in lists]


async def test_what_comes_between_two_waits_is_one_list() -> None:
    async def source() -> AsyncGenerator[str, None]:
        yield "a"
        yield "b"
        await asyncio.sleep(0)
        yield "c"
        await asyncio.get_running_loop().run_in_executor(None, str)
        yield "d"
        yield "e"
        yield "f"

    assert await taken(source()) == [["a", "b"], ["c"], ["d", "e", "f"]]
    assert await taken(source(), 2) == [["a", "b"], ["c"], ["d", "e"], ["f"]]


async def test_nothing_is_asked_for_behind_what_is_last() -> None:
    asked: list[str] = []

    async def source() -> AsyncGenerator[str, None]:
        yield "a"
        yield "last"
        asked.append("more")
        yield "b"

    async with aclosing(together(source(), last=last)) as lists:
        assert await anext(lists) == ["a", "last"]
        assert asked == []
        assert await anext(lists) == ["b"]


async def test_what_has_come_is_there_while_the_rest_is_waited_for() -> None:
    go_on = asyncio.Event()

    async def source() -> AsyncGenerator[str, None]:
        yield "a"
        await go_on.wait()
        yield "b"

    async with asyncio.timeout(WAIT), aclosing(together(source(), last=last)) as lists:
        assert await anext(lists) == ["a"]
        go_on.set()
        assert await anext(lists) == ["b"]
        with pytest.raises(StopAsyncIteration):
            await anext(lists)


async def test_an_error_comes_behind_what_came_before_it() -> None:
    async def source() -> AsyncGenerator[str, None]:
        yield "a"
        raise ValueError("broken")

    async with aclosing(together(source(), last=last)) as lists:
        assert await anext(lists) == ["a"]
        with pytest.raises(ValueError, match="broken"):
            await anext(lists)


@pytest.mark.parametrize("waits", ["for an event", "for a task", "for its turn", "for nothing"])
async def test_closing_ends_the_source_wherever_it_is(waits: str) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("task")

    async def source() -> AsyncGenerator[str, None]:
        try:
            yield "a"
            if waits == "for an event":
                await asyncio.Event().wait()
            elif waits == "for a task":
                await asyncio.create_task(work())
            elif waits == "for its turn":
                await asyncio.sleep(0)
            yield "last"
        finally:
            await asyncio.sleep(0)
            ended.append("source")

    async with asyncio.timeout(WAIT):
        async with aclosing(together(source(), last=last)) as lists:
            assert (await anext(lists))[0] == "a"
            await asyncio.sleep(0)
        assert ended == (["task", "source"] if waits == "for a task" else ["source"])
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_cancelled_reader_cancels_the_source() -> None:
    ended: list[str] = []

    async def source() -> AsyncGenerator[str, None]:
        try:
            yield "a"
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    reading = asyncio.create_task(taken(source()))
    while not ended:
        await asyncio.sleep(0)
        reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert ended == ["cancelled"]


async def test_who_is_cancelled_while_the_source_ends_stays_cancelled() -> None:
    ending = asyncio.Event()

    async def source() -> AsyncGenerator[str, None]:
        try:
            yield "a"
            await asyncio.Event().wait()
        finally:
            ending.set()
            await asyncio.Event().wait()

    async def read() -> None:
        async with aclosing(together(source(), last=last)) as lists:
            await anext(lists)

    reading = asyncio.create_task(read())
    async with asyncio.timeout(WAIT):
        await ending.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

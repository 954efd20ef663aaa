"""A streamed body is read whole and in its order, however it comes and however it ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from antiphon.engines.arriving import Arriving, Silence
from tests.engines.remote.stand_in import Answer, standing_in, streams

WAIT = 20.0
LONG = 3 * 1024 * 1024


@asynccontextmanager
async def asked(answer: Answer) -> AsyncGenerator[aiohttp.ClientResponse]:
    """The response to a request that is answered so."""
    async with asyncio.timeout(WAIT), standing_in() as stand_in, aiohttp.ClientSession() as session:
        stand_in.answer = answer
        async with session.get(stand_in.url) as response:
            yield response


async def all_of(arriving: Arriving | None) -> list[bytes]:
    assert arriving is not None
    came: list[bytes] = []
    while True:
        if data := arriving.take():
            came.append(data)
        elif (more := arriving.more()) is None:
            return came
        else:
            await more


async def first_of(arriving: Arriving) -> bytes:
    while not (data := arriving.take()):
        more = arriving.more()
        assert more is not None
        await more
    return data


async def until_paused(response: aiohttp.ClientResponse) -> None:
    """Until so much has come that the connection reads no more."""
    protocol = response.connection and response.connection.protocol
    assert protocol is not None
    while True:
        if protocol._reading_paused:  # pyright: ignore[reportPrivateUsage]
            return
        await asyncio.sleep(0)


async def test_a_body_comes_whole_also_where_it_is_more_than_is_held() -> None:
    parts = [bytes([at]) * (LONG // 8) for at in range(8)]
    async with asked(streams(*parts)) as response:
        arriving = Arriving.of(response)
        assert arriving is not None
        await until_paused(response)
        assert b"".join(await all_of(arriving)) == b"".join(parts)


async def test_what_came_before_the_reader_was_there_is_not_lost() -> None:
    async with asked(streams(b"one", b"two")) as response:
        await response.content.wait_eof()
        assert await all_of(Arriving.of(response)) == [b"onetwo"]


async def test_a_body_that_is_torn_raises_behind_what_came() -> None:
    async with asked(streams(b"one", cut=True)) as response:
        arriving = Arriving.of(response)
        assert arriving is not None
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.wait_eof()
        assert arriving.take() == b"one"
        with pytest.raises(aiohttp.ClientPayloadError):
            arriving.take()


async def test_a_connection_that_is_closed_is_not_waited_for() -> None:
    async with asked(streams(b"one", hang=True)) as response:
        arriving = Arriving.of(response)
        assert arriving is not None
        assert await first_of(arriving) == b"one"
        response.close()
        with pytest.raises(aiohttp.ClientConnectionError):
            await all_of(arriving)


async def test_who_is_cancelled_while_waiting_may_come_back() -> None:
    async with asked(streams(b"one", hang=True)) as response:
        arriving = Arriving.of(response)
        assert arriving is not None
        assert await first_of(arriving) == b"one"
        for _ in range(2):
            waiting = asyncio.ensure_future(all_of(arriving))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            assert waiting.cancelled()


async def test_no_body_is_no_reader() -> None:
    async def nothing(request: web.Request) -> web.StreamResponse:
        return web.Response(status=204)

    async with asked(nothing) as response:
        assert Arriving.of(response) is None


async def test_silence_breaks_a_body_that_brings_nothing() -> None:
    async with asked(streams(b"one", hang=True)) as response:
        silence = Silence(response.content, 0.01)
        with pytest.raises(TimeoutError):
            await all_of(Arriving.of(response))
        silence.close()

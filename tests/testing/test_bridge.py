"""The client of the test kit: what it sees is what was sent, when it was sent."""

import asyncio
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from antiphon.testing import Bridge, parse_events

START = {"type": "http.response.start", "status": 200, "headers": [(b"x-from", b"app")]}


def part(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def test_a_chunk_is_seen_before_the_next_is_written() -> None:
    seen = asyncio.Event()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send(START)
        await send(part(b"one"))
        await seen.wait()
        await send(part(b"two", more=False))

    async with Bridge(app).open("GET", "/") as exchange:
        await exchange.begin()
        assert (exchange.status, exchange.headers) == (200, {"x-from": "app"})
        chunks = exchange.chunks()
        assert await anext(chunks) == b"one"
        seen.set()
        assert await anext(chunks) == b"two"


async def test_leaving_the_block_disconnects_and_waits_for_the_apps_end() -> None:
    ended: list[str] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        while (await receive())["type"] != "http.disconnect":
            pass
        ended.append("disconnect")

    async with Bridge(app).open("GET", "/") as exchange:
        await exchange.begin()
        assert ended == []
    assert ended == ["disconnect"]


async def test_an_app_that_ends_before_its_reply_does_fails_the_test() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send(START)
        await send(part(b"half"))

    with pytest.raises(AssertionError, match="without finishing its reply"):
        await Bridge(app).ask("GET", "/")


async def test_what_an_app_raises_comes_to_the_test() -> None:
    async def app(_: Scope, __: Receive, ___: Send) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await Bridge(app).ask("GET", "/")


async def test_a_body_is_sent_as_json_and_a_header_of_none_is_left_out() -> None:
    received: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        received.extend([dict(scope["headers"]), await receive()])
        await send(START)
        await send(part(b"{}", more=False))

    answer = await Bridge(app).post({"a": 1}, headers={"x-api-key": None, "x-more": "yes"})
    headers, message = received
    assert answer.json == {}
    assert message["body"] == b'{"a": 1}'
    assert headers[b"x-more"] == b"yes"
    assert b"x-api-key" not in headers


@pytest.mark.parametrize(
    "body",
    [
        b'event: ping\ndata: {"type": "ping"}',
        b'event: pong\ndata: {"type": "ping"}\n\n',
    ],
    ids=["an event without its empty line", "a name that is not its data's"],
)
def test_events_that_no_client_would_take_are_refused(body: bytes) -> None:
    with pytest.raises(AssertionError):
        parse_events(body)

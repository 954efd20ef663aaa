"""Clients that never come to an end are not waited for, and hold nobody else up."""

import asyncio
import json

import pytest

from antiphon.testing.bridge import WAIT
from antiphon.web import patience
from tests.web.http.sockets import Connection, Listening, listening, read_head, request

BODY = json.dumps(
    {"model": "claude-opus-4-8", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]}
).encode()


async def said(connection: Connection) -> tuple[int, dict[str, str]]:
    """The status and the error of a reply behind which the server closes."""
    head, _, body = (await connection.rest()).partition(b"\r\n\r\n")
    return read_head(head)[0], json.loads(body)["error"]


async def sound(server: Listening) -> None:
    """Others are answered."""
    assert (await server.ask(request(BODY))).status == 200


@pytest.mark.promise("http.patience")
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-a", id="in a field's name"),
        pytest.param(b"POST /v1/mess", id="in the line"),
        pytest.param(request(BODY)[: -len(BODY)] + BODY[:5], id="in the body"),
        pytest.param(
            request(BODY, transfer_encoding="chunked", content_length="")[: -len(BODY)] + b"5\r\nabc", id="in a chunk"
        ),
    ],
)
async def test_who_stops_in_a_request_is_told_so(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD", 0.05)
    monkeypatch.setattr(patience, "BODY", 0.05)
    async with listening() as server, server.connect() as connection:
        connection.send(sent)
        status, error = await said(connection)
        await sound(server)
    assert (status, error["type"]) == (408, "timeout_error")


@pytest.mark.promise("http.patience")
async def test_who_sends_a_byte_now_and_then_is_out_of_time_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD", 0.2)
    async with listening() as server, server.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nx: ")

        async def drip() -> None:
            while True:
                connection.send(b"y")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        try:
            status, _ = await said(connection)
        finally:
            dripping.cancel()
    assert status == 408


@pytest.mark.promise("http.patience")
async def test_who_says_nothing_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(keep_alive=0.05) as server, server.connect() as connection:
        assert await connection.rest() == b""


async def test_a_body_that_keeps_coming_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "BODY", 0.2)
    async with listening() as server, server.connect() as connection:
        whole = request(BODY)
        connection.send(whole[: -len(BODY)])
        for at in range(0, len(BODY), 10):
            connection.send(BODY[at : at + 10])
            await asyncio.sleep(0.05)
        assert (await connection.reply()).status == 200


@pytest.mark.promise("http.bounded-heads")
@pytest.mark.parametrize(
    "piece",
    [pytest.param(b"x-a: 1\r\n" * 500, id="many fields"), pytest.param(b"y" * 4000, id="one long field")],
)
async def test_a_head_has_a_size(piece: bytes) -> None:
    async with listening() as server, server.connect() as connection:
        connection.send(b"POST /v1/messages HTTP/1.1\r\nx: ")
        for _ in range(patience.MOST_HEAD // len(piece) + 2):
            connection.send(piece)
            # One piece a look, so that it is not read all at once.
            await asyncio.sleep(0.001)
        status, error = await said(connection)
        await sound(server)
    assert (status, error["type"]) == (431, "invalid_request_error")


@pytest.mark.promise("http.patience")
async def test_who_reads_nothing_is_given_up_and_its_reply_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "UNREAD", 0.1)
    # More than the system keeps for a client that reads nothing.
    script = "[[reply]]\nchunks = [" + ", ".join(['"a "'] * 90_000) + "]\n"
    async with listening(script) as server, server.connect() as connection:
        connection.pause()
        body = json.loads(BODY) | {"stream": True, "max_tokens": 120_000}
        connection.send(request(json.dumps(body).encode()))
        await server.busy(1)
        await server.busy(0)
        async with asyncio.timeout(WAIT):
            await sound(server)

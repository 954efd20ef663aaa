"""HTTP as clients and proxies really speak it, over real sockets, on the event loop that the server runs on."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator

import pytest

from antiphon.config import Settings
from antiphon.testing.bridge import parse_events
from antiphon.web import protocol
from tests.web.http.sockets import Listening, listening, read_head, request

SCRIPT = """
[[reply]]
match = "hangs"
text = "One two three"
hang = true
after_chunks = 1

[[reply]]
match = "is silent"
text = "Nothing"
hang = true

[[reply]]
match = "takes its time"
text = "Here I am."
delay_ms = 1200

[[reply]]
text = "Hello there!"
"""
JDK = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAoAAAAAIAAAAA"}


@pytest.fixture
async def server() -> AsyncGenerator[Listening]:
    async with listening(SCRIPT) as running:
        yield running


def asked(text: str = "hello", **more: object) -> bytes:
    message = {"role": "user", "content": text}
    return json.dumps({"model": "claude-opus-4-5", "max_tokens": 100, "messages": [message], **more}).encode()


def chunked(body: bytes) -> bytes:
    """The same request with its body in two chunks."""
    head = request(transfer_encoding="chunked", content_type="application/json")
    half = len(body) // 2
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:], b""))


@pytest.mark.promise("http.upgrade-offers")
@pytest.mark.parametrize(
    "offer",
    [
        pytest.param(JDK, id="the JDK and curl"),
        pytest.param(
            {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13"}, id="websocket"
        ),
        pytest.param({"connection": "keep-alive, upgrade", "upgrade": "TLS/1.0"}, id="another"),
    ],
)
@pytest.mark.parametrize("cut", [1, 60, 10_000], ids=["byte by byte", "in pieces", "at once"])
async def test_an_offer_to_upgrade_is_ignored_and_the_body_is_read(
    server: Listening, offer: dict[str, str], cut: int
):
    sent = request(asked(), **offer)
    async with server.connect() as connection:
        for at in range(0, len(sent), cut):
            connection.send(sent[at : at + cut])
            await asyncio.sleep(0)
        reply = await connection.reply()
        assert (reply.status, json.loads(reply.body)["content"][0]["text"]) == (200, "Hello there!")
        assert "upgrade" not in reply.headers
        connection.send(request(method="GET", path="/v1/models"))
        assert (await connection.reply()).status == 200


@pytest.mark.promise("http.upgrade-offers")
async def test_requests_that_offer_an_upgrade_are_answered_one_after_the_other(server: Listening):
    offers = [request(asked(), **JDK), request(method="GET", path="/health", **JDK), request(asked(), **JDK)]
    async with server.connect() as connection:
        connection.send(b"".join(offers))
        assert [(await connection.reply()).status for _ in offers] == [200, 200, 200]


@pytest.mark.promise("http.upgrade-offers")
async def test_a_body_in_chunks_behind_an_offer_is_read(server: Listening):
    sent = chunked(asked()).replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 1)
    assert (await server.ask(sent)).status == 200


async def test_what_is_no_http_is_refused_and_connect_is_no_way_out(server: Listening):
    for sent in (b"\x16\x03\x01\x02\r\n\r\n", b"CONNECT host.example:443 HTTP/1.1\r\nhost: host.example\r\n\r\n"):
        async with server.connect() as connection:
            connection.send(sent)
            assert (await connection.rest()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.promise("http.keeps-connections")
async def test_an_idle_connection_is_kept_as_long_as_the_owner_says():
    assert Settings().keep_alive == 75
    async with listening(SCRIPT, keep_alive=1.0) as server, server.connect() as connection:
        connection.send(request(asked()))
        assert (await connection.reply()).status == 200
        before = asyncio.get_running_loop().time()
        assert await connection.rest() == b""
        assert asyncio.get_running_loop().time() - before >= 0.9


@pytest.mark.promise("http.streams-end-with-the-connection")
async def test_a_stream_to_http_1_0_ends_with_its_connection(server: Listening):
    async with server.connect() as connection:
        connection.send(request(asked(stream=True), version="1.0"))
        head, body = (await connection.rest()).split(b"\r\n\r\n", 1)
    status, headers = read_head(head)
    assert (status, headers["connection"]) == (200, "close")
    assert "transfer-encoding" not in headers
    assert [event["type"] for event in parse_events(body)][-1] == "message_stop"


@pytest.mark.promise("http.streams-end-with-the-connection")
async def test_other_replies_to_http_1_0_say_their_length(server: Listening):
    async with server.connect() as connection:
        connection.send(request(asked(), version="1.0"))
        head, body = (await connection.rest()).split(b"\r\n\r\n", 1)
    assert int(read_head(head)[1]["content-length"]) == len(body)


@pytest.mark.promise("http.half-closed-clients")
@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("text", ["hello", "takes its time"])
async def test_a_client_that_ends_its_sending_gets_its_reply(
    server: Listening, text: str, stream: bool, version: str
):
    async with server.connect() as connection:
        connection.send(request(asked(text, stream=stream), version=version))
        connection.end_sending()
        came = await connection.rest()
    assert (b"Here I am." if text != "hello" and not stream else b"message") in came
    final = re.sub(rb"^(HTTP/1\.1 100 Continue\r\n\r\n)+", b"", came)
    assert final.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (final == came) or (version == "1.1" and not stream and text != "hello")
    # What is said at once is out before the end of the sending is seen.
    assert b"connection: close\r\n" in final or (text == "hello" and version == "1.1")
    assert not stream or b"event: message_stop" in final


@pytest.mark.promise("http.half-closed-clients")
async def test_every_request_is_answered_of_a_client_that_sent_several_and_no_more(server: Listening):
    async with server.connect() as connection:
        connection.send(
            request(asked("takes its time")) + request(asked()) + request(method="GET", path="/v1/models")
        )
        connection.end_sending()
        statuses = re.findall(rb"HTTP/1\.1 (\d{3})", await connection.rest())
    assert [status for status in statuses if status != b"100"] == [b"200"] * 3


@pytest.mark.promise("http.half-closed-clients")
async def test_half_a_request_is_not_waited_for(server: Listening):
    async with server.connect() as connection:
        connection.send(request(asked())[:-10])
        connection.end_sending()
        assert await connection.rest() == b""
    await server.busy(0)


@pytest.mark.promise("streaming.disconnect-cancels")
@pytest.mark.parametrize("text", ["hangs", "is silent"])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_goes_away_is_noticed_though_that_looks_like_an_end_of_sending(
    server: Listening, text: str, stream: bool
):
    async with server.connect() as connection:
        connection.send(request(asked(text, stream=stream)))
        if stream:
            await connection.until(b"message_start")
        else:
            await server.busy(1)
        connection.leave()
        await server.busy(0)


@pytest.mark.promise("http.half-closed-clients")
async def test_a_client_of_http_1_0_that_sends_no_more_is_given_up_where_its_reply_does_not_begin(
    server: Listening, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(protocol, "PATIENCE_WITH_1_0", 0.2)
    async with server.connect() as connection:
        connection.send(request(asked("is silent"), version="1.0"))
        connection.end_sending()
        assert await connection.rest() == b""
    await server.busy(0)

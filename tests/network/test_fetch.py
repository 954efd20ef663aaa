"""Files from a host that behaves, and from hosts that do not: over real connections to a stand-in on loopback."""

import asyncio
import gzip
import os
import socket
import ssl
import tracemalloc
import zlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import trustme

from antiphon import __version__
from antiphon.config import AllowedHost, NetworkSettings
from antiphon.network import FetchLimits, GuardedFetcher
from antiphon.ports.fetch import Fetched, FetchFault, TooLarge, Unreachable
from tests.network.stand_in import Answer, StandIn, pour

KIB, MIB = 1024, 1024 * 1024
UNABLE = "Unable to download the file. Please verify the URL and try again."
# Long enough for a busy machine, short enough to wait for.
IMPATIENT = FetchLimits(connect=5.0, silence=0.3)
BOUND = 20.0
"""Seconds within which everything must end; far above the limits, since the machine may be busy."""


@pytest.fixture
async def host() -> AsyncGenerator[StandIn]:
    async with StandIn() as made:
        yield made


@pytest.fixture
async def fetcher(host: StandIn) -> AsyncGenerator[GuardedFetcher]:
    made = of(host)
    yield made
    await made.aclose()


def of(host: StandIn, *, timeout: float = 15.0, limits: FetchLimits | None = None) -> GuardedFetcher:
    settings = NetworkSettings((host.allowed,), str(host.ca_file), timeout)
    return GuardedFetcher(settings, limits=limits or FetchLimits())


@pytest.mark.promise("network.fetch")
async def test_a_file_comes_as_it_is(host: StandIn, fetcher: GuardedFetcher):
    data = os.urandom(3 * MIB)
    host.serve("/cat.png?v=1", data, "Image/PNG; name=cat")
    found = await fetcher.fetch(host.url("/cat.png?v=1#top"), max_bytes=4 * MIB, accept=("image/png", "image/*"))
    assert found == Fetched(host.url("/cat.png?v=1"), "image/png", "", data)


@pytest.mark.promise("network.fetch")
async def test_the_request_is_plain_and_says_who_asks(host: StandIn, fetcher: GuardedFetcher, tmp_path: Path):
    host.serve("/a", b"a", headers={"Set-Cookie": "id=1"})
    for _ in range(2):
        await fetcher.fetch(host.url("/a"), max_bytes=KIB, accept=("image/png", "image/*"))
    assert [dict(asked.headers) for asked in host.asked] == [
        {
            "host": f"localhost:{host.port}",
            "user-agent": f"Antiphon/{__version__}",
            "accept": "image/png, image/*",
            "accept-encoding": "gzip",
            "connection": "close",
        }
    ] * 2


async def test_the_environment_gives_neither_proxies_nor_credentials(
    host: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / ".netrc").write_text("machine localhost login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    host.serve("/a", b"a")
    assert (await of(host).fetch(host.url("/a"), max_bytes=KIB)).data == b"a"
    assert "authorization" not in host.asked[0].headers


async def test_redirects_are_followed_and_the_last_url_is_told(host: StandIn, fetcher: GuardedFetcher):
    host.redirect("/a", "dir/b", 301)
    host.redirect("/dir/b", host.url("/c"), 307)
    host.serve("/c", b"found", "text/html; charset=ISO-8859-1")
    found = await fetcher.fetch(host.url("/a"), max_bytes=KIB)
    assert found == Fetched(host.url("/c"), "text/html", "iso-8859-1", b"found")


@pytest.mark.promise("network.allow-list")
async def test_plain_http_where_the_owner_allows_it():
    async with StandIn(tls=False) as plain:
        plain.serve("/a", b"plain")
        assert (await of(plain).fetch(plain.url("/a"), max_bytes=KIB)).data == b"plain"


@pytest.mark.parametrize("size", [0, 1, 1000])
async def test_a_file_may_have_just_the_size_that_is_allowed(size: int, host: StandIn, fetcher: GuardedFetcher):
    host.serve("/a", b"x" * size)
    host.serve("/b", gzip.compress(b"x" * size), headers={"Content-Encoding": "gzip"})
    assert len((await fetcher.fetch(host.url("/a"), max_bytes=size)).data) == size
    assert len((await fetcher.fetch(host.url("/b"), max_bytes=max(size, 100))).data) == size


@pytest.mark.promise("network.bounded")
@pytest.mark.parametrize("level", [0, 1, 9])
async def test_a_packed_file_is_unpacked(level: int, host: StandIn, fetcher: GuardedFetcher):
    data = os.urandom(300 * KIB) + bytes(700 * KIB) + b"end"
    host.serve("/a", gzip.compress(data, level), headers={"Content-Encoding": "GZIP"})
    assert (await fetcher.fetch(host.url("/a"), max_bytes=2 * MIB)).data == data


@pytest.mark.promise("network.bounded")
@pytest.mark.parametrize("size", [64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB, 64 * KIB + 258])
async def test_a_packed_file_is_whole_at_every_seam(size: int, host: StandIn, fetcher: GuardedFetcher):
    host.serve("/a", gzip.compress(bytes(size)), headers={"Content-Encoding": "x-gzip"})
    assert (await fetcher.fetch(host.url("/a"), max_bytes=size)).data == bytes(size)


def bomb(size: int) -> bytes:
    """So many MiB of nothing, in as many KiB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size)) + packer.flush()


def http(head: str, body: bytes = b"") -> bytes:
    return head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body


TOO_LARGE: dict[str, bytes] = {
    "declared": http("HTTP/1.1 200 OK\nContent-Length: 99999999999"),
    "one byte too many": http("HTTP/1.1 200 OK\nContent-Length: 65537", bytes(65537)),
    "until the connection closes": http("HTTP/1.1 200 OK", bytes(4 * MIB)),
    "in chunks": http(
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"10000\r\n" + bytes(65536) + b"\r\n1\r\nx\r\n0\r\n\r\n"
    ),
    "a bomb": http("HTTP/1.1 200 OK\nContent-Encoding: gzip", bomb(32)),
    "packed, and never anything in it": http(
        "HTTP/1.1 200 OK\nContent-Encoding: gzip", gzip.compress(b"")[:10] + b"\x00\x00\x00\xff\xff" * 20_000
    ),
    "a bomb in chunks": http(
        "HTTP/1.1 200 OK\nContent-Encoding: gzip\nTransfer-Encoding: chunked",
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(bomb(32)), bomb(32)),
    ),
}


@pytest.mark.promise("network.bounded")
@pytest.mark.parametrize("raw", TOO_LARGE.values(), ids=TOO_LARGE)
async def test_a_file_that_is_too_large_ends_at_the_limit(raw: bytes, host: StandIn, fetcher: GuardedFetcher):
    host.send("/a", raw)
    with pytest.raises(TooLarge) as refused:
        await asyncio.wait_for(fetcher.fetch(host.url("/a"), max_bytes=64 * KIB), BOUND)
    assert refused.value.message == UNABLE


@pytest.mark.promise("network.bounded")
async def test_a_bomb_takes_no_more_memory_than_the_file_may(host: StandIn, fetcher: GuardedFetcher):
    host.send("/a", http("HTTP/1.1 200 OK\nContent-Encoding: gzip", bomb(256)))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            await asyncio.wait_for(fetcher.fetch(host.url("/a"), max_bytes=MIB), BOUND)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB


@pytest.mark.promise("network.bounded")
async def test_an_endless_body_ends_at_the_limit(host: StandIn, fetcher: GuardedFetcher):
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(http("HTTP/1.1 200 OK\nContent-Type: image/png"))
        await pour(writer, bytes(64 * KIB))

    host.behave("/a", endless)
    with pytest.raises(TooLarge):
        await asyncio.wait_for(fetcher.fetch(host.url("/a"), max_bytes=MIB), BOUND)


BROKEN: dict[str, bytes] = {
    "nothing at all": b"",
    "not http": b"\x15\x03\x01\x00\x02\x02\x28" * 100,
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "shorter than declared": http("HTTP/1.1 200 OK\nContent-Length: 100", b"short"),
    "a length that is none": http("HTTP/1.1 200 OK\nContent-Length: many", b"a"),
    "a negative length": http("HTTP/1.1 200 OK\nContent-Length: -1", b"a"),
    "two lengths": http("HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 2", b"ab"),
    "a chunk that is none": http("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"zz\r\nab\r\n"),
    "a chunk cut off": http("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"ff\r\nab"),
    "a long header": http("HTTP/1.1 200 OK\nX-Long: " + "x" * 100_000, b"a"),
    "a long status line": http("HTTP/1.1 200 " + "O" * 100_000, b"a"),
    "many headers": http("HTTP/1.1 200 OK" + "".join(f"\nX-{n}: {n}" for n in range(20_000)), b"a"),
    "packed and broken": http("HTTP/1.1 200 OK\nContent-Encoding: gzip", b"not gzip at all"),
    "packed and cut off": http("HTTP/1.1 200 OK\nContent-Encoding: gzip", gzip.compress(bytes(9999))[:-9]),
    "packed and nothing in it": http("HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 0"),
    "packed, and more": http("HTTP/1.1 200 OK\nContent-Encoding: gzip", gzip.compress(b"a") + b"more"),
    "packed, and another": http("HTTP/1.1 200 OK\nContent-Encoding: gzip", gzip.compress(b"a") * 2),
    "packed twice": http("HTTP/1.1 200 OK\nContent-Encoding: gzip, gzip", gzip.compress(gzip.compress(b"a"))),
    "packed in another way": http("HTTP/1.1 200 OK\nContent-Encoding: br", b"\x0b\x02\x80hello\x03"),
    "partial content": http("HTTP/1.1 206 Partial Content\nContent-Length: 1", b"a"),
    "no content": http("HTTP/1.1 204 No Content"),
    "not modified": http("HTTP/1.1 304 Not Modified"),
    "a redirect to nowhere": http("HTTP/1.1 302 Found\nContent-Length: 0"),
    "several choices": http("HTTP/1.1 300 Multiple Choices\nLocation: /b\nContent-Length: 0"),
    "bad request": http("HTTP/1.1 400 Bad Request\nContent-Length: 0"),
    "credentials wanted": http("HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Basic\nContent-Length: 0"),
    "forbidden": http("HTTP/1.1 403 Forbidden\nContent-Length: 0"),
    "not found": http("HTTP/1.1 404 Not Found\nContent-Length: 3", b"no."),
    "a broken server": http("HTTP/1.1 500 Internal Server Error\nContent-Length: 3", b"no."),
    "a busy server": http("HTTP/1.1 503 Service Unavailable\nRetry-After: 3600\nContent-Length: 0"),
    "another protocol from here": http("HTTP/1.1 101 Switching Protocols\nUpgrade: x\nConnection: upgrade", b"a"),
}


@pytest.mark.promise("network.bounded", "vision.refusals")
@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
async def test_a_broken_answer_is_a_file_that_cannot_be_had(raw: bytes, host: StandIn, fetcher: GuardedFetcher):
    host.send("/a", raw)
    with pytest.raises(Unreachable) as refused:
        await asyncio.wait_for(fetcher.fetch(host.url("/a"), max_bytes=64 * KIB), BOUND)
    assert refused.value.message == UNABLE
    assert refused.value.reason.startswith(f"https://localhost:{host.port}: ")


async def nothing(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def head_and_nothing(writer: asyncio.StreamWriter) -> None:
    writer.write(http("HTTP/1.1 200 OK\nContent-Length: 100", b"begin"))
    await asyncio.Event().wait()


def drip(begin: bytes, drop: bytes) -> Answer:
    """A little, again and again, so that the host is never silent."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        await pour(writer, drop, 0.02)

    return answer


SILENT: dict[str, Answer] = {"no answer": nothing, "a head and no body": head_and_nothing}
SLOW: dict[str, Answer] = {
    "a slow body": drip(http("HTTP/1.1 200 OK\nContent-Length: 60000"), b"x"),
    "a slow head": drip(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
    "slow chunks": drip(http("HTTP/1.1 200 OK\nTransfer-Encoding: chunked"), b"1\r\na\r\n"),
    "slow packed nothing": drip(
        http("HTTP/1.1 200 OK\nContent-Encoding: gzip", gzip.compress(b"")[:10]), b"\x00\x00\x00\xff\xff"
    ),
    "please wait": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.promise("network.bounded")
@pytest.mark.parametrize("answer", SILENT.values(), ids=SILENT)
async def test_a_silent_host_is_left(answer: Answer, host: StandIn):
    host.behave("/a", answer)
    with pytest.raises(Unreachable, match="Timeout"):
        await asyncio.wait_for(of(host, limits=IMPATIENT).fetch(host.url("/a"), max_bytes=64 * KIB), BOUND)


@pytest.mark.promise("network.bounded")
@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW)
async def test_a_host_that_is_slow_on_purpose_is_left(answer: Answer, host: StandIn):
    host.behave("/a", answer)
    with pytest.raises(Unreachable) as refused:
        await asyncio.wait_for(of(host, timeout=0.7).fetch(host.url("/a"), max_bytes=64 * KIB), BOUND)
    assert refused.value.message == UNABLE


@pytest.mark.promise("network.bounded")
async def test_a_host_that_never_shakes_hands_is_left():
    # Connections stand as soon as the listener's queue has them; nobody ever takes one out of it.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        made = GuardedFetcher(
            NetworkSettings((AllowedHost("https", "127.0.0.1", port),)), limits=FetchLimits(connect=0.3)
        )
        with pytest.raises(Unreachable, match="Timeout"):
            await asyncio.wait_for(made.fetch(f"https://127.0.0.1:{port}/", max_bytes=KIB), BOUND)


async def test_a_closed_port_is_a_file_that_cannot_be_had(host: StandIn):
    async with StandIn() as gone:
        made = of(gone)
        url = gone.url("/a")
    with pytest.raises(Unreachable):
        await made.fetch(url, max_bytes=KIB)


@pytest.mark.promise("network.bounded")
async def test_a_name_that_is_never_resolved_is_left():
    class Never:
        async def addresses(self, host: str, port: int) -> tuple[str, ...]:
            await asyncio.Event().wait()
            return ()

        def close(self) -> None: ...

    made = GuardedFetcher(NetworkSettings(), limits=FetchLimits(connect=0.1, robots=0.1), resolver=Never())
    with pytest.raises(Unreachable, match="cannot be resolved"):
        await asyncio.wait_for(made.fetch("https://example.com/", max_bytes=KIB), BOUND)


async def test_a_fetch_that_is_cancelled_closes_its_connection(host: StandIn, fetcher: GuardedFetcher):
    begun, ended = asyncio.Event(), asyncio.Event()

    async def answer(writer: asyncio.StreamWriter) -> None:
        begun.set()
        await writer.wait_closed()

    async def watched(writer: asyncio.StreamWriter) -> None:
        try:
            await answer(writer)
        finally:
            ended.set()

    host.behave("/a", watched)
    task = asyncio.create_task(fetcher.fetch(host.url("/a"), max_bytes=KIB))
    await asyncio.wait_for(begun.wait(), BOUND)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(ended.wait(), BOUND)


@pytest.mark.promise("network.fetch")
async def test_a_certificate_of_nobody_is_not_believed(host: StandIn):
    host.serve("/a", b"a")
    with pytest.raises(Unreachable, match=r"(?i)certificate"):
        await GuardedFetcher(NetworkSettings((host.allowed,))).fetch(host.url("/a"), max_bytes=KIB)
    assert host.asked == []


@pytest.mark.promise("network.fetch")
async def test_a_certificate_for_another_name_is_not_believed(host: StandIn):
    # The stand-in's certificate does not name this address of the same machine's.
    allowed = AllowedHost("https", "127.0.0.2", host.port)
    made = GuardedFetcher(NetworkSettings((allowed,), str(host.ca_file)))
    host.serve("/a", b"a")
    with pytest.raises(FetchFault):
        await made.fetch(f"https://127.0.0.2:{host.port}/a", max_bytes=KIB)
    assert host.asked == []


def test_a_file_of_authorities_that_cannot_be_read_is_told_at_once(tmp_path: Path):
    with pytest.raises(OSError, match="No such file"):
        GuardedFetcher(NetworkSettings(ca_file=str(tmp_path / "none.pem")))
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(ssl.SSLError):
        GuardedFetcher(NetworkSettings(ca_file=str(tmp_path / "empty.pem")))


async def test_an_owners_authority_does_not_replace_the_systems(
    host: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    another = tmp_path / "another.pem"
    trustme.CA().cert_pem.write_to_path(another)
    monkeypatch.setenv("SSL_CERT_FILE", str(host.ca_file))
    host.serve("/a", b"a")
    made = GuardedFetcher(NetworkSettings((host.allowed,), str(another)))
    assert (await made.fetch(host.url("/a"), max_bytes=KIB)).data == b"a"

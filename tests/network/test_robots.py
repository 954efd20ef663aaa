"""robots.txt: honoured for public hosts. Their names lead to the stand-in by the sockets of the tests, and the system's
authorities are the stand-in's."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from antiphon.config import NetworkSettings
from antiphon.network import FetchLimits, GuardedFetcher
from antiphon.ports.fetch import RobotsDisallow, Unreachable
from tests.network.stand_in import StandIn, pour
from tests.network.wires import Names, Wires

PUBLIC = "93.184.215.14"
URL = "https://www.example.org/pictures/cat.png"
KIB = 1024


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
async def host(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[StandIn]:
    async with StandIn() as made:
        monkeypatch.setenv("SSL_CERT_FILE", str(made.ca_file))
        made.serve("/pictures/cat.png", b"cat")
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fetcher(host: StandIn, clock: Clock) -> GuardedFetcher:
    return public(host, clock)


def public(host: StandIn, clock: Callable[[], float], limits: FetchLimits | None = None) -> GuardedFetcher:
    names = Names({name: [[PUBLIC]] for name in ("www.example.org", "other.example.org")})
    wires = Wires(host.port)
    return GuardedFetcher(
        NetworkSettings(), resolver=names, open_socket=wires.open, clock=clock, limits=limits or FetchLimits()
    )


DISALLOWED: dict[str, str] = {
    "everybody, everything": "User-agent: *\nDisallow: /",
    "everybody, a folder": "User-agent: *\nDisallow: /pictures/",
    "this server by name": "User-agent: antiphon\nDisallow: /",
    "this server by name, in capitals": "USER-AGENT: ANTIPHON\nDISALLOW: /pictures",
    "this server among others": "User-agent: other\nUser-agent: Antiphon\nDisallow: /",
    "an encoded path": "User-agent: *\nDisallow: /%70ictures/",
    "a byte order mark": "\ufeffUser-agent: *\nDisallow: /",
    "old line ends": "User-agent: *\r\nDisallow: /\r\n",
    "comments": "# no\nUser-agent: * # all\nDisallow: / # everything",
}
ALLOWED: dict[str, str] = {
    "nothing said": "",
    "nothing disallowed": "User-agent: *\nDisallow:",
    "another folder": "User-agent: *\nDisallow: /private/",
    "another robot": "User-agent: other\nDisallow: /",
    "this server by name, others not": "User-agent: *\nDisallow: /\n\nUser-agent: Antiphon\nDisallow:",
    "a folder of a forbidden place": "User-agent: *\nAllow: /pictures/\nDisallow: /",
    "a page in place of the file": "<!doctype html><title>Not here</title>",
    "no text": "\x00\xff\xfe" * 100,
}


@pytest.mark.promise("network.robots")
@pytest.mark.parametrize("text", DISALLOWED.values(), ids=DISALLOWED)
async def test_what_a_host_disallows_is_not_fetched(text: str, host: StandIn, fetcher: GuardedFetcher):
    host.serve("/robots.txt", text.encode(), "text/plain")
    with pytest.raises(RobotsDisallow) as refused:
        await fetcher.fetch(URL, max_bytes=KIB)
    assert refused.value.message == "This URL is disallowed by the website's robots.txt file."
    assert host.paths == ["/robots.txt"]


@pytest.mark.promise("network.robots")
@pytest.mark.parametrize("text", ALLOWED.values(), ids=ALLOWED)
async def test_what_a_host_does_not_disallow_is_fetched(text: str, host: StandIn, fetcher: GuardedFetcher):
    host.serve("/robots.txt", text.encode("latin-1"), "text/plain")
    assert (await fetcher.fetch(URL, max_bytes=KIB)).data == b"cat"
    assert host.asked[0].headers["host"] == "www.example.org"


@pytest.mark.promise("network.robots")
@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
async def test_a_host_without_the_file_allows_everything(status: int, host: StandIn, fetcher: GuardedFetcher):
    host.serve("/robots.txt", b"User-agent: *\nDisallow: /", status=status)
    assert (await fetcher.fetch(URL, max_bytes=KIB)).data == b"cat"


@pytest.mark.promise("network.robots")
async def test_a_host_that_never_gives_the_file_allows_everything(host: StandIn, clock: Clock):
    async def nothing(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    host.behave("/robots.txt", nothing)
    made = public(host, clock, FetchLimits(robots=0.5))
    assert (await made.fetch(URL, max_bytes=KIB)).data == b"cat"


@pytest.mark.promise("network.robots")
async def test_of_a_file_without_end_the_beginning_counts(host: StandIn, fetcher: GuardedFetcher):
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: /\n")
        await pour(writer, b"# and so on\n" * 1000)

    host.behave("/robots.txt", endless)
    with pytest.raises(RobotsDisallow):
        await fetcher.fetch(URL, max_bytes=KIB)


@pytest.mark.promise("network.robots")
async def test_the_file_may_be_elsewhere(host: StandIn, fetcher: GuardedFetcher):
    host.redirect("/robots.txt", "https://other.example.org/rules")
    host.serve("/rules", b"User-agent: *\nDisallow: /")
    with pytest.raises(RobotsDisallow):
        await fetcher.fetch(URL, max_bytes=KIB)


@pytest.mark.promise("network.robots", "network.no-inside")
async def test_a_file_that_redirects_inside_is_not_followed_and_says_nothing(host: StandIn, clock: Clock):
    host.redirect("/robots.txt", "https://169.254.169.254/latest/meta-data/")
    wires = Wires(host.port)
    made = GuardedFetcher(
        NetworkSettings(), resolver=Names({"www.example.org": [[PUBLIC]]}), open_socket=wires.open, clock=clock
    )
    assert (await made.fetch(URL, max_bytes=KIB)).data == b"cat"
    assert wires.attempts == [(PUBLIC, 443)] * 2


@pytest.mark.promise("network.robots")
async def test_a_redirect_into_a_disallowed_place_is_not_followed(host: StandIn, fetcher: GuardedFetcher):
    host.serve("/robots.txt", b"User-agent: *\nDisallow: /secret/")
    host.redirect("/pictures/cat.png", "/secret/cat.png")
    with pytest.raises(RobotsDisallow):
        await fetcher.fetch(URL, max_bytes=KIB)
    assert host.paths == ["/robots.txt", "/pictures/cat.png"]


@pytest.mark.promise("network.robots", "network.allow-list")
async def test_a_host_that_the_owner_allows_is_not_asked(host: StandIn):
    host.serve("/robots.txt", b"User-agent: *\nDisallow: /")
    made = GuardedFetcher(NetworkSettings((host.allowed,)))
    assert (await made.fetch(host.url("/pictures/cat.png"), max_bytes=KIB)).data == b"cat"
    assert host.paths == ["/pictures/cat.png"]


async def test_the_file_is_read_once_an_hour_and_host(host: StandIn, fetcher: GuardedFetcher, clock: Clock):
    host.serve("/robots.txt", b"User-agent: *\nDisallow: /private/")
    await asyncio.gather(*(fetcher.fetch(URL, max_bytes=KIB) for _ in range(5)))
    clock.time = 3599.0
    await fetcher.fetch(URL, max_bytes=KIB)
    assert host.paths.count("/robots.txt") == 1
    clock.time = 3601.0
    await fetcher.fetch(URL, max_bytes=KIB)
    assert host.paths.count("/robots.txt") == 2


async def test_a_file_that_could_not_be_had_is_asked_for_again_after_a_minute(
    host: StandIn, fetcher: GuardedFetcher, clock: Clock
):
    host.serve("/robots.txt", b"", status=503)
    await fetcher.fetch(URL, max_bytes=KIB)
    host.serve("/robots.txt", b"User-agent: *\nDisallow: /")
    clock.time = 59.0
    await fetcher.fetch(URL, max_bytes=KIB)
    clock.time = 61.0
    with pytest.raises(RobotsDisallow):
        await fetcher.fetch(URL, max_bytes=KIB)


@pytest.mark.promise("network.fetch")
async def test_an_owners_authority_speaks_for_allowed_hosts_alone(
    host: StandIn, monkeypatch: pytest.MonkeyPatch, clock: Clock
):
    monkeypatch.delenv("SSL_CERT_FILE")
    made = GuardedFetcher(
        NetworkSettings((host.allowed,), str(host.ca_file)),
        resolver=Names({"www.example.org": [[PUBLIC]], "localhost": [["127.0.0.1"]]}),
        open_socket=Wires(host.port).open,
        clock=clock,
    )
    assert (await made.fetch(host.url("/pictures/cat.png"), max_bytes=KIB)).data == b"cat"
    with pytest.raises(Unreachable, match=r"(?i)certificate"):
        await made.fetch(URL, max_bytes=KIB)

"""The way out leads outside only: hostile URLs, DNS answers and redirects, and not one connection to a refused
address. The sockets remember every address that one was opened for."""

from collections.abc import AsyncGenerator, Sequence

import pytest
from aiohttp import ClientSession, TCPConnector

from antiphon.config import NetworkSettings
from antiphon.network import GuardedFetcher
from antiphon.network.asking import Patience, Wanted
from antiphon.network.guard import Target
from antiphon.network.pinned import PinnedClient
from antiphon.network.trust import Trust
from antiphon.ports.fetch import FetchFault, NotAllowed, NotHttps, RobotsDisallow, Unreachable
from tests.network.hostile import HOSTILE_ANSWERS, HOSTILE_URLS
from tests.network.stand_in import StandIn
from tests.network.wires import Names, Wires

PUBLIC = "93.184.215.14"
WORDS = {
    "Only HTTPS URLs are supported.",
    "Unable to download the file. Please verify the URL and try again.",
}
KIB = 1024
# An empty Location is this page, one without scheme is another host's, and spaces around it do not belong to it.
GOOD_LOCATIONS = {"nothing", "no scheme", "a space in front"}
HOSTILE_LOCATIONS = {name: url for name, url in HOSTILE_URLS.items() if name not in GOOD_LOCATIONS}


@pytest.fixture
async def host() -> AsyncGenerator[StandIn]:
    async with StandIn() as made:
        yield made


@pytest.fixture
async def plain() -> AsyncGenerator[StandIn]:
    """A host of plain http, which the large tables use: it spares hundreds of handshakes."""
    async with StandIn(tls=False) as made:
        yield made


def fetcher(names: Names, wires: Wires, *allowed: StandIn) -> GuardedFetcher:
    settings = NetworkSettings(
        allow_hosts=tuple(host.allowed for host in allowed),
        ca_file=str(allowed[0].ca_file) if allowed else None,
        timeout=10,
    )
    return GuardedFetcher(settings, resolver=names, open_socket=wires.open)


def test_the_table_is_large_enough():
    assert len(HOSTILE_URLS) >= 60


@pytest.mark.promise("vision.guarded-fetch", "network.no-inside")
@pytest.mark.parametrize("url", HOSTILE_URLS.values(), ids=HOSTILE_URLS)
async def test_a_hostile_url_is_not_even_resolved(url: str):
    names, wires = Names(), Wires()
    with pytest.raises(FetchFault) as refused:
        await fetcher(names, wires).fetch(url, max_bytes=KIB)
    assert (names.asked, wires.attempts) == ([], [])
    assert isinstance(refused.value, NotAllowed | NotHttps)
    assert refused.value.message in WORDS


@pytest.mark.promise("network.no-inside")
@pytest.mark.parametrize("url", HOSTILE_LOCATIONS.values(), ids=HOSTILE_LOCATIONS)
async def test_a_redirect_to_a_hostile_url_is_not_followed(url: str, plain: StandIn):
    names, wires = Names({"localhost": [["127.0.0.1"]]}), Wires(plain.port)
    # Headers are bytes: what is not ASCII goes as UTF-8, and line breaks would end the header.
    location = url.encode("utf-8", "surrogatepass").replace(b"\r\n", b"\t")
    plain.send("/a", b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")
    with pytest.raises(FetchFault) as refused:
        await fetcher(names, wires, plain).fetch(plain.url("/a"), max_bytes=KIB)
    assert (names.asked, wires.attempts) == (["localhost"], [("127.0.0.1", plain.port)])
    assert refused.value.message in WORDS


@pytest.mark.promise("vision.guarded-fetch", "network.no-inside")
@pytest.mark.parametrize("answers", HOSTILE_ANSWERS.values(), ids=HOSTILE_ANSWERS)
async def test_a_name_with_one_refused_address_is_not_connected_to(answers: Sequence[str]):
    names, wires = Names({"evil.example.org": [answers]}), Wires()
    with pytest.raises(NotAllowed) as refused:
        await fetcher(names, wires).fetch("https://evil.example.org/", max_bytes=KIB)
    assert wires.attempts == []
    assert refused.value.message in WORDS
    assert not any(answer in refused.value.message for answer in answers)


@pytest.mark.promise("network.no-inside")
@pytest.mark.parametrize("answers", HOSTILE_ANSWERS.values(), ids=HOSTILE_ANSWERS)
async def test_a_redirect_to_a_name_with_one_refused_address_is_not_followed(answers: Sequence[str], plain: StandIn):
    names, wires = Names({"localhost": [["127.0.0.1"]], "evil.example.org": [answers]}), Wires(plain.port)
    plain.redirect("/a", "https://evil.example.org/")
    with pytest.raises(NotAllowed):
        await fetcher(names, wires, plain).fetch(plain.url("/a"), max_bytes=KIB)
    assert wires.attempts == [("127.0.0.1", plain.port)]


@pytest.mark.promise("network.pinned")
async def test_a_name_is_connected_to_where_it_was_checked_and_nowhere_else():
    # Whoever resolved once more would be led inside.
    names = Names({"rebind.example.org": [[PUBLIC], [PUBLIC], ["127.0.0.1"]]})
    wires = Wires()
    with pytest.raises(Unreachable):
        await fetcher(names, wires).fetch("https://rebind.example.org/", max_bytes=KIB)
    assert names.asked == ["rebind.example.org"] * 2, "once for robots.txt, once for the file"
    assert wires.attempts == [(PUBLIC, 443)] * 2


@pytest.mark.promise("network.pinned")
async def test_a_name_that_turns_inward_between_two_requests_is_refused_at_the_second():
    names, wires = Names({"rebind.example.org": [[PUBLIC], ["127.0.0.1"]]}), Wires()
    with pytest.raises(NotAllowed):
        await fetcher(names, wires).fetch("https://rebind.example.org/", max_bytes=KIB)
    assert wires.attempts == [(PUBLIC, 443)], "the robots.txt; the file is not asked for"


async def test_every_checked_address_is_tried():
    answers = [PUBLIC, "1.1.1.1", "2606:2800:220:1::1"]
    names, wires = Names({"many.example.org": [answers]}), Wires()
    with pytest.raises(Unreachable):
        await fetcher(names, wires).fetch("https://many.example.org/", max_bytes=KIB)
    assert {address for address, _ in wires.attempts} == set(answers)


@pytest.mark.promise("network.pinned")
async def test_no_socket_opens_to_an_address_that_was_not_checked():
    # The client library connects to an address in a URL without asking its resolver.
    wires = Wires()
    client = PinnedClient(Patience(1, 1), Trust(None), wires.open)
    with pytest.raises(Unreachable):
        await client.get(Target("https", "10.0.0.1", 443), [PUBLIC], Wanted(KIB, ["*/*"]))
    assert wires.attempts == []


async def test_the_sockets_of_these_tests_do_remember(host: StandIn):
    # The proof of the proof: without a guard, the same sockets report the inside.
    wires = Wires(host.port)
    async with ClientSession(connector=TCPConnector(socket_factory=wires.open)) as session:
        with pytest.raises(OSError, match=r"SSL|certificate"):
            await session.get("https://10.0.0.1/")
    assert wires.attempts == [("10.0.0.1", 443)]


@pytest.mark.promise("network.redirects")
async def test_a_loop_of_redirects_ends(host: StandIn):
    host.redirect("/a", "/b")
    host.redirect("/b", "/a")
    with pytest.raises(Unreachable, match="more than 5 redirects"):
        await fetcher(Names({"localhost": [["127.0.0.1"]]}), Wires(host.port), host).fetch(
            host.url("/a"), max_bytes=KIB
        )
    assert host.paths == ["/a", "/b"] * 3


@pytest.mark.promise("network.redirects")
async def test_five_redirects_are_followed_and_six_are_not(host: StandIn):
    for number in range(6):
        host.redirect(f"/{number}", f"/{number + 1}")
    host.serve("/6", b"found")
    made = fetcher(Names({"localhost": [["127.0.0.1"]]}), Wires(host.port), host)
    assert (await made.fetch(host.url("/1"), max_bytes=KIB)).data == b"found"
    with pytest.raises(Unreachable):
        await made.fetch(host.url("/0"), max_bytes=KIB)


@pytest.mark.promise("network.redirects")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_every_kind_of_redirect_is_judged(status: int, host: StandIn):
    host.redirect("/a", "https://169.254.169.254/latest/meta-data/", status)
    wires = Wires(host.port)
    with pytest.raises(NotAllowed):
        await fetcher(Names({"localhost": [["127.0.0.1"]]}), wires, host).fetch(host.url("/a"), max_bytes=KIB)
    assert wires.attempts == [("127.0.0.1", host.port)]


@pytest.mark.promise("network.redirects")
async def test_a_redirect_from_https_to_an_allowed_http_host_is_refused(host: StandIn, plain: StandIn):
    plain.serve("/a", b"found")
    host.redirect("/a", plain.url("/a"))
    wires = Wires(host.port)
    made = fetcher(Names({"localhost": [["127.0.0.1"]]}), wires, host, plain)
    with pytest.raises(NotAllowed, match="from https to http"):
        await made.fetch(host.url("/a"), max_bytes=KIB)
    assert (plain.asked, wires.attempts) == ([], [("127.0.0.1", host.port)])


def test_the_words_for_the_client_are_the_same_whatever_the_inside_is_like():
    assert {fault("secret").message for fault in (NotAllowed, Unreachable)} == {
        "Unable to download the file. Please verify the URL and try again."
    }
    assert RobotsDisallow("secret").message == "This URL is disallowed by the website's robots.txt file."

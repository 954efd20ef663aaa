"""The search that takes no account: its manners, its languages, and what it does without a network."""

import asyncio
import gzip
import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from antiphon import __version__
from antiphon.ports.server_tools import ToolProblem
from antiphon.tools.domains import DomainRules
from antiphon.tools.search import wikipedia
from antiphon.tools.search.pace import Pace
from antiphon.tools.search.port import Place, SearchQuery
from antiphon.tools.search.wikipedia import Wikipedia
from tests.tools.providers import TIMEOUT, restless
from tests.tools.stand_ins import PAGES, WebPage, whole
from tests.tools.test_search_chaos import HEAD, pouring, raw, then_hang
from tests.tools.wiki import WikiStandIn

GERMAN = WebPage("https://de.wikipedia.org/wiki/Hauskatze", "Hauskatze", "Die Hauskatze schnurrt.", None)
ENGLISH = WebPage("https://en.wikipedia.org/wiki/Cat", "Cat", "The cat purrs.", "2026-10-09T08:07:06Z")
RUSSIAN = WebPage("https://ru.wikipedia.org/wiki/Кошка", "Кошка", "Кошка мурлычет.", None)
WIKIS = {"de": (GERMAN,), "en": (ENGLISH,), "ru": (RUSSIAN,)}


class Hours:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def wikis(
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - in seconds
    clock: Hours | None = None,
    **more: Any,
) -> AsyncGenerator[tuple[Wikipedia, WikiStandIn]]:
    """Wikis of three languages, and who asks them; `clock`: by which failures are remembered."""
    async with WikiStandIn(others=WIKIS) as host:
        pace = restless() if clock is None else Pace(0.0, clock)
        provider = Wikipedia(timeout, host.template, pace=pace, **more)
        try:
            yield provider, host
        finally:
            await provider.aclose()


async def refusal(provider: Wikipedia, query: str = "cat") -> ToolProblem:
    with pytest.raises(ToolProblem) as caught:
        await provider.search(SearchQuery(query, 5))
    return caught.value


def asked(host: WikiStandIn) -> list[tuple[str, str]]:
    """The wikis and the queries that came."""
    return [(each.path.split("/")[1], each.params["gsrsearch"]) for each in host.asked]


@pytest.mark.promise("web-tools.manners")
async def test_a_wiki_is_asked_in_one_request_that_says_who_asks_and_how_busy_it_may_be():
    async with wikis(contact="owner@cats.example") as (provider, host):
        [found] = await provider.search(SearchQuery("purrs", 5))
        assert (found.url, found.title, found.text, found.age) == (
            ENGLISH.url,
            "Cat",
            "The cat purrs.",
            "2026-10-09T08:07:06Z",
        )
        [request] = host.asked
    assert request.headers["user-agent"].startswith("Antiphon/")
    assert "(a self-hosted server of the Messages API; owner@cats.example) aiohttp/" in request.headers["user-agent"]
    assert request.headers["accept-encoding"] == "gzip"
    assert "cookie" not in request.headers
    assert (request.params["maxlag"], request.params["gsrlimit"], request.params["exlimit"]) == ("5", "5", "max")
    assert request.path == "/en/w/api.php"


@pytest.mark.promise("web-tools.manners")
async def test_who_says_nothing_of_themselves_names_the_program_and_invents_no_address():
    async with wikis() as (provider, host):
        await provider.search(SearchQuery("purrs", 5))
    said = host.asked[0].headers["user-agent"]
    assert said.startswith(f"Antiphon/{__version__} (a self-hosted server of the Messages API; ")
    assert wikipedia.NO_CONTACT in said
    assert not re.search(r"https?:|www\.|@", said)


@pytest.mark.promise("web-tools.manners")
async def test_searches_of_many_requests_reach_a_wiki_one_after_the_other():
    async with wikis() as (provider, host):
        await asyncio.gather(*(provider.search(SearchQuery("cat", 5)) for _ in range(8)))
        assert (len(host.asked), host.together) == (8, 1)


async def test_results_are_in_the_order_of_their_rank_whatever_the_order_of_their_numbers():
    async with WikiStandIn() as host:
        provider = Wikipedia(TIMEOUT, host.url, pace=restless())
        assert [page.url for page in await provider.search(SearchQuery("cats", 2))] == [
            page.url for page in PAGES[:2]
        ]
        await provider.aclose()


@pytest.mark.promise("web-tools.languages")
@pytest.mark.parametrize(
    ("query", "country", "language", "found", "requests"),
    [
        ("schnurrt", "DE", None, GERMAN, [("de", "schnurrt")]),
        ("purrs", "DE", None, ENGLISH, [("de", "purrs"), ("en", "purrs")]),
        ("мурлычет", "DE", None, RUSSIAN, [("ru", "мурлычет")]),
        ("purrs", "", "en", ENGLISH, [("en", "purrs")]),
        ("schnurrt", "US", "de", GERMAN, [("de", "schnurrt")]),
    ],
)
async def test_the_wiki_of_the_querys_language_is_asked_and_then_the_english_one(
    query: str, country: str, language: str | None, found: WebPage, requests: list[tuple[str, str]]
):
    async with wikis() as (provider, host):
        place = Place(country=country)
        [page] = await provider.search(SearchQuery(query, 5, place=place, language=language))
        assert page.url == found.url
        assert asked(host) == requests


async def test_a_question_that_no_page_answers_whole_is_asked_again_for_any_of_its_words():
    async with wikis() as (provider, host):
        [page] = await provider.search(SearchQuery("comprehensive information about what purrs in 2025", 5))
        assert page.url == ENGLISH.url
        assert asked(host)[1:] == [("en", "comprehensive OR information OR about OR what OR purrs OR 2025")]
        host.asked.clear()
        assert await provider.search(SearchQuery("submarines", 5)) == []
        assert len(host.asked) == 1
        assert await provider.search(SearchQuery("ab " * 100, 5)) == []
        assert len(host.asked) == 2
        # With its operators it would be longer than a query may be.
        assert await provider.search(SearchQuery(" ".join(f"word{n}" for n in range(43)), 5)) == []
        assert len(host.asked) == 3


@pytest.mark.promise("web-tools.domains")
@pytest.mark.parametrize(
    ("rules", "wikis_asked"),
    [
        ({"allowed_domains": ["wikipedia.org"]}, ["de", "en"]),
        ({"allowed_domains": ["en.wikipedia.org"]}, ["en"]),
        ({"allowed_domains": ["nature.com", "ru.wikipedia.org/wiki"]}, ["ru"]),
        ({"allowed_domains": ["nature.com"]}, []),
        ({"allowed_domains": ["qq.wikipedia.org"]}, []),
        ({"allowed_domains": ["notwikipedia.org"]}, []),
        ({"blocked_domains": ["wikipedia.org"]}, []),
        ({"blocked_domains": ["de.wikipedia.org"]}, ["en"]),
        ({"blocked_domains": ["de.wikipedia.org/wiki/Spam", "nature.com"]}, ["de", "en"]),
    ],
)
async def test_only_wikis_that_the_rules_let_be_shown_are_asked(
    rules: dict[str, list[str]], wikis_asked: list[str], monkeypatch: pytest.MonkeyPatch
):
    bases: list[str] = []

    async def get(path: str, params: Any, *, base: str, within: float) -> Any:
        bases.append(base)
        return {"batchcomplete": True}

    provider = Wikipedia(TIMEOUT, pace=restless())
    monkeypatch.setattr(provider, "_api", type("Api", (), {"get": staticmethod(get)}))
    query = SearchQuery("katze", 5, DomainRules.of(rules), Place(country="DE"))
    assert await provider.search(query) == []
    assert bases == [f"https://{language}.wikipedia.org" for language in wikis_asked]


@pytest.mark.promise("web-tools.manners")
@pytest.mark.parametrize(
    ("status", "field", "code", "seconds"),
    [
        (429, "Retry-After: 120\r\n", "too_many_requests", 120.0),
        (503, "Retry-After: 7\r\n", "unavailable", 7.0),
        (429, "Retry-After: 0\r\n", "too_many_requests", 1.0),
        (429, "", "too_many_requests", wikipedia.REST),
        (503, "Retry-After: soon\r\n", "unavailable", wikipedia.REST),
        (500, "Retry-After: 120\r\n", "unavailable", 0.0),
        (302, "Location: http://169.254.169.254/\r\n", "unavailable", 0.0),
    ],
)
async def test_a_wiki_that_wants_rest_gets_as_much_as_it_says(status: int, field: str, code: str, seconds: float):
    clock = Hours()
    async with wikis(clock=clock) as (provider, host):
        host.misbehave = raw(whole(b"", status, fields=field))
        assert (await refusal(provider)).code == code
        host.misbehave = None
        if seconds:
            clock.now = seconds - 0.5
            resting = await refusal(provider)
            assert resting.code == code
            assert f"status {status}; it is asked again in" in resting.reason
            assert len(host.asked) == 1
        clock.now = seconds
        assert await provider.search(SearchQuery("cat", 5))


@pytest.mark.promise("web-tools.manners")
async def test_a_wiki_whose_databases_lag_behind_is_left_alone_for_that_long():
    clock = Hours()
    async with wikis(clock=clock) as (provider, host):
        host.error = {"code": "maxlag", "info": "Waiting for 10.64.0.1: 8.5 seconds lagged.", "lag": 8.5}
        problem = await refusal(provider)
        assert (problem.code, "8.5 seconds lagged" in problem.reason) == ("unavailable", True)
        host.error = None
        clock.now = 8.0
        assert (await refusal(provider)).code == "unavailable"
        assert len(host.asked) == 1
        clock.now = 8.5
        assert await provider.search(SearchQuery("cat", 5))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "ratelimited", "info": "You've exceeded your rate limit."}, "too_many_requests"),
        ({"code": "searcherror", "info": "An error occurred while searching."}, "unavailable"),
        ({"code": 7, "info": []}, "unavailable"),
        ({"code": "maxlag", "lag": "much"}, "unavailable"),
    ],
)
async def test_an_error_with_status_200_is_one(error: dict[str, Any], code: str):
    async with wikis() as (provider, host):
        host.error = error
        problem = await refusal(provider)
        assert problem.code == code
        assert str(error.get("info", "")) in problem.reason or not isinstance(error.get("info", ""), str)


async def test_an_answer_that_is_no_wikis_says_so():
    async with wikis() as (provider, host):
        host.misbehave = raw(whole(b'{"results": []}'))
        assert "is this a MediaWiki?" in (await refusal(provider)).reason


@pytest.mark.promise("web-tools.chaos")
async def test_gzip_that_breaks_off_or_is_none_is_no_answer():
    field = "Content-Encoding: gzip\r\n"
    async with wikis() as (provider, host):
        for body in (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV*I-.Q", b"{}", b""):
            host.misbehave = raw(whole(body, fields=field))
            assert (await refusal(provider)).code == "unavailable"
        host.misbehave = raw(HEAD + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}")
        assert "not asked for" in (await refusal(provider)).reason


@pytest.mark.promise("web-tools.chaos")
async def test_what_comes_behind_the_end_of_a_packed_answer_is_not_read():
    page = {"fullurl": ENGLISH.url, "title": "Cat", "extract": "Purrs."}
    answer = gzip.compress(orjson.dumps({"query": {"pages": [page]}}))
    async with wikis() as (provider, host):
        host.misbehave = pouring(HEAD + b"Content-Encoding: gzip\r\n\r\n" + answer, b" " * 65_536)
        assert [found.url for found in await provider.search(SearchQuery("cat", 5))] == [ENGLISH.url]


@pytest.mark.promise("web-tools.without-network")
async def test_where_nothing_can_be_reached_a_search_ends_at_once_and_so_do_those_that_follow():
    clock = Hours()
    async with wikis(clock=clock) as (provider, host):
        # Nobody listens there any more.
        await host.__aexit__()
        began = time.monotonic()
        first = await refusal(provider)
        assert (first.code, "cannot be reached" in first.reason) == ("unavailable", True)
        again = await asyncio.gather(*(refusal(provider) for _ in range(20)))
        assert time.monotonic() - began < TIMEOUT / 2
        assert {(problem.code, problem.reason.rpartition("; ")[2]) for problem in again} == {
            ("unavailable", "it is asked again in 30 s")
        }
        clock.now = wikipedia.REST
        assert "asked again" not in (await refusal(provider)).reason


@pytest.mark.promise("web-tools.without-network")
async def test_a_wiki_that_is_silent_is_waited_for_once():
    clock = Hours()
    async with wikis(1.0, clock) as (provider, host):
        host.misbehave = then_hang(b"")
        assert "no whole answer" in (await refusal(provider)).reason
        # Those that would have waited do not wait in turn, one timeout after the other.
        assert {problem.code for problem in await asyncio.gather(*(refusal(provider) for _ in range(20)))} == {
            "unavailable"
        }
        assert len(host.asked) == 1


@pytest.mark.promise("web-tools.without-network")
async def test_searches_behind_a_silent_one_end_in_their_own_time():
    async with wikis(1.0, Hours()) as (provider, host):
        host.misbehave = then_hang(b"")
        began = time.monotonic()
        problems = await asyncio.gather(*(refusal(provider) for _ in range(10)))
        assert time.monotonic() - began < 15
        assert {problem.code for problem in problems} <= {"unavailable", "too_many_requests"}
        assert len(host.asked) == 1


@pytest.mark.promise("web-tools.without-network")
async def test_a_name_that_nobody_resolves_takes_no_longer_than_a_connection_may(monkeypatch: pytest.MonkeyPatch):
    async def forever(*_: object, **__: object) -> object:
        return await asyncio.Event().wait()

    monkeypatch.setattr(wikipedia, "_CONNECT", 0.1)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", forever)
    provider = Wikipedia(60.0, "http://{language}.wiki.invalid", pace=restless())
    began = time.monotonic()
    assert "http://en.wiki.invalid: cannot be reached (ConnectionTimeoutError)" in (await refusal(provider)).reason
    assert time.monotonic() - began < 30
    await provider.aclose()

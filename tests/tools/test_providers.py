"""What every provider of searches promises, over every one of them."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from antiphon.ports.server_tools import ToolProblem
from antiphon.tools.domains import DomainRules
from antiphon.tools.search.brave import Brave
from antiphon.tools.search.port import Found, Place, SearchQuery
from antiphon.tools.search.searxng import SearXNG
from antiphon.tools.search.tavily import Tavily
from tests.network.stand_in import StandIn
from tests.tools.providers import EVERY, REMOTE, TIMEOUT, Standing, remote, standing
from tests.tools.stand_ins import PAGES, Asked, BraveStandIn, SearXNGStandIn, TavilyStandIn, WebPage

BERLIN = Place("Berlin", "Berlin", "DE", "Europe/Berlin")


@pytest.fixture(params=EVERY)
async def ready(request: pytest.FixtureRequest) -> AsyncGenerator[Standing]:
    async with standing(request.param) as made:
        yield made


def urls(found: list[Found]) -> set[str]:
    return {str(page.url) for page in found}


def rules(**lists: list[str]) -> DomainRules:
    return DomainRules.of(lists)


@pytest.mark.promise("web-tools.providers")
async def test_a_search_finds_pages_with_address_title_text_and_date(ready: Standing):
    found = {str(page.url): page for page in await ready.provider.search(SearchQuery("cats", 10))}
    assert found.keys() == {page.url for page in PAGES[:3]}
    first = found["https://cats.example/sleep"]
    assert first.title == "Why cats sleep"
    assert "sixteen hours" in first.text
    assert str(first.age).startswith("2025-04-30")
    assert found["https://www.cats.example/blog/food"].age is None


@pytest.mark.promise("web-tools.providers")
async def test_a_search_that_finds_nothing_is_no_failure(ready: Standing):
    assert await ready.provider.search(SearchQuery("submarines", 10)) == []


@pytest.mark.promise("web-tools.domains")
async def test_allowed_domains_reach_the_provider(ready: Standing):
    only = SearchQuery("cats", 10, rules(allowed_domains=["cats.example"]))
    assert urls(await ready.provider.search(only)) == {PAGES[0].url, PAGES[1].url}
    two = SearchQuery("cats", 10, rules(allowed_domains=["dogs.example", "www.cats.example/blog"]))
    assert urls(await ready.provider.search(two)) == {PAGES[1].url, PAGES[2].url}


@pytest.mark.promise("web-tools.domains")
async def test_blocked_domains_reach_the_provider(ready: Standing):
    query = SearchQuery("cats", 10, rules(blocked_domains=["cats.example"]))
    assert urls(await ready.provider.search(query)) == {PAGES[2].url}


async def test_a_place_and_a_language_do_no_harm(ready: Standing):
    hostile = Place("Köln\r\nX-Evil: 1", "日本", "ZZ", "\x00")
    for place in (BERLIN, hostile, Place()):
        assert len(await ready.provider.search(SearchQuery("cats", 10, place=place, language="de"))) == 3
    if ready.host is not None:
        assert not [asked for asked in ready.host.asked if "x-evil" in asked.headers]


async def test_a_query_as_long_as_the_provider_takes_is_asked(ready: Standing):
    assert await ready.provider.search(SearchQuery("x" * ready.provider.longest_query, 10)) == []


async def test_searches_run_at_the_same_time_and_closing_twice_is_fine(ready: Standing):
    queries = [SearchQuery(word, 10) for word in ("cats", "birds", "dogs", "cats")]
    found = await asyncio.gather(*(ready.provider.search(query) for query in queries))
    assert [len(pages) for pages in found] == [3, 1, 1, 3]
    await ready.provider.aclose()
    await ready.provider.aclose()


async def test_more_domains_than_fit_are_refused_rather_than_forgotten():
    query = SearchQuery("cats", 10, rules(allowed_domains=[f"{n}.a-long-name.example" for n in range(400)]))
    for name in ("searxng", "brave", "tavily"):
        async with remote(name) as (provider, host):
            with pytest.raises(ToolProblem) as caught:
                await provider.search(query)
            assert caught.value.code == "request_too_large"
            assert host.asked == []


async def test_what_a_client_says_of_a_place_reaches_those_who_use_it():
    query = SearchQuery("cats", 7, place=BERLIN, language="de")
    async with remote("searxng") as (provider, host):
        await provider.search(query)
        assert host.asked[0].params == {"q": "cats", "format": "json", "pageno": "1", "language": "de-DE"}
    async with remote("brave") as (provider, host):
        await provider.search(query)
        asked = host.asked[0]
        assert (asked.params["country"], asked.params["search_lang"], asked.params["count"]) == ("DE", "de", "7")
        assert (asked.headers["x-loc-city"], asked.headers["x-loc-timezone"]) == ("Berlin", "Europe/Berlin")
    async with remote("tavily") as (provider, host):
        await provider.search(query)
        assert (host.asked[0].body["country"], host.asked[0].body["max_results"]) == ("germany", 7)


@pytest.mark.promise("web-tools.keys")
@pytest.mark.parametrize("name", ["brave", "tavily"])
async def test_a_wrong_key_says_what_to_set_and_never_the_key(name: str):
    async with REMOTE[name][0]() as host:
        provider = (Brave if name == "brave" else Tavily)("another-key", 5.0, host.url)
        with pytest.raises(ToolProblem) as caught:
            await provider.search(SearchQuery("cats", 5))
        await provider.aclose()
    assert caught.value.code == "unavailable"
    assert "key_env" in caught.value.reason
    assert "another-key" not in f"{caught.value.reason}{caught.value!r}"


async def test_a_used_up_plan_is_too_many_requests():
    async with TavilyStandIn() as host:
        host.plan_left = False
        provider = REMOTE["tavily"][1](host.url, 5.0)
        with pytest.raises(ToolProblem, match="used up") as caught:
            await provider.search(SearchQuery("cats", 5))
        await provider.aclose()
    assert caught.value.code == "too_many_requests"


async def test_a_searxng_without_json_says_which_setting_it_lacks():
    async with SearXNGStandIn() as host:
        host.formats = ("html",)
        provider = SearXNG(host.url, 5.0)
        with pytest.raises(ToolProblem, match=r"search\.formats"):
            await provider.search(SearchQuery("cats", 5))
        await provider.aclose()


@pytest.mark.parametrize(
    ("silent", "code"),
    [
        ((("google", "Suspended: too many requests"), ("brave", "CAPTCHA")), "too_many_requests"),
        ((("google", "timeout"),), "unavailable"),
    ],
)
async def test_nothing_found_because_no_engine_answered_is_a_failure(silent: tuple[tuple[str, str], ...], code: str):
    async with SearXNGStandIn() as host:
        host.silent = silent
        provider = SearXNG(host.url, 5.0)
        with pytest.raises(ToolProblem, match="no engine answered") as caught:
            await provider.search(SearchQuery("cats", 5))
        await provider.aclose()
    assert caught.value.code == code


async def test_an_instance_behind_an_authority_of_ones_own_is_believed_where_the_owner_says_so():
    async with StandIn() as host:
        host.serve("/search?q=cats&format=json&pageno=1", b'{"results": [{"url": "https://a.example/"}]}')
        trusting = SearXNG(host.url(""), TIMEOUT, str(host.ca_file))
        assert [page.url for page in await trusting.search(SearchQuery("cats", 5))] == ["https://a.example/"]
        await trusting.aclose()
        stranger = SearXNG(host.url(""), TIMEOUT)
        with pytest.raises(ToolProblem, match="ClientConnectorCertificateError"):
            await stranger.search(SearchQuery("cats", 5))
        await stranger.aclose()


class Talkative(BraveStandIn):
    """Of a plan with more snippets."""

    def answer(self, asked: Asked) -> tuple[int, Any]:
        status, body = super().answer(asked)
        body["web"]["results"][0]["extra_snippets"] = ["two", "one", 3]
        return status, body


async def test_every_snippet_that_brave_has_is_read():
    async with Talkative() as host:
        host.pages = (WebPage("https://a.example/", "A", "one"),)
        provider = REMOTE["brave"][1](host.url, 5.0)
        assert [page.text for page in await provider.search(SearchQuery("one", 5))] == ["one two"]
        await provider.aclose()

"""From the settings to the tools that are offered, and what a check finds out about them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon.compose import edges, probes
from antiphon.compose.observer import StartError
from antiphon.config import Settings, ToolSettings, WebFetchSettings, WebSearchSettings
from antiphon.media.reader import Reader
from antiphon.ports.media import MediaUnavailable
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.testing import FixedClock
from antiphon.tools.offered import (
    Surroundings,
    ToolCheck,
    check_tools,
    close_tools,
    described,
    provider_for,
    tools_for,
)
from tests.tools.fetching import Files, Reading
from tests.tools.own_package import DICE, installed
from tests.tools.stand_ins import KEY, BraveStandIn, SearXNGStandIn, TavilyStandIn, WebPage
from tests.tools.wiki import WikiStandIn

EVERYWHERE = ["tool_search_tool_regex", "tool_search_tool_bm25"]


def around() -> Surroundings:
    return Surroundings(Files(), Reading(), FixedClock())


class Closing:
    """A tool that only ends."""

    types: tuple[str, ...] = ("x_",)
    result_type = "x"
    error_type = "x"

    def __init__(self, name: str, end: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self._end = end

    def told(self, settings: Any) -> Any:
        """Nothing."""

    async def run(self, call: Any) -> Any:
        """Nothing."""

    async def aclose(self) -> None:
        """What the test says."""
        await self._end()


@pytest.fixture
async def reader() -> AsyncGenerator[Reader]:
    made = Reader()
    yield made
    await made.aclose()


@pytest.mark.promise("web-tools.configured")
def test_an_app_that_configures_nothing_offers_nothing():
    assert tools_for(Settings().server_tools, around()) == ()


@pytest.mark.promise("web-tools.default")
async def test_a_server_that_configures_nothing_searches_and_fetches_and_one_word_stops_it():
    offered = edges.server_tools(Settings(), around())
    assert [tool.name for tool in offered.tools] == ["web_search", "web_fetch", *EVERYWHERE]
    silent = edges.server_tools(Settings(server_tools=ToolSettings(defaults=False)), around())
    assert [tool.name for tool in silent.tools] == EVERYWHERE
    await close_tools(offered.tools)


@pytest.mark.promise("web-tools.default")
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (ToolSettings(), ["web_search (wikipedia, by default)", "web_fetch (by default)"]),
        (ToolSettings(defaults=False), []),
        (ToolSettings(off=frozenset({"web_search"})), ["web_fetch (by default)"]),
        (
            ToolSettings(WebSearchSettings(url="http://127.0.0.1:1")),
            ["web_search (searxng)", "web_fetch (by default)"],
        ),
        (ToolSettings(None, WebFetchSettings(), {"dice": {}}, defaults=False), ["web_fetch", "dice"]),
    ],
)
def test_each_tool_is_told_with_whose_work_it_is(settings: ToolSettings, told: list[str], tmp_path: Path):
    with installed(tmp_path, {"my_dice": DICE}, {"dice": "my_dice:Dice"}):
        tools = edges.server_tools(Settings(server_tools=settings), around())
    assert described(tools.tools, settings.by_default) == told


@pytest.mark.promise("web-tools.default", "web-tools.own-tools")
def test_an_owners_own_search_takes_the_place_of_the_default_and_of_no_other(tmp_path: Path):
    own = DICE.replace('"dice', '"web_search')
    with installed(tmp_path, {"my_search": own}, {"mine": "my_search:Dice"}):
        settings = ToolSettings(own={"mine": {}})
        tools = edges.server_tools(Settings(server_tools=settings), around())
        assert described(tools.tools, settings.by_default) == ["web_fetch (by default)", "web_search"]
        both = ToolSettings(WebSearchSettings(url="http://127.0.0.1:1"), own={"mine": {}})
        with pytest.raises(StartError, match="two server tools are called web_search"):
            edges.server_tools(Settings(server_tools=both), around())


@pytest.mark.promise("web-tools.configured")
async def test_what_is_configured_is_offered_with_its_settings(tmp_path: Path):
    async with SearXNGStandIn() as host:
        settings = ToolSettings(
            WebSearchSettings(url=host.url, results=1, language="de"), WebFetchSettings(), {"dice": {"sides": 2}}
        )
        with installed(tmp_path, {"my_dice": DICE}, {"dice": "my_dice:Dice"}):
            search, fetch, dice = tools_for(settings, around())
        assert [tool.name for tool in (search, fetch, dice)] == ["web_search", "web_fetch", "dice"]
        assert [tool.types for tool in (search, fetch, dice)] == [("web_search_",), ("web_fetch_",), ("dice_",)]
        found = await search.run(ServerCall("srvtoolu_1", "web_search", {"query": "cats"}))
        assert isinstance(found, ServerResult)
        assert [row["encrypted_content"] for row in found.content] == ["Cats sleep for sixteen hours a day."]
        assert host.asked[0].params["language"] == "de"
        with pytest.raises(ToolProblem):
            await fetch.run(ServerCall("srvtoolu_2", "web_fetch", {"url": "https://a.example/"}))
        for tool in (search, fetch, dice):
            await tool.aclose()


def test_each_provider_is_made_of_its_settings():
    names = ("searxng", "brave", "tavily", "local", "wikipedia")
    made = [provider_for(WebSearchSettings(name, "http://127.0.0.1:1", "k", "/nowhere")) for name in names]
    assert [provider.name for provider in made] == list(names)


def test_a_tool_that_cannot_be_made_stops_the_start():
    settings = Settings(server_tools=ToolSettings(own={"dice": {}}))
    with pytest.raises(StartError, match=r"\[server_tools\.dice\]: no installed package"):
        edges.server_tools(settings, around())


async def test_a_tool_that_cannot_be_closed_holds_up_neither_the_others_nor_the_end(caplog: pytest.LogCaptureFixture):
    async def breaks() -> None:
        raise RuntimeError("stuck")

    async def hangs() -> None:
        await asyncio.Event().wait()

    closed: list[str] = []

    async def closes() -> None:
        closed.append("c")

    tools = [Closing("a", breaks), Closing("b", hangs), Closing("c", closes)]
    async with asyncio.timeout(10):
        await close_tools(tools, within=0.05)
    assert closed == ["c"]
    assert "a cannot be closed: RuntimeError: stuck" in caplog.text
    assert "b cannot be closed: TimeoutError" in caplog.text


@pytest.mark.promise("web-tools.doctor")
async def test_every_tool_that_works_passes_its_check(reader: Reader, tmp_path: Path):
    async with BraveStandIn() as host:
        settings = ToolSettings(WebSearchSettings("brave", host.url, KEY), WebFetchSettings(), {"dice": {}})
        host.pages = (*host.pages, type(host.pages[0])("https://weather.example/", "Weather", "Rain."))
        with installed(tmp_path, {"my_dice": DICE}, {"dice": "my_dice:Dice"}):
            checks = await check_tools(settings, reader)
        assert [(check.name, check.works) for check in checks] == [
            ("web_search", True),
            ("web_fetch", True),
            ("dice", True),
        ]
        assert len(host.asked) == 1


@pytest.mark.promise("web-tools.doctor")
async def test_a_provider_that_does_not_work_says_what_to_set_and_never_the_key(reader: Reader):
    async with TavilyStandIn() as host:
        [check] = await check_tools(ToolSettings(WebSearchSettings("tavily", host.url, "wrong-key")), reader)
    assert not check.works
    assert "key_env" in check.detail
    assert "[server_tools.web_search]" in check.remedy
    assert "wrong-key" not in f"{check}"
    [gone] = await check_tools(ToolSettings(WebSearchSettings("searxng", host.url)), reader)
    assert not gone.works
    assert host.url in gone.detail


async def test_a_provider_that_finds_nothing_is_looked_at(reader: Reader):
    async with SearXNGStandIn() as host:
        [check] = await check_tools(ToolSettings(WebSearchSettings(url=host.url)), reader)
    assert (check.works, check.detail) == (False, "searxng answers and finds nothing")


@pytest.mark.promise("web-tools.doctor", "web-tools.without-network")
async def test_a_default_that_cannot_be_reached_says_what_to_do_and_that_nobody_asked_for_it(reader: Reader):
    async with WikiStandIn() as host:
        host.pages = (WebPage("https://en.wikipedia.org/wiki/Weather", "Weather", "Rain."),)
        settings = ToolSettings(WebSearchSettings("wikipedia", host.url))
        [works] = await check_tools(settings, reader, by_default=("web_search",))
        assert works == ToolCheck(
            "web_search", True, "by default, without an account: wikipedia answers", "", by_default=True
        )
    [gone] = await check_tools(settings, reader, by_default=("web_search",))
    assert (gone.works, gone.by_default) == (False, True)
    assert host.url in gone.detail
    assert "defaults = false" in gone.remedy


async def test_a_default_whose_place_an_owners_own_tool_takes_is_not_tried(reader: Reader, tmp_path: Path):
    async with WikiStandIn() as host:
        settings = ToolSettings(WebSearchSettings("wikipedia", host.url), own={"mine": {}})
        with installed(tmp_path, {"my_search": DICE.replace('"dice', '"web_search')}, {"mine": "my_search:Dice"}):
            checks = await check_tools(settings, reader, by_default=("web_search",))
        assert [(check.name, check.works) for check in checks] == [("mine", True)]
        assert host.asked == []


async def test_a_local_index_is_counted(reader: Reader, tmp_path: Path):
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    [check] = await check_tools(ToolSettings(WebSearchSettings("local", path=str(tmp_path))), reader)
    assert (check.works, check.detail) == (True, f"local: pages in {tmp_path}: 1")


async def test_a_reader_that_cannot_start_and_a_package_that_is_not_there_fail():
    reading = Reading(MediaUnavailable("no process"))
    fetch, dice = await check_tools(ToolSettings(None, WebFetchSettings(), {"dice": {}}), reading)
    assert (fetch.works, dice.works) == (False, False)
    assert "no process" in fetch.detail
    assert "no installed package" in dice.detail


def test_the_doctors_own_way_there_starts_and_ends_its_reader():
    fetch = ToolSettings(web_fetch=WebFetchSettings(), defaults=False)
    checks = probes.check_server_tools(Settings(server_tools=fetch))
    assert [(check.name, check.works) for check in checks] == [("web_fetch", True)]
    assert probes.check_server_tools(Settings(server_tools=ToolSettings(defaults=False))) == []

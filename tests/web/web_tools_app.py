"""An app with the server's own web tools as they are, over a search engine and a small web on loopback."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from antiphon.config import NetworkSettings, ToolSettings, TurnLimits, WebFetchSettings, WebSearchSettings
from antiphon.media.reader import Bounds, Reader
from antiphon.network import FetchLimits, GuardedFetcher
from antiphon.service.media.intake import MediaIntake
from antiphon.testing import FixedClock
from antiphon.tools.offered import Surroundings, close_tools, tools_for
from tests.network.stand_in import StandIn
from tests.tools.stand_ins import SearXNGStandIn
from tests.web.searching_app import app
from tests.web.thinking_app import ThinkingApp

TIMEOUT = 5.0


@dataclass
class WebToolsApp:
    """`client`: of the app. `engine`: who finds pages. `host`: where pages are."""

    client: ThinkingApp
    engine: SearXNGStandIn
    host: StandIn


@asynccontextmanager
async def web_tools_app(
    *rules: str,
    search: Mapping[str, Any] | None = None,
    own: Mapping[str, Mapping[str, Any]] | None = None,
    limits: TurnLimits | None = None,
) -> AsyncGenerator[WebToolsApp]:
    """The app over a script of these rules, in which HOST stands for where the host is. `search`: settings of the
    search; `own`: tables of the owner's tools."""
    async with SearXNGStandIn() as engine, StandIn() as host:
        network = NetworkSettings((host.allowed,), str(host.ca_file), TIMEOUT)
        script = [rule.replace("HOST", host.url("")) for rule in rules]
        fetcher = GuardedFetcher(network, limits=FetchLimits(silence=1.0))
        reader = Reader(Bounds(workers=1))
        said: dict[str, Any] = {"url": engine.url, "timeout": TIMEOUT, **(search or {})}
        found = WebSearchSettings(**said)
        tools = tools_for(
            ToolSettings(found, WebFetchSettings(), own or {}), Surroundings(fetcher, reader, FixedClock())
        )
        try:
            media = MediaIntake(reader, fetcher, FixedClock(), cache=0)
            async with app(*script, tools=tools, media=media, turn=limits or TurnLimits()) as client:
                yield WebToolsApp(client, engine, host)
        finally:
            await close_tools(tools)
            await reader.aclose()
            await fetcher.aclose()

"""From the settings to the tools that are offered, and what a check finds out about them."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from antiphon.config import ToolSettings, WebSearchSettings
from antiphon.ports.fetch import Fetcher
from antiphon.ports.media import MediaProblem, MediaUnavailable
from antiphon.ports.sandbox import Sandboxes
from antiphon.ports.server_tools import ServerTool, ToolProblem
from antiphon.ports.system import Clock
from antiphon.tools.own import ToolsError, check_apart, own_tools
from antiphon.tools.search import local
from antiphon.tools.search.lazily import Lazily
from antiphon.tools.search.port import SearchProvider, SearchQuery
from antiphon.tools.tool_search import ToolSearch
from antiphon.tools.web_fetch import FileReader, WebFetch
from antiphon.tools.web_search import WebSearch

CLOSING = 5.0
"""Seconds that a tool gets to stop what it started."""

_TRIED = "weather"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the tools need of the server. `ca_file`: authorities of the owner's own hosts. `sandboxes`: where code
    runs, if it may."""

    fetcher: Fetcher
    reader: FileReader
    clock: Clock
    ca_file: str | None = None
    sandboxes: Sandboxes | None = None


@dataclass(frozen=True, slots=True)
class ToolCheck:
    """What a check found about one tool. `remedy`: what to do where it does not work. `by_default`: nobody has asked
    for it, so that a server is sound without it."""

    name: str
    works: bool
    detail: str
    remedy: str = ""
    by_default: bool = False


def tools_for(
    settings: ToolSettings, around: Surroundings, by_default: Collection[str] = ()
) -> tuple[ServerTool, ...]:
    """The tools that the settings offer; none where nothing is configured. Asks nobody. Raises `ToolsError`.

    `by_default`: those of them that nobody has configured; an owner's own tool of the same name takes their place.
    """
    tools: list[ServerTool] = []
    if (search := settings.web_search) is not None:
        tools.append(
            WebSearch(
                provider_for(search, around.ca_file),
                results=search.results,
                characters=search.characters,
                language=search.language,
            )
        )
    if settings.web_fetch is not None:
        tools.append(WebFetch(settings.web_fetch, around.fetcher, around.reader, around.clock))
    own = own_tools(settings.own)
    taken = {tool.name for tool in own}.intersection(by_default)
    tools = [*(tool for tool in tools if tool.name not in taken), *own]
    check_apart(tools)
    return tuple(tools)


def described(tools: Iterable[ServerTool], by_default: Collection[str]) -> list[str]:
    """Each tool by its name, with who searches, and whether nobody has configured it; none that every server has."""
    said: list[str] = []
    for tool in tools:
        if isinstance(tool, ToolSearch):
            continue
        about = [tool.provider] if isinstance(tool, WebSearch) else []
        if tool.name in by_default and isinstance(tool, WebSearch | WebFetch):
            about.append("by default")
        said.append(f"{tool.name} ({', '.join(about)})" if about else tool.name)
    return said


async def close_tools(tools: Iterable[ServerTool], within: float = CLOSING) -> None:
    """Close each of the tools; one that does not end, or fails, holds up neither the others nor the server's end."""

    async def close(tool: ServerTool) -> None:
        try:
            async with asyncio.timeout(within):
                await tool.aclose()
        except Exception as problem:  # the owner's own code may raise anything
            log.error("%s cannot be closed: %s: %s", tool.name, type(problem).__name__, problem)

    await asyncio.gather(*map(close, tools))


def provider_for(settings: WebSearchSettings, ca_file: str | None = None) -> SearchProvider:
    """The provider that the settings name, with what it needs; `config` has seen to it that all is there."""
    # Those that ask others take an HTTP library of 8 MiB, which a server without them does not hold.
    match settings.provider:
        case "searxng":
            from antiphon.tools.search.searxng import SearXNG

            return SearXNG(settings.url or "", settings.timeout, ca_file)
        case "brave":
            from antiphon.tools.search import brave

            return brave.Brave(settings.key or "", settings.timeout, settings.url or brave.URL)
        case "tavily":
            from antiphon.tools.search import tavily

            return tavily.Tavily(settings.key or "", settings.timeout, settings.url or tavily.URL)
        case "local":
            path = Path(settings.path or "").expanduser()
            return local.LocalIndex(path, settings.characters, settings.url or local.BASE)
        case "wikipedia":
            return Lazily("wikipedia", 300, "antiphon.tools.search.wikipedia", partial(_wikipedia, settings, ca_file))


def _wikipedia(settings: WebSearchSettings, ca_file: str | None) -> SearchProvider:
    from antiphon.tools.search import wikipedia

    url = settings.url or wikipedia.URL
    return wikipedia.Wikipedia(settings.timeout, url, contact=settings.contact, ca_file=ca_file)


async def check_tools(
    settings: ToolSettings, reader: FileReader, ca_file: str | None = None, by_default: Collection[str] = ()
) -> list[ToolCheck]:
    """Try each tool: one real search, one page that is read. `by_default`: those that nobody has configured."""
    own = [await _try_own(name, table) for name, table in settings.own.items()]
    taken = {tool for _, tool in own}.intersection(by_default)
    checks: list[ToolCheck] = []
    if settings.web_search is not None and "web_search" not in taken:
        check = await _try_search(settings.web_search, ca_file)
        checks.append(_by_default(check) if "web_search" in by_default else check)
    if settings.web_fetch is not None and "web_fetch" not in taken:
        checks.append(await _try_reader(reader))
    return [*checks, *(check for check, _ in own)]


async def _try_own(name: str, table: Mapping[str, Any]) -> tuple[ToolCheck, str]:
    """What comes of making an owner's own tool, and the name of the tool."""
    try:
        [tool] = own_tools({name: table})
    except ToolsError as problem:
        return ToolCheck(name, False, str(problem), "The server does not start with it."), ""
    try:
        await tool.aclose()
    except Exception as problem:  # the owner's own code may raise anything
        told = f"it cannot be closed: {type(problem).__name__}: {problem}"
        return ToolCheck(name, False, told, f"Correct the package behind [server_tools.{name}]."), tool.name
    return ToolCheck(name, True, f"answers for types like {tool.types[0]}"), tool.name


async def _try_search(settings: WebSearchSettings, ca_file: str | None) -> ToolCheck:
    provider = provider_for(settings, ca_file)
    where = settings.path if settings.provider == "local" else settings.url
    try:
        if isinstance(provider, local.LocalIndex):
            return ToolCheck("web_search", True, f"local: pages in {where}: {await provider.size()}")
        found = await provider.search(SearchQuery(_TRIED, 1))
    except ToolProblem as problem:
        remedy = f"Correct [server_tools.web_search] ({settings.provider}{f' at {where}' if where else ''})."
        return ToolCheck("web_search", False, problem.reason or problem.code, remedy)
    finally:
        await provider.aclose()
    if not found:
        return ToolCheck("web_search", False, f"{provider.name} answers and finds nothing", "Look at its engines.")
    return ToolCheck("web_search", True, f"{provider.name} answers")


def _by_default(check: ToolCheck) -> ToolCheck:
    detail = f"by default, without an account: {check.detail}"
    remedy = check.remedy and (
        "Searches will fail. [server_tools.web_search] names another provider; [server_tools] defaults = false "
        "switches it off."
    )
    return replace(check, detail=detail, remedy=remedy, by_default=True)


async def _try_reader(reader: FileReader) -> ToolCheck:
    try:
        article = await reader.article(b"<title>A page</title><p>It is read.", "https://example.com/", 1000)
    except (MediaProblem, MediaUnavailable) as problem:
        remedy = "Pages are read by processes of their own: see [media] workers and memory."
        return ToolCheck("web_fetch", False, f"no page can be read: {problem}", remedy)
    return ToolCheck("web_fetch", bool(article.text), "pages are read; whether a host answers shows when it is asked")

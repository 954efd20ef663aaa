"""Every provider, ready to be asked: on loopback, or over files."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from antiphon.tools.search.brave import Brave
from antiphon.tools.search.local import LocalIndex
from antiphon.tools.search.pace import Pace
from antiphon.tools.search.port import SearchProvider
from antiphon.tools.search.searxng import SearXNG
from antiphon.tools.search.tavily import Tavily
from antiphon.tools.search.wikipedia import Wikipedia
from tests.tools.stand_ins import KEY, PAGES, BraveStandIn, Provider, SearXNGStandIn, TavilyStandIn
from tests.tools.wiki import WikiStandIn

TIMEOUT = 20.0


def restless() -> Pace:
    """A pace by a clock on which every wait and every rest is over: it has ticked a day at each look."""
    return Pace(0.0, now=count(0.0, 86_400.0).__next__)


REMOTE: dict[str, tuple[type[Provider], Callable[[str, float], SearchProvider]]] = {
    "searxng": (SearXNGStandIn, SearXNG),
    "brave": (BraveStandIn, lambda url, timeout: Brave(KEY, timeout, url)),
    "tavily": (TavilyStandIn, lambda url, timeout: Tavily(KEY, timeout, url)),
    "wikipedia": (WikiStandIn, lambda url, timeout: Wikipedia(timeout, url, pace=restless())),
}


@dataclass
class Standing:
    """A provider, and the host that it asks; None for the local index."""

    provider: SearchProvider
    host: Provider | None = None


@asynccontextmanager
async def remote(name: str, timeout: float = TIMEOUT) -> AsyncGenerator[tuple[SearchProvider, Provider]]:  # noqa: ASYNC109 - in seconds
    """A provider that asks a host, and the host."""
    stand_in, make = REMOTE[name]
    async with stand_in() as host:
        provider = make(host.url, timeout)
        try:
            yield provider, host
        finally:
            await provider.aclose()


@asynccontextmanager
async def standing(name: str) -> AsyncGenerator[Standing]:
    """The provider of this name, over the made-up web."""
    if name != "local":
        async with remote(name) as (provider, host):
            yield Standing(provider, host)
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "web.jsonl"
        path.write_bytes(
            b"\n".join(
                orjson.dumps({"url": page.url, "title": page.title, "text": page.text, "page_age": page.published})
                for page in PAGES
            )
        )
        provider = LocalIndex(path, 1000)
        yield Standing(provider)
        await provider.aclose()


EVERY = (*REMOTE, "local")

"""The settings of the tools that run inside the server, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SearchProvider = Literal["searxng", "brave", "tavily", "local"]


@dataclass(frozen=True, slots=True)
class WebSearchSettings:
    """How the web is searched. `key`: the provider's, wherever it was written. `path`: of the local index. `results`:
    pages a search finds at most, each with so many `characters` for the model. `timeout`: seconds."""

    provider: SearchProvider = "searxng"
    url: str | None = None
    key: str | None = field(default=None, repr=False)
    path: str | None = None
    language: str | None = None
    results: int = 5
    characters: int = 1000
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class WebFetchSettings:
    """How pages are fetched. `max_bytes`: of a page or PDF. `max_content_tokens`: of a page's text where the request
    does not say; 0 = no limit. `max_pages`: of a PDF. `timeout`: seconds for everything. `parallel`: pages at once.
    `cache`: bytes of fetched pages that are kept for `cache_seconds`."""

    max_bytes: int = 10 * 1024 * 1024
    max_content_tokens: int = 4096
    max_pages: int = 100
    timeout: float = 25.0
    parallel: int = 8
    cache: int = 32 * 1024 * 1024
    cache_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """Which tools run inside the server; None, and no table: it is not offered. `own`: name → the table of a tool
    that an entry point brings."""

    web_search: WebSearchSettings | None = None
    web_fetch: WebFetchSettings | None = None
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]], repr=False)

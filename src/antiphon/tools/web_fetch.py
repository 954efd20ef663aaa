"""The tool `web_fetch`. Source: Web fetch tool."""

import asyncio
import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from antiphon.config import WebFetchSettings
from antiphon.dialogue.tools import Tool
from antiphon.ports.fetch import (
    Fetched,
    Fetcher,
    FetchFault,
    NotAllowed,
    NotHttps,
    RobotsDisallow,
    Throttled,
    TooLarge,
)
from antiphon.ports.media import ArticleReader, MediaProblem, MediaReader, MediaUnavailable, PdfLimit
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.ports.system import Clock
from antiphon.tools.contents import content_of, text_of
from antiphon.tools.domains import DomainRules
from antiphon.tools.page_cache import Page, PageCache
from antiphon.tools.plain import harmless, plain
from antiphon.tools.urls import sameness, web_url

LONGEST_URL: Final = 250
_LONGEST_TITLE: Final = 300
_ACCEPT: Final = ("text/html", "application/xhtml+xml", "application/pdf", "text/plain", "*/*;q=0.5")
_FAULTS: Final[tuple[tuple[type[FetchFault], str], ...]] = (
    (NotHttps, "url_not_allowed"),
    (NotAllowed, "url_not_allowed"),
    (RobotsDisallow, "url_not_allowed"),
    (TooLarge, "content_too_large"),
    (Throttled, "too_many_requests"),
)
_FAULT: Final = "url_not_accessible"
_DESCRIPTION: Final = (
    "Fetch a web page or a PDF and read it. The URL must be complete, and one that stands in this conversation: in "
    "a message of the user, or in the result of a search or of an earlier fetch. You cannot make up URLs."
)
_SCHEMA: Final = {
    "type": "object",
    "properties": {
        "url": {
            "type": "string",
            "description": "The URL of the page, with https:// in front.",
            "maxLength": LONGEST_URL,
        }
    },
    "required": ["url"],
    "additionalProperties": False,
}


class FileReader(MediaReader, ArticleReader, Protocol):
    """Reads PDFs and web pages."""


def rough_tokens(text: str) -> float:
    """About as many tokens as a text has: a quarter of its bytes. No tokenizer is asked, since the API's limit is an
    approximate one, and a page can be long."""
    return len(text.encode("utf-8", errors="replace")) / 4


class WebFetch:
    """Fetches pages that the conversation has seen. `tokens`: how many tokens a text has, roughly."""

    name = "web_fetch"
    types: tuple[str, ...] = ("web_fetch_",)
    result_type = "web_fetch_tool_result"
    error_type = "web_fetch_tool_result_error"

    def __init__(
        self,
        settings: WebFetchSettings,
        fetcher: Fetcher,
        reader: FileReader,
        clock: Clock,
        tokens: Callable[[str], float] = rough_tokens,
    ) -> None:
        self._settings = settings
        self._fetcher = fetcher
        self._reader = reader
        self._clock = clock
        self._tokens = tokens
        self._cache = PageCache(settings.cache, settings.cache_seconds, clock.now)
        self._places = asyncio.Semaphore(settings.parallel)

    def told(self, settings: Mapping[str, Any]) -> Tool:
        """See `ServerTool`: the model learns that not every page may be fetched."""
        said = [_DESCRIPTION]
        if allowed := settings.get("allowed_domains"):
            said.append(f"Only pages of these domains can be fetched: {', '.join(map(str, allowed))}.")
        return Tool(self.name, " ".join(said), _SCHEMA)

    async def run(self, call: ServerCall) -> ServerResult:
        """The page, as a `web_fetch_result` object; raises `ToolProblem`."""
        url, key = _asked(call)
        rules = DomainRules.of(call.settings)
        if not rules.allow(url):
            raise ToolProblem("url_not_allowed", "the request's domain rules do not allow this URL")
        page = None if call.settings.get("use_cache") is False else self._cache.get(key)
        if page is None:
            page = await self._load(url)
            self._cache.put(key, page)
        if not rules.allow(page.url):
            raise ToolProblem("url_not_allowed", "the URL redirects to where the request's domain rules do not allow")
        return ServerResult(self._shown(url, page, call.settings), {"web_fetch_requests": 1})

    async def aclose(self) -> None:
        """Nothing to let go of: the fetcher and the reader are others' too."""

    async def _load(self, url: str) -> Page:
        """The page, in the time there is; what waits for its turn all that time is one request too many."""
        begun = False
        try:
            async with asyncio.timeout(self._settings.timeout), self._places:
                begun = True
                return await self._read(await self._fetch(url))
        except TimeoutError:
            code = "url_not_accessible" if begun else "too_many_requests"
            raise ToolProblem(code, f"nothing whole within {self._settings.timeout:g} s") from None
        except MediaUnavailable as problem:
            raise ToolProblem("too_many_requests" if problem.busy else "unavailable", str(problem)) from problem

    async def _fetch(self, url: str) -> Fetched:
        most = self._settings.max_bytes
        try:
            try:
                return await self._fetcher.fetch(url, max_bytes=most, accept=_ACCEPT)
            except NotHttps:
                # Most of what is still linked as http answers to https, and the guard takes nothing else.
                if not url.lower().startswith("http:"):
                    raise
                return await self._fetcher.fetch(f"https{url[4:]}", max_bytes=most, accept=_ACCEPT)
        except FetchFault as fault:
            code = next((code for kind, code in _FAULTS if isinstance(fault, kind)), _FAULT)
            raise ToolProblem(code, fault.reason) from fault

    async def _read(self, file: Fetched) -> Page:
        content = content_of(file)
        try:
            match content:
                case "pdf":
                    # Read, although it is shown as it is: one that cannot be read would spoil the conversation for
                    # good, since the client sends it back with every request.
                    read = await self._reader.pdf(file.data, PdfLimit(self._settings.max_pages, pictures=False))
                    return self._page(file, base64.b64encode(file.data).decode("ascii"), read.title or "", pdf=True)
                case "html":
                    html = await asyncio.to_thread(lambda: text_of(file).encode("utf-8", errors="replace"))
                    article = await self._reader.article(html, file.url, self._settings.max_bytes)
                    return self._page(file, article.text, article.title)
                case "text":
                    return self._page(file, await asyncio.to_thread(lambda: harmless(text_of(file))), "")
                case None:
                    declared = plain(file.media_type, 60) or "nothing"
                    raise ToolProblem("unsupported_content_type", f"the file calls itself {declared}")
        except MediaProblem as problem:
            code = "content_too_large" if problem.kind == "too_many_pages" else "unsupported_content_type"
            raise ToolProblem(code, str(problem)) from problem

    def _page(self, file: Fetched, data: str, title: str, *, pdf: bool = False) -> Page:
        if not data.strip():
            raise ToolProblem("unsupported_content_type", "the page has no text; it may be made by scripts alone")
        return Page(file.url, pdf, data, plain(title, _LONGEST_TITLE) or None, self._clock.now())

    def _shown(self, url: str, page: Page, settings: Mapping[str, Any]) -> dict[str, Any]:
        most = settings.get("max_content_tokens") or self._settings.max_content_tokens
        # The limit is of text: a PDF is not cut, since half of one is none.
        data = page.data if page.pdf or not most else self._cut(page.data, most)
        cites: Any = settings.get("citations")
        cited = isinstance(cites, Mapping) and cites.get("enabled") is True  # pyright: ignore[reportUnknownMemberType] - JSON
        return {
            "type": "web_fetch_result",
            "url": url,
            "content": {
                "type": "document",
                "source": {
                    "type": "base64" if page.pdf else "text",
                    "media_type": "application/pdf" if page.pdf else "text/plain",
                    "data": data,
                },
                "title": page.title,
                "citations": {"enabled": True} if cited else None,
            },
            "retrieved_at": datetime.fromtimestamp(page.retrieved_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def _cut(self, text: str, most: int) -> str:
        while len(text) > 1 and (tokens := self._tokens(text)) > most:
            text = text[: max(1, min(len(text) - 1, int(len(text) * most / tokens)))]
        return text


def _asked(call: ServerCall) -> tuple[str, str]:
    """The URL that the call asks for, and what names it in the cache; raises `ToolProblem`."""
    url = call.input.get("url")
    if not isinstance(url, str) or not (url := url.strip()):
        raise ToolProblem("invalid_tool_input", "the URL is no text")
    if len(url) > LONGEST_URL:
        raise ToolProblem("url_too_long", f"the URL has {len(url)} characters")
    place = sameness(url)
    if place is None:
        raise ToolProblem("invalid_tool_input", "this is no URL of the web")
    if url not in call.seen_urls and place not in {sameness(seen) for seen in call.seen_urls}:
        raise ToolProblem("url_not_in_prior_context", "the conversation has not seen this URL")
    parts = web_url(url)
    return url, f"{'' if parts is None else parts.scheme}://{place}"

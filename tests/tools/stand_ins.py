"""SearXNG, Brave and Tavily on loopback, as their clients see them: their addresses, parameters, keys and JSON.

Each looks for the words of a query in a small made-up web, and can be told to misbehave.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit
from weakref import WeakSet

import orjson

KEY = "a-key-that-nobody-may-see"

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class WebPage:
    """A page of the made-up web."""

    url: str
    title: str
    text: str
    published: str | None = None


PAGES = (
    WebPage(
        "https://cats.example/sleep", "Why cats sleep", "Cats sleep for sixteen hours a day.", "2025-04-30T00:00:00"
    ),
    WebPage("https://www.cats.example/blog/food", "What cats eat", "Cats & kittens eat mice.", None),
    WebPage("https://dogs.example/cats", "Dogs about cats", "Dogs wonder what cats are.", "2024-02-29T12:00:00Z"),
    WebPage("https://birds.example/", "Birds", "Birds sing in the morning.", None),
)


@dataclass(frozen=True)
class Asked:
    """A request as it came: `body` is decoded JSON, None where there is none."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None


@dataclass
class Provider:
    """A host that answers as a provider does. `misbehave`: what it does instead, once the request is read."""

    asked: list[Asked] = field(default_factory=list[Asked])
    misbehave: Behaviour | None = None
    port: int = 0
    pages: tuple[WebPage, ...] = PAGES
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _writers: WeakSet[asyncio.StreamWriter] = field(default_factory=WeakSet[asyncio.StreamWriter])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in tuple(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def open(self) -> int:
        """Requests that are being answered now."""
        return len(self._tasks)

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Status and JSON."""
        raise NotImplementedError

    def sent(self, asked: Asked, status: int, body: bytes) -> bytes:
        """The answer as it travels."""
        return whole(body, status)

    def found(self, query: str) -> list[WebPage]:
        """The pages that hold every word of the query; operators are followed as search engines do."""
        allowed = re.findall(r"(?<!-)site:([^\s()]+)", query)
        blocked = re.findall(r"-site:(\S+)", query)
        words = re.sub(r"-?site:[^\s()]+|\(|\)|\bOR\b", " ", query).lower().split()
        return [
            page
            for page in self.pages
            if all(word in f"{page.title} {page.text}".lower() for word in words)
            and not any(_below(page.url, domain) for domain in blocked)
            and (not allowed or any(_below(page.url, domain) for domain in allowed))
        ]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                asked = await _request(reader)
                self.asked.append(asked)
                if self.misbehave is not None:
                    await self.misbehave(writer)
                    return
                status, body = self.answer(asked)
                writer.write(self.sent(asked, status, orjson.dumps(body)))
                await writer.drain()
        finally:
            self._tasks.discard(task)
            writer.transport.abort() if task.cancelling() else writer.close()


class SearXNGStandIn(Provider):
    """`formats`: what its settings list. `silent`: engines that did not answer."""

    formats: tuple[str, ...] = ("html", "json")
    silent: tuple[tuple[str, str], ...] = ()

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.method != "GET" or asked.path != "/search" or not asked.params.get("q"):
            return 400, {"error": "no query"}
        if asked.params.get("format") not in self.formats:
            return 403, {"error": "forbidden"}
        rows = [
            {
                "url": page.url,
                "title": page.title,
                "content": page.text,
                "publishedDate": page.published,
                "engine": "duckduckgo",
                "template": "default.html",
                "parsed_url": list(urlsplit(page.url)),
                "engines": ["duckduckgo", "brave"],
                "positions": [place],
                "score": 1.0 / place,
                "category": "general",
                "thumbnail": None,
            }
            for place, page in enumerate(self.found(asked.params["q"]), 1)
        ]
        return 200, {
            "query": asked.params["q"],
            "number_of_results": 0,
            "results": [] if self.silent else rows,
            "answers": [],
            "corrections": [],
            "infoboxes": [],
            "suggestions": [],
            "unresponsive_engines": [list(engine) for engine in self.silent],
        }


class BraveStandIn(Provider):
    """Takes `KEY` alone, and queries that are no longer than Brave's may be."""

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.method != "GET" or asked.path != "/res/v1/web/search":
            return 404, {"type": "ErrorResponse"}
        if asked.headers.get("x-subscription-token") != KEY:
            return 422, _brave_error(422, "SUBSCRIPTION_TOKEN_INVALID")
        if not 0 < len(asked.params.get("q", "")) <= 400 or not 1 <= int(asked.params.get("count", "20")) <= 20:
            return 422, _brave_error(422, "VALIDATION")
        rows = [
            {
                "type": "search_result",
                "title": page.title,
                "url": page.url,
                "description": page.text.replace("&", "&amp;").replace("Cats", "<strong>Cats</strong>"),
                "is_source_local": False,
                "is_source_both": False,
                "language": "en",
                "family_friendly": True,
                "meta_url": {"scheme": "https", "hostname": urlsplit(page.url).hostname},
                **({} if page.published is None else {"page_age": page.published, "age": "April 30, 2025"}),
            }
            for page in self.found(asked.params["q"])
        ]
        web = {"web": {"type": "search", "results": rows, "family_friendly": True}} if rows else {}
        return 200, {
            "type": "search",
            "query": {"original": asked.params["q"], "more_results_available": False},
            **web,
        }


class TavilyStandIn(Provider):
    """Takes `KEY` alone; `plan_left`: False where the plan is used up."""

    plan_left: bool = True

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.method != "POST" or asked.path != "/search":
            return 404, {"detail": "Not Found"}
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return 401, {"detail": {"error": "Unauthorized: missing or invalid API key."}}
        if not self.plan_left:
            return 432, {"detail": {"error": "This request exceeds your plan's set usage limit."}}
        body = asked.body
        if len(body["query"]) > 400:
            return 400, {"detail": {"error": "Query is too long. Max query length is 400 characters."}}
        found = self.found(body["query"])
        if allowed := body.get("include_domains"):
            found = [page for page in found if any(_below(page.url, domain) for domain in allowed)]
        found = [
            page for page in found if not any(_below(page.url, name) for name in body.get("exclude_domains", []))
        ]
        rows = [
            {
                "url": page.url,
                "title": page.title,
                "content": page.text,
                "score": 0.9,
                "raw_content": None,
                **({} if page.published is None else {"published_date": page.published}),
            }
            for page in found
        ]
        return 200, {
            "query": body["query"],
            "follow_up_questions": None,
            "answer": None,
            "images": [],
            "results": rows[: body.get("max_results", 5)],
            "response_time": 0.4,
            "request_id": "123e4567-e89b-12d3-a456-426614174111",
        }


def whole(body: bytes, status: int = 200, media_type: str = "application/json", fields: str = "") -> bytes:
    """An answer with its head."""
    head = f"HTTP/1.1 {status} Some\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n{fields}\r\n"
    return head.encode() + body


def _brave_error(status: int, code: str) -> dict[str, Any]:
    return {
        "type": "ErrorResponse",
        "error": {"status": status, "code": code, "detail": "No.", "meta": {}},
        "time": 1,
    }


def _below(url: str, domain: str) -> bool:
    host, _, path = domain.partition("/")
    parts = urlsplit(url)
    there = parts.hostname == host or (parts.hostname or "").endswith(f".{host}")
    return there and parts.path.startswith(f"/{path}")


async def _request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    fields = dict(line.split(": ", 1) for line in head[1:] if line)
    headers = {name.lower(): value for name, value in fields.items()}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    params = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return Asked(method, parts.path, params, headers, orjson.loads(body) if body else None)

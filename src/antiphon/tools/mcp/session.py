"""One session with one server, in a task of its own: the package's client has to be left where it was entered.

Streamable HTTP first; where a host does not speak that, server-sent events, as servers of the protocol's first years
do. Source: Model Context Protocol, Transports, Backwards compatibility.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import httpx2
from mcp import MCPError
from mcp.client.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CONNECTION_CLOSED, CallToolResult, Implementation

from antiphon import __version__
from antiphon.ports.fetch import FetchFault, NotHttps, TooLarge
from antiphon.ports.mcp import McpFault, McpHost, McpListed, McpOutcome
from antiphon.tools.mcp.contents import blocks_of
from antiphon.tools.mcp.sifting import Sifter
from antiphon.words import shown

_ENDING: Final = 2.0
"""Seconds that a session gets to say goodbye."""

_DENIED: Final = frozenset({401, 403})

_GONE: Final = 404
"""How a server says that it has forgotten a session."""

_SAID: Final = 2000
"""Characters of what a server says of an error."""

_LOST: Final = "Connection error while communicating with MCP server. The server may be unavailable or unresponsive."

log = logging.getLogger(__name__)


class Way(Protocol):
    """The way to a host. `fault`: why it could not be gone, or what was wrong with an answer; `status`: that of the
    last answer which was no success."""

    fault: FetchFault | None
    status: int | None

    def check(self, url: str) -> None:
        """Raises `FetchFault` for a URL that cannot be gone to, whatever host it names."""
        ...

    def forget(self) -> None:
        """Nothing has been wrong so far."""
        ...

    def client(self, headers: Mapping[str, str], silence: float) -> httpx2.AsyncClient:
        """A client that goes this way and no other."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is taken of a server. `connect`: seconds until a session stands, and again until all tools are listed;
    `silence`: seconds that it may say nothing; `tools`: that it may have; `bytes`: of one of its answers."""

    connect: float
    silence: float
    tools: int
    bytes: int


Ways = Callable[[int], Way]
"""A new way to a host, whose answers have at most so many bytes."""


class Session:
    """To be started once, and stopped. Raises `McpFault`."""

    def __init__(self, host: McpHost, ways: Ways, bounds: Bounds) -> None:
        self._host = host
        self._ways = ways
        self._bounds = bounds
        self._way = ways(bounds.bytes)
        self._sifter = Sifter(host.name)
        self._client: Client | None = None
        self._stands = asyncio.Event()
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it has begun and not ended."""
        return self._task is not None and not self._task.done() and not self._over.is_set()

    async def start(self) -> None:
        """Begin; returns when the session stands."""
        try:
            self._way.check(self._host.url)
        except FetchFault as fault:
            self._way.fault = fault
            raise self._fault("") from fault
        self._task = asyncio.create_task(self._run())
        waits = asyncio.create_task(self._stands.wait())
        try:
            await asyncio.wait((self._task, waits), timeout=self._bounds.connect, return_when="FIRST_COMPLETED")
        finally:
            waits.cancel()
            if self._client is None:
                await self.stop()
        if self._client is None:
            raise self._fault("no session")

    async def stop(self) -> None:
        """End the session; bounded."""
        self._over.set()
        if self._task is None or self._task.done():
            return
        if self._client is None:
            self._task.cancel()
        _, stubborn = await asyncio.wait((self._task,), timeout=_ENDING)
        for task in stubborn:
            task.cancel()

    async def tools(self) -> list[McpListed]:
        """All tools of the server."""
        assert self._client is not None
        found: list[McpListed] = []
        cursor: str | None = None
        try:
            async with asyncio.timeout(self._bounds.connect):
                while True:
                    page = await self._client.list_tools(cursor=cursor)
                    schemas = self._sifter.schemas
                    found += [
                        McpListed(tool.name, tool.description or "", schemas.get(tool.name, tool.input_schema))
                        for tool in page.tools
                    ]
                    if len(found) > self._bounds.tools:
                        said = f"MCP server '{shown(self._host.name)}' has more than {self._bounds.tools} tools."
                        raise McpFault(said)
                    cursor = page.next_cursor
                    if not cursor:
                        return found
        except McpFault:
            raise
        except Exception as problem:  # the package lets many kinds out
            raise self._fault(_told(problem)) from problem

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> McpOutcome:
        """Call a tool."""
        assert self._client is not None
        self._way.forget()
        try:
            result = await self._client.call_tool(tool, dict(arguments), read_timeout_seconds=self._bounds.silence)
        except MCPError as problem:
            if problem.error.code == CONNECTION_CLOSED or self._way.status == _GONE:
                self._over.set()
            if isinstance(self._way.fault, TooLarge):
                raise McpFault("The tool's result is too large.", self._way.fault.reason) from problem
            if self._way.fault is not None or not self.is_alive:
                raise self._fault(_told(problem)) from problem
            # What the server says of its own error helps the model to do better.
            said = problem.error.message[:_SAID] or "The tool failed."
            return McpOutcome([{"type": "text", "text": said}], is_error=True)
        except Exception as problem:  # the package lets many kinds out
            raise self._fault(_told(problem)) from problem
        return McpOutcome(blocks_of(result.content, result.structured_content), result.is_error is True)

    async def _run(self) -> None:
        try:
            async with self._connected() as client:
                # Of structured results nothing is used but their text; judging them is the server's own affair, and
                # a schema may keep a judge busy for ever.
                client.session.validate_tool_result = _unjudged
                self._client = client
                self._stands.set()
                await self._over.wait()
        except Exception as problem:  # groups of what several tasks raised
            log.debug("MCP server %s: %s", self._host.name, _told(problem))

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Client]:
        async with AsyncExitStack() as stack:
            try:
                client = await stack.enter_async_context(self._streamable())
            except Exception as problem:
                status = self._way.status
                if self._way.fault is not None or (status is not None and (status in _DENIED or status >= 500)):
                    raise
                log.debug("MCP server %s: %s", self._host.name, _told(problem))
                self._way = self._ways(self._bounds.bytes)
                client = await stack.enter_async_context(self._events())
            yield client

    @asynccontextmanager
    async def _streamable(self) -> AsyncGenerator[Client]:
        async with self._way.client(self._headers, self._bounds.silence) as http:
            transport = streamable_http_client(
                self._host.url, http_client=http, max_sse_event_size=self._bounds.bytes
            )
            async with self._spoken(transport) as client:
                yield client

    @asynccontextmanager
    async def _events(self) -> AsyncGenerator[Client]:
        def http(
            headers: dict[str, str] | None = None,
            timeout: httpx2.Timeout | None = None,
            auth: httpx2.Auth | None = None,
        ) -> httpx2.AsyncClient:
            return self._way.client(headers or {}, self._bounds.silence)

        transport = sse_client(self._host.url, headers=dict(self._headers), httpx_client_factory=http)
        async with self._spoken(transport) as client:
            yield client

    def _spoken(self, transport: Any) -> Client:
        info = Implementation(name="antiphon", version=__version__)
        sifted = self._sifter.over(transport)
        return Client(sifted, client_info=info, cache=None, read_timeout_seconds=self._bounds.silence)

    @property
    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": f"Antiphon/{__version__}"}
        if self._host.token:
            headers["Authorization"] = f"Bearer {self._host.token}"
        return headers

    def _fault(self, reason: str) -> McpFault:
        name, fault, status = shown(self._host.name), self._way.fault, self._way.status
        if isinstance(fault, NotHttps):
            return McpFault(f"MCP server '{name}': {fault.message}", fault.reason)
        if fault is not None:
            return McpFault(_LOST, fault.reason)
        if status in _DENIED:
            told = f"Invalid authorization token for MCP server '{name}'. Please check your token and try again."
            return McpFault(told, f"status {status}")
        if status is not None and status >= 500:
            told = (
                "Connection error while communicating with MCP server: Server error: "
                f"MCP server error (HTTP {status})"
            )
            return McpFault(told)
        return McpFault(_LOST, reason if status is None else f"status {status}: {reason}")


async def _unjudged(name: str, result: CallToolResult) -> None:
    """Takes any result."""


def _told(problem: BaseException) -> str:
    """What happened, in the words of the innermost problem."""
    inner: BaseException = problem
    while isinstance(inner, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", inner).exceptions[0]
    return f"{type(inner).__name__}: {str(inner)[:200]}"

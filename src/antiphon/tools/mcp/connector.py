"""The way to MCP servers: listings that are kept for a while, sessions that last as long as a reply.

The protocol's package is loaded with the first request that names a server.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from antiphon.config import McpSettings
from antiphon.memory import Kept
from antiphon.ports.mcp import McpFault, McpHost, McpListed, McpOutcome

if TYPE_CHECKING:
    from antiphon.tools.mcp.session import Bounds, Session, Ways

_OVER: Final = "The reply has ended."

_OVERHEAD: Final = 200
"""Bytes of a listed tool beside its texts, roughly."""


_Key = tuple[str, bytes]
"""A server's URL, and a digest of the token that it was asked with."""


@dataclass(frozen=True, slots=True)
class _Listing:
    tools: Sequence[McpListed]
    since: float
    size: int


class Connector:
    """An `McpConnector`. `ways`: makes ways to hosts, and is asked at the first."""

    def __init__(
        self, settings: McpSettings, ways: "Callable[[], Ways]", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._make = ways
        self._ways: Ways | None = None
        self._clock = clock
        self._kept: Kept[_Key, _Listing] = Kept(settings.cache, lambda _, listing: listing.size)

    async def tools(self, host: McpHost) -> Sequence[McpListed]:
        """See `McpConnector`; what a server lists is kept for `cache_seconds`, for its token alone."""
        key = (host.url, sha256((host.token or "").encode()).digest())
        kept = self._kept.get(key)
        if kept is not None and self._clock() - kept.since < self._settings.cache_seconds:
            return kept.tools
        session = self.session(host)
        try:
            await session.start()
            found = await session.tools()
        finally:
            await session.stop()
        if self._settings.cache_seconds:
            size = sum(len(tool.name) + len(tool.description) + len(str(tool.schema)) + _OVERHEAD for tool in found)
            self._kept.put(key, _Listing(found, self._clock(), size))
        return found

    def sessions(self) -> "Sessions":
        """See `McpConnector`."""
        return Sessions(self)

    def session(self, host: McpHost) -> "Session":
        """A new session, not started."""
        from antiphon.tools.mcp.session import Session

        if self._ways is None:
            self._ways = self._make()
        return Session(host, self._ways, self._bounds)

    @property
    def _bounds(self) -> "Bounds":
        from antiphon.tools.mcp.session import Bounds

        given = self._settings
        return Bounds(given.connect_timeout, given.timeout, given.max_tools, given.max_bytes)


class Sessions:
    """The sessions of one reply."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._open: dict[str, Session] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._closed = False

    async def call(self, host: McpHost, tool: str, arguments: Mapping[str, Any]) -> McpOutcome:
        """See `McpSessions`; a session that has died is begun anew with the next call."""
        async with self._locks.setdefault(host.name, asyncio.Lock()):
            session = self._open.get(host.name)
            if session is None or not session.is_alive:
                if self._closed:
                    raise McpFault(_OVER)
                session = self._connector.session(host)
                await session.start()
                self._open[host.name] = session
        return await session.call(tool, arguments)

    async def aclose(self) -> None:
        """See `McpSessions`."""
        self._closed = True
        open_, self._open = self._open, {}
        await asyncio.gather(*(session.stop() for session in open_.values()))

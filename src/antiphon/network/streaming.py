"""Conversations with other hosts, for libraries that bring a protocol of their own: a transport of theirs, guarded.

Each request, also one of a redirect, is judged like any file that is fetched: its URL read strictly, its name
resolved once, every address of the answer judged, and the connection made to these. No proxies, no packed bodies, and
no body that is longer than its owner takes.
"""

import re
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Final, cast

import httpx2

from antiphon.config import NetworkSettings
from antiphon.network.guard import Guard, Target
from antiphon.network.resolver import Resolver, SystemResolver
from antiphon.network.trust import Trust
from antiphon.ports.fetch import FetchFault, NotAllowed, TooLarge, Unreachable

_CONNECT: Final = 5.0

_MOST_REDIRECTS: Final = 5

_EVENT_END: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")

_PLAIN: Final = frozenset({"", "identity"})


class GuardedHosts:
    """Makes transports that share a resolver and what is trusted. Raises OSError if `ca_file` cannot be read."""

    def __init__(self, settings: NetworkSettings, resolver: Resolver | None = None) -> None:
        self._guard = Guard(settings.allow_hosts)
        self._resolver = SystemResolver() if resolver is None else resolver
        self._trust = Trust(settings.ca_file)

    def transport(self, max_bytes: int) -> "GuardedTransport":
        """A transport whose responses have at most so many bytes each."""
        return GuardedTransport(self, max_bytes)

    def check(self, url: str) -> Target:
        """The URL, as the guard reads it; raises `FetchFault`."""
        return self._guard.target(url)

    async def addresses(self, target: Target) -> tuple[str, ...]:
        """The addresses to connect to; raises `FetchFault`."""
        if target.is_address:
            return self._guard.check(target, [target.host])
        try:
            found = await self._resolver.addresses(target.host, target.port)
        except (OSError, ValueError) as problem:
            raise Unreachable(f"{target.origin}: the name cannot be resolved ({problem})") from problem
        return self._guard.check(target, found)

    async def context(self, target: Target) -> ssl.SSLContext:
        """What a connection to the target verifies its host with."""
        return await self._trust.context(owned=target.owned)

    async def aclose(self) -> None:
        """Begin nothing more."""
        self._resolver.close()


class GuardedTransport(httpx2.AsyncBaseTransport):
    """One client's way out. `fault`: why the last request was not made, or what was wrong with its answer; `status`:
    that of the last answer which was no success."""

    def __init__(self, hosts: GuardedHosts, max_bytes: int) -> None:
        self._hosts = hosts
        self._max_bytes = max_bytes
        self._made: dict[bool, httpx2.AsyncHTTPTransport] = {}
        self.fault: FetchFault | None = None
        self.status: int | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of the host; raises kinds of `httpx2.TransportError`."""
        try:
            target = self._hosts.check(str(request.url))
            addresses = await self._hosts.addresses(target)
            response = await self._answer(request, target, addresses)
        except FetchFault as fault:
            self.fault = fault
            raise httpx2.ConnectError(type(fault).__name__, request=request) from fault
        if response.status_code >= 400 or response.has_redirect_location:
            self.status = response.status_code
        return response

    def check(self, url: str) -> None:
        """Raises `FetchFault` for a URL that is not gone to, whatever its name resolves to."""
        self._hosts.check(url)

    def forget(self) -> None:
        """Nothing has been wrong so far."""
        self.fault = self.status = None

    def client(self, headers: Mapping[str, str], silence: float) -> httpx2.AsyncClient:
        """A client that goes this way and no other; a host may say nothing for so many seconds."""
        return httpx2.AsyncClient(
            transport=self,
            headers=dict(headers),
            timeout=httpx2.Timeout(silence, connect=_CONNECT),
            follow_redirects=False,
            max_redirects=_MOST_REDIRECTS,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close what is open."""
        for transport in self._made.values():
            await transport.aclose()

    async def _answer(self, request: httpx2.Request, target: Target, addresses: tuple[str, ...]) -> httpx2.Response:
        inner = await self._inner(target)
        last: Exception | None = None
        for address in addresses:
            try:
                response = await inner.handle_async_request(_to(request, target, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as problem:
                last = problem
                continue
            return await self._bounded(response)
        raise Unreachable(f"{target.origin}: {type(last).__name__} {str(last)[:200]!r}")

    async def _inner(self, target: Target) -> httpx2.AsyncHTTPTransport:
        if target.owned not in self._made:
            context = await self._hosts.context(target)
            self._made[target.owned] = httpx2.AsyncHTTPTransport(verify=context, trust_env=False)
        return self._made[target.owned]

    async def _bounded(self, response: httpx2.Response) -> httpx2.Response:
        packed = response.headers.get("Content-Encoding", "").strip().lower()
        stream = cast("httpx2.AsyncByteStream", response.stream)
        if packed not in _PLAIN:
            await stream.aclose()
            raise NotAllowed(f"the answer is packed in a way that was not asked for: {packed[:40]!r}")
        return httpx2.Response(
            status_code=response.status_code,
            headers=response.headers,
            stream=_Bounded(stream, self._max_bytes, self, events=_has_events(response)),
            extensions=response.extensions,
        )


class _Bounded(httpx2.AsyncByteStream):
    """A body that breaks off where it is too long; one of `events` where one of these is."""

    def __init__(self, stream: httpx2.AsyncByteStream, most: int, owner: GuardedTransport, *, events: bool) -> None:
        self._events = events
        self._stream = stream
        self._most = most
        self._owner = owner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        came, before = 0, b""
        async for chunk in self._stream:
            longest = came = came + len(chunk)
            if self._events:
                first, *more = _EVENT_END.split(before + chunk)
                if more:
                    longest = max(came - len(before) - len(chunk) + len(first), *map(len, more))
                    came = len(more[-1])
                before = chunk[-3:]
            if longest > self._most:
                self._owner.fault = TooLarge(f"an answer has more than {self._most} bytes")
                raise httpx2.ReadError("the answer is too long")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _has_events(response: httpx2.Response) -> bool:
    return response.headers.get("Content-Type", "").strip().lower().startswith("text/event-stream")


def _to(request: httpx2.Request, target: Target, address: str) -> httpx2.Request:
    """The request on its way to this address, still in its host's name."""
    headers = httpx2.Headers(request.headers.raw)
    headers["Accept-Encoding"] = "identity"
    extensions = {**request.extensions, "sni_hostname": target.host}
    if request.method == "GET":
        # A stream of events may be silent for as long as its session lasts, which its owner bounds.
        extensions["timeout"] = {**request.extensions.get("timeout", {}), "read": None}
    url = request.url.copy_with(host=address)
    return httpx2.Request(request.method, url, headers=headers, stream=request.stream, extensions=extensions)

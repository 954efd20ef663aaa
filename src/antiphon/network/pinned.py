"""One request to one host, over a connection that goes to checked addresses and nowhere else."""

import re
import socket
import ssl
import zlib
from collections.abc import Collection, Sequence
from typing import Final

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from antiphon import __version__
from antiphon.network.asking import OpenSocket, Patience, Redirect, SocketInfo, Wanted
from antiphon.network.body import read_body
from antiphon.network.guard import Target
from antiphon.network.trust import Trust
from antiphon.ports.fetch import Fetched, FetchFault, Throttled, Unreachable

USER_AGENT: Final = f"Antiphon/{__version__}"

_SUCCESS: Final = frozenset({200, 203})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_TOO_MANY: Final = 429
_CHARSET: Final = re.compile(r";\s*charset\s*=\s*\"?([\w.:-]{1,40})", re.ASCII | re.IGNORECASE)


class PinnedClient:
    """Asks one host once: no cookies, no credentials, no proxies, no redirects followed, no connection kept."""

    def __init__(self, patience: Patience, trust: Trust, open_socket: OpenSocket) -> None:
        self._patience = ClientTimeout(total=None, connect=patience.connect, sock_read=patience.silence)
        self._open_socket = open_socket
        self._trust = trust

    async def get(self, target: Target, addresses: Sequence[str], wanted: Wanted) -> Fetched | Redirect:
        """What the host at these addresses answers; raises kinds of `FetchFault`."""
        try:
            context = await self._trust.context(owned=target.owned)
            async with self._session(addresses, context) as session:
                headers = {
                    "User-Agent": USER_AGENT,
                    "Accept": ", ".join(wanted.accept),
                    "Accept-Encoding": "gzip",
                }
                url = URL(target.url, encoded=True)
                async with session.get(url, headers=headers, allow_redirects=False) as response:
                    return await _read(target, response, wanted)
        except FetchFault as problem:
            raise type(problem)(f"{target.origin}: {problem.reason}") from None
        except (ClientError, OSError, ValueError, zlib.error) as problem:
            raise Unreachable(f"{target.origin}: {type(problem).__name__} {str(problem)[:200]!r}") from problem

    def _session(self, addresses: Sequence[str], context: ssl.SSLContext) -> ClientSession:
        connector = TCPConnector(
            resolver=_Known(addresses),
            use_dns_cache=False,
            force_close=True,
            ssl=context,
            socket_factory=self._gate(frozenset(addresses)),
        )
        return ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            timeout=self._patience,
            auto_decompress=False,
            trust_env=False,
        )

    def _gate(self, addresses: Collection[str]) -> OpenSocket:
        """The last word: whatever the library makes of a host name, a socket opens to a checked address only."""

        def open_checked(info: SocketInfo) -> socket.socket:
            if info[4][0] not in addresses:
                raise PermissionError(f"{info[4][0]} was not checked")
            return self._open_socket(info)

        return open_checked


async def _read(target: Target, response: ClientResponse, wanted: Wanted) -> Fetched | Redirect:
    if response.status in _REDIRECTS and "Location" in response.headers:
        return Redirect(response.headers["Location"])
    if response.status not in _SUCCESS:
        kind = Throttled if response.status == _TOO_MANY else Unreachable
        raise kind(f"answers with status {response.status}")
    declared = response.headers.get("Content-Type", "")
    charset = _CHARSET.search(declared)
    return Fetched(
        url=target.url,
        media_type=declared.partition(";")[0].strip().lower(),
        charset="" if charset is None else charset[1].lower(),
        data=await read_body(response, wanted.max_bytes, cut=wanted.cut),
    )


class _Known(AbstractResolver):
    """Answers every question with the addresses that were checked."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """There is nothing to close."""

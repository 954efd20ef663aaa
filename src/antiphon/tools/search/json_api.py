"""One bounded request to an interface that speaks JSON, at an address that the owner named.

The guard of `network` is for URLs that strangers wrote. This address is the owner's word, and may well be loopback.
Redirects are not followed, proxies of the environment not used, and a key goes nowhere but to this address.
"""

import asyncio
import ssl
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    TCPConnector,
)

from antiphon import __version__
from antiphon.ports.server_tools import ToolProblem

MOST_BYTES: Final = 2 * 1024 * 1024
"""Of an answer: far more than 20 pages with their snippets take."""

_TOO_MANY: Final = frozenset({429})
_TOO_LARGE: Final = frozenset({413, 414, 431})
_GZIP: Final = 31
"""The window of `zlib` that says: a gzip stream."""


class NoAnswer(ToolProblem):
    """The host could not be reached, or was silent for too long: it will hardly answer the next request."""


class Refused(ToolProblem):
    """The host answered with another status than 200. `retry_after`: that field of its answer, as it came."""

    def __init__(self, code: str, reason: str, status: int, retry_after: str) -> None:
        super().__init__(code, reason)
        self.status = status
        self.retry_after = retry_after


class JsonApi:
    """`whose`: the provider's name, for reasons. `headers`: sent with every request, a key among them; no reason
    quotes it. `hints`: status → what the owner should do about it. `busy`: more statuses that mean too many requests.
    `ca_file`: authorities (PEM) to believe beside the system's. `packed`: answers may come as gzip, and are no larger
    for it. `connect`: seconds that a connection gets, where that is less than an answer gets."""

    def __init__(
        self,
        whose: str,
        base: str,
        timeout: float,
        *,
        headers: Mapping[str, str] | None = None,
        hints: Mapping[int, str] | None = None,
        busy: frozenset[int] = frozenset(),
        ca_file: str | None = None,
        packed: bool = False,
        connect: float | None = None,
    ) -> None:
        self._whose = whose
        self._base = base.rstrip("/")
        self._timeout = timeout
        self._headers = {
            "User-Agent": f"Antiphon/{__version__}",
            "Accept": "application/json",
            # Unpacked, an answer may be a thousand times as large as what came: there is little to gain by it.
            "Accept-Encoding": "gzip" if packed else "identity",
            **(headers or {}),
        }
        self._hints = hints or {}
        self._busy = _TOO_MANY | busy
        self._ca_file = ca_file
        self._packed = packed
        self._connect = connect
        self._session: ClientSession | None = None

    async def get(
        self,
        path: str,
        params: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        *,
        base: str | None = None,
        within: float | None = None,
    ) -> Any:
        """What a GET answers, decoded; raises `ToolProblem`. `base`: another host of the same provider; `within`:
        fewer seconds than usual."""
        return await self._ask("GET", path, base, within, params=params, headers=headers)

    async def post(self, path: str, body: Any) -> Any:
        """What a POST of JSON answers, decoded; raises `ToolProblem`."""
        return await self._ask("POST", path, data=orjson.dumps(body), headers={"Content-Type": "application/json"})

    async def aclose(self) -> None:
        """Close its connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(
        self, method: str, path: str, base: str | None = None, within: float | None = None, **given: Any
    ) -> Any:
        place = self._base if base is None else base
        seconds = self._timeout if within is None else within

        def unavailable(why: str, kind: Callable[[str, str], ToolProblem] = ToolProblem) -> ToolProblem:
            return kind("unavailable", f"{self._whose} at {place}: {why}")

        try:
            async with asyncio.timeout(seconds):
                session = await self._opened()
                async with session.request(method, f"{place}{path}", allow_redirects=False, **given) as response:
                    self._judge(response, place)
                    data = await self._body(response)
        # A connection that times out is a TimeoutError, too.
        except (ClientConnectorError, ConnectionTimeoutError) as problem:
            raise unavailable(f"cannot be reached ({type(problem).__name__})", NoAnswer) from None
        except TimeoutError:
            raise unavailable(f"no whole answer within {seconds:g} s", NoAnswer) from None
        except _UnreadableError as wrong:
            raise unavailable(str(wrong)) from None
        except (ClientError, OSError, ValueError, zlib.error) as problem:
            # Not the problem's own text: it may quote the request.
            raise unavailable(f"cannot be asked ({type(problem).__name__})") from None
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            raise unavailable("its answer is not JSON") from None

    async def _opened(self) -> ClientSession:
        if self._session is None:
            # It takes a tenth of a second to read the authorities, which nobody asks for over http.
            context = await asyncio.to_thread(self._trust) if self._base.startswith("https://") else True
            # Another call may have come first meanwhile.
            if self._session is None:
                self._session = ClientSession(
                    # Searches are rare: a connection that was kept has mostly been closed at the other end.
                    connector=TCPConnector(ssl=context, force_close=True),
                    headers=self._headers,
                    cookie_jar=DummyCookieJar(),
                    timeout=ClientTimeout(total=None, connect=self._connect),
                    auto_decompress=False,
                    trust_env=False,
                )
        return self._session

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._ca_file is not None:
            context.load_verify_locations(self._ca_file)
        return context

    def _judge(self, response: ClientResponse, place: str) -> None:
        status = response.status
        if status == 200:
            return
        code, whose = "unavailable", f"{self._whose} at {place}"
        if status in self._busy:
            code, whose = "too_many_requests", self._whose
        elif status in _TOO_LARGE:
            code, whose = "request_too_large", self._whose
        reason = f"{whose}: answers with status {status}{_then(self._hints.get(status, ''))}"
        raise Refused(code, reason, status, response.headers.get("Retry-After", ""))

    async def _body(self, response: ClientResponse) -> bytes:
        packing = response.headers.get("Content-Encoding", "identity").strip().lower()
        unpacking = zlib.decompressobj(_GZIP) if packing == "gzip" and self._packed else None
        if unpacking is None and packing not in ("", "identity"):
            raise _UnreadableError("its answer is packed in a way that was not asked for")
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk if unpacking is None else unpacking.decompress(chunk, MOST_BYTES + 1 - len(body))
            if len(body) > MOST_BYTES:
                raise _UnreadableError(f"its answer has more than {MOST_BYTES} bytes")
            # What comes behind the end would be kept.
            if unpacking is not None and unpacking.eof:
                break
        if unpacking is not None and not unpacking.eof:
            raise _UnreadableError("its answer breaks off")
        return bytes(body)


class _UnreadableError(Exception):
    """An answer came, and is none. The text says why."""


def _then(hint: str) -> str:
    return f": {hint}" if hint else ""


def rows(answer: Any, *path: str) -> list[Mapping[str, Any]]:
    """The objects in a list somewhere in an answer; of anything else, nothing."""
    for key in path:
        answer = answer.get(key) if isinstance(answer, Mapping) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - JSON
    if not isinstance(answer, list):
        return []
    return [row for row in answer if isinstance(row, Mapping)]  # pyright: ignore[reportUnknownVariableType] - JSON

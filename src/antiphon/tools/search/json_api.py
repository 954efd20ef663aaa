"""One bounded request to an interface that speaks JSON, at an address that the owner named.

The guard of `network` is for URLs that strangers wrote. This address is the owner's word, and may well be loopback.
Redirects are not followed, proxies of the environment not used, and a key goes nowhere but to this address.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any, Final

import orjson
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from antiphon import __version__
from antiphon.ports.server_tools import ToolProblem

MOST_BYTES: Final = 2 * 1024 * 1024
"""Of an answer: far more than 20 pages with their snippets take."""

_TOO_MANY: Final = frozenset({429})
_TOO_LARGE: Final = frozenset({413, 414, 431})


class JsonApi:
    """`whose`: the provider's name, for reasons. `headers`: sent with every request, a key among them; no reason
    quotes it. `hints`: status → what the owner should do about it. `busy`: more statuses that mean too many requests.
    `ca_file`: authorities (PEM) to believe beside the system's."""

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
    ) -> None:
        self._whose = whose
        self._base = base.rstrip("/")
        self._timeout = timeout
        self._headers = {
            "User-Agent": f"Antiphon/{__version__}",
            "Accept": "application/json",
            # Unpacked, an answer may be a thousand times as large as what came.
            "Accept-Encoding": "identity",
            **(headers or {}),
        }
        self._hints = hints or {}
        self._busy = _TOO_MANY | busy
        self._ca_file = ca_file
        self._session: ClientSession | None = None

    async def get(self, path: str, params: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Any:
        """What a GET answers, decoded; raises `ToolProblem`."""
        return await self._ask("GET", path, params=params, headers=headers)

    async def post(self, path: str, body: Any) -> Any:
        """What a POST of JSON answers, decoded; raises `ToolProblem`."""
        return await self._ask("POST", path, data=orjson.dumps(body), headers={"Content-Type": "application/json"})

    async def aclose(self) -> None:
        """Close its connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, method: str, path: str, **given: Any) -> Any:
        try:
            async with asyncio.timeout(self._timeout):
                session = await self._opened()
                async with session.request(method, f"{self._base}{path}", allow_redirects=False, **given) as response:
                    self._judge(response)
                    data = await self._body(response)
        except TimeoutError:
            raise self._unavailable(f"no whole answer within {self._timeout:g} s") from None
        except (ClientError, OSError, ValueError) as problem:
            # Not the problem's own text: it may quote the request.
            raise self._unavailable(f"cannot be asked ({type(problem).__name__})") from None
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            raise self._unavailable("its answer is not JSON") from None

    async def _opened(self) -> ClientSession:
        if self._session is None:
            context = await asyncio.to_thread(ssl.create_default_context)
            if self._ca_file is not None:
                context.load_verify_locations(self._ca_file)
            # Another call may have come first meanwhile.
            if self._session is None:
                self._session = ClientSession(
                    # Searches are rare: a connection that was kept has mostly been closed at the other end.
                    connector=TCPConnector(ssl=context, force_close=True),
                    headers=self._headers,
                    cookie_jar=DummyCookieJar(),
                    timeout=ClientTimeout(total=None),
                    auto_decompress=False,
                    trust_env=False,
                )
        return self._session

    def _judge(self, response: ClientResponse) -> None:
        status = response.status
        hint = self._hints.get(status, "")
        if status in self._busy:
            raise ToolProblem("too_many_requests", f"{self._whose}: answers with status {status}{_then(hint)}")
        if status in _TOO_LARGE:
            raise ToolProblem("request_too_large", f"{self._whose}: answers with status {status}")
        if status != 200:
            raise self._unavailable(f"answers with status {status}{_then(hint)}")

    async def _body(self, response: ClientResponse) -> bytes:
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise self._unavailable("its answer is packed in a way that was not asked for")
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > MOST_BYTES:
                raise self._unavailable(f"its answer has more than {MOST_BYTES} bytes")
        return bytes(body)

    def _unavailable(self, why: str) -> ToolProblem:
        return ToolProblem("unavailable", f"{self._whose} at {self._base}: {why}")


def _then(hint: str) -> str:
    return f": {hint}" if hint else ""


def rows(answer: Any, *path: str) -> list[Mapping[str, Any]]:
    """The objects in a list somewhere in an answer; of anything else, nothing."""
    for key in path:
        answer = answer.get(key) if isinstance(answer, Mapping) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - JSON
    if not isinstance(answer, list):
        return []
    return [row for row in answer if isinstance(row, Mapping)]  # pyright: ignore[reportUnknownVariableType] - JSON

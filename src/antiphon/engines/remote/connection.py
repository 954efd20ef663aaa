"""HTTP to one engine: questions with an answer in JSON, and streams of events. All faults are kinds of `EngineFault`.

What a status means: 429 and 503 say that there is no room now; 500 and 502 that the engine, or what stands before
it, is broken, and that nothing was begun; the others that the engine would not do it. An engine that answers with
such a status has not begun a reply, so that another may be asked; one that is lost behind its 200 has.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from io import BytesIO
from time import time
from types import SimpleNamespace
from typing import Any, Final, TypeVar, cast

import aiohttp
import orjson

from antiphon.engines.arriving import Arriving, Silence
from antiphon.engines.remote.endpoint import SESSION_HEADER
from antiphon.engines.remote.hearing import AsItIs, Hears
from antiphon.engines.remote.sse import BrokenStream, EventReader
from antiphon.errors import EngineDied, EngineFault, EngineFull, EngineNotBegun, EngineRefused, EngineUnavailable

CONNECT_TIMEOUT: Final = 10.0
CALL_TIMEOUT: Final = 60.0
SILENCE_TIMEOUT: Final = 300.0
# Servers close idle connections after 5 s (uvicorn, cpp-httplib): one that is used just then would be lost.
_KEPT: Final = 4.0
_MOST_ANSWER: Final = 64 * 1024 * 1024
_SHOWN: Final = 300
_RETRY_AFTER: Final = 1.0
_LONGEST_RETRY: Final = 3600.0

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Access:
    """How an engine is reached. `url` has neither a slash at its end nor a key in it.

    `key` and `headers` go with every request, and are never told to anybody else. `ca_file`: certificates (PEM) to
    trust beside the system's. `proxies`: those of the environment are used. `silence`: seconds for which an engine
    may say nothing, before its reply begins and while it writes. `session_header`: where a router looks for the
    conversation that a work belongs to.
    """

    url: str
    key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    ca_file: str | None = None
    proxies: bool = False
    silence: float = SILENCE_TIMEOUT
    connect: float = CONNECT_TIMEOUT
    session_header: str = SESSION_HEADER


class EngineBroken(EngineNotBegun):
    """The engine answered 500: it may be broken, or the work may be such that it breaks on it."""


class EngineLost(EngineNotBegun):
    """The engine had all of a request, and was lost before it answered: the request may be the reason."""


class EngineLocked(EngineRefused):
    """The engine wants another key, or one at all."""


class Connection:
    """Connections to one engine, kept for the next request where that is safe. To be made inside of an event loop.

    Raises OSError where `ca_file` cannot be read, `ssl.SSLError` (one of them) where it holds no certificate.
    """

    def __init__(self, access: Access) -> None:
        self.access = access
        # Without a file aiohttp trusts what the system does.
        trusted = True if access.ca_file is None else ssl.create_default_context()
        if isinstance(trusted, ssl.SSLContext):
            trusted.load_verify_locations(access.ca_file)
        headers = {"content-type": "application/json", **access.headers}
        if access.key is not None:
            headers["authorization"] = f"Bearer {access.key}"
        self._closed = False
        self._endings: set[asyncio.Timeout] = set()
        self._streams: set[aiohttp.StreamReader] = set()
        reuse = aiohttp.TraceConfig()
        reuse.on_connection_reuseconn.append(_note_reuse)

        def session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
            # A cookie of one tenant's reply is not for the next one's.
            jar = aiohttp.DummyCookieJar()
            return aiohttp.ClientSession(
                connector=connector, headers=headers, trust_env=access.proxies, cookie_jar=jar, trace_configs=[reuse]
            )

        self._kept = session(aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT, ssl=trusted))
        self._fresh = session(aiohttp.TCPConnector(limit=0, force_close=True, ssl=trusted))

    @property
    def url(self) -> str:
        """Where the engine is."""
        return self.access.url

    async def aclose(self) -> None:
        """Close all connections; streams that are open end with `EngineDied`."""
        self._closed = True
        for ending in self._endings:
            ending.reschedule(0)
        for stream in self._streams:
            stream.set_exception(EngineDied("the engine is stopped"))
        await self._kept.close()
        await self._fresh.close()

    async def get(
        self, path: str, *, headers: Mapping[str, str] | None = None, patience: float = CALL_TIMEOUT
    ) -> dict[str, Any]:
        """The answer, a JSON object; empty where there is no body."""
        return _mapping(await self.answer("GET", path, headers=headers, patience=patience), path)

    async def post(
        self, path: str, body: object, *, headers: Mapping[str, str] | None = None, patience: float = CALL_TIMEOUT
    ) -> dict[str, Any]:
        """The answer, a JSON object; empty where there is no body."""
        return _mapping(await self.answer("POST", path, body, headers=headers, patience=patience), path)

    def events(
        self, path: str, body: object, *, headers: Mapping[str, str] | None = None, kept: bool = True
    ) -> AsyncGenerator[dict[str, Any], None]:
        """What the engine streams, each event a JSON object; see `heard`."""
        return self.heard(path, body, AsItIs(), headers=headers, kept=kept)

    async def heard(
        self,
        path: str,
        body: object,
        hears: Hears[_Result],
        *,
        headers: Mapping[str, str] | None = None,
        kept: bool = True,
    ) -> AsyncGenerator[_Result, None]:
        """What is heard in the events that the engine streams, up to `[DONE]` or the end of the stream.

        It is asked once: the request may be what the engine is lost of. So one that closes connections unannounced
        must not be asked over one that was `kept`.

        Closing the generator closes the connection, which is how engines are told to stop.
        """
        timeout = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=self.access.connect)
        sessions = (self._kept if kept else self._fresh,)
        response = await self._open("POST", path, body, headers or {}, timeout, sessions, self.access.silence)
        silence = Silence(response.content, self.access.silence)
        try:
            if response.status != 200:
                raise _refusal(response, await self._unless_closed(_read(response, path)))
            if response.content_type != "text/event-stream":
                raise EngineDied(
                    f"{path} answered with {response.content_type} where a stream of events was asked for"
                )
            self._streams.add(response.content)
            reader, arriving = EventReader(), Arriving.of(response)
            while arriving is not None and not reader.over:
                data = arriving.take()
                if not data:
                    more = arriving.more()
                    if more is None:
                        break
                    await more
                    continue
                silence.ends()
                for event in reader.feed(data):
                    for said in hears(_event(event, path)):
                        yield said
                    if hears.over:
                        return
            hears.end()
        except BrokenStream as problem:
            raise EngineDied(f"{path} answered with what is no stream of events: {problem}") from problem
        except TimeoutError as problem:
            raise EngineDied(f"the engine said nothing for {self.access.silence:g} s in a reply") from problem
        except (aiohttp.ClientError, OSError) as problem:
            raise EngineDied(f"the engine was lost in the middle of a reply: {_words(problem)}") from problem
        finally:
            silence.close()
            self._streams.discard(response.content)
            response.close()

    async def answer(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        patience: float = CALL_TIMEOUT,
    ) -> Any:
        """The answer, any JSON; an empty object where there is no body."""
        timeout = aiohttp.ClientTimeout(total=patience, sock_connect=min(patience, self.access.connect))
        response = await self._open(method, path, body, headers or {}, timeout, (self._kept, self._fresh))
        try:
            data = await self._unless_closed(_read(response, path))
        except TimeoutError as problem:
            raise EngineDied(f"the engine did not end its answer to {path} in {patience:g} s") from problem
        except (aiohttp.ClientError, OSError) as problem:
            raise EngineDied(f"the engine was lost during {path}: {_words(problem)}") from problem
        finally:
            response.release()
        if not 200 <= response.status < 300:
            raise _refusal(response, data)
        return _json(data, path) if data.strip() else {}

    async def _open(
        self,
        method: str,
        path: str,
        body: object,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
        sessions: Sequence[aiohttp.ClientSession],
        patience: float | None = None,
    ) -> aiohttp.ClientResponse:
        """Send a request; its answer's status is here, its body is not. `sessions`: over which; the next one is for
        connections that were kept and turn out to be closed. `patience`: seconds that it may take to come, where the
        timeout does not say."""
        if self._closed:
            raise EngineUnavailable("the engine's connections are closed")
        reused: list[bool] = []
        try:
            for session in sessions[:-1]:
                asked = self._send(session, method, path, body, headers, timeout, reused)
                try:
                    return await self._unless_closed(asked, patience)
                except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                    # The engine closed a connection just when it was to be used again.
                    if not reused:
                        raise
            asked = self._send(sessions[-1], method, path, body, headers, timeout, reused)
            return await self._unless_closed(asked, patience)
        except aiohttp.ConnectionTimeoutError as problem:
            raise EngineNotBegun(f"{self.url} did not accept a connection: {_words(problem)}") from problem
        except TimeoutError as problem:
            raise EngineDied(f"the engine did not answer {path} in time: {_words(problem)}") from problem
        except aiohttp.ClientConnectorError as problem:
            raise EngineNotBegun(f"the engine was lost before it began: {_words(problem)}") from problem
        except (aiohttp.ClientError, OSError) as problem:
            raise EngineLost(f"the engine was lost before it began {path}: {_words(problem)}") from problem

    async def _send(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        body: object,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
        reused: list[bool],
    ) -> aiohttp.ClientResponse:
        return await session.request(
            method,
            self.url + path,
            data=None if body is None else _to_json(body),
            headers=self._named(headers),
            timeout=timeout,
            allow_redirects=False,
            trace_request_ctx=reused,
        )

    def _named(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The headers, with that of the session under the name that the router has for it."""
        if self.access.session_header == SESSION_HEADER or SESSION_HEADER not in headers:
            return headers
        return {
            self.access.session_header if name == SESSION_HEADER else name: said for name, said in headers.items()
        }

    async def _unless_closed(self, awaited: Awaitable[_Result], patience: float | None = None) -> _Result:
        """What is waited for. aiohttp tells nobody who waits that it has closed their connection."""
        ending = asyncio.timeout(patience)
        try:
            async with ending:
                self._endings.add(ending)
                return await awaited
        except RuntimeError as problem:
            # What aiohttp raises for who comes to wait when its connection was closed already.
            if self._closed:
                raise EngineDied("the engine is stopped") from problem
            raise
        except TimeoutError:
            if self._closed and ending.expired():
                raise EngineDied("the engine is stopped") from None
            raise
        finally:
            self._endings.discard(ending)


async def _note_reuse(_: object, context: SimpleNamespace, __: object) -> None:
    """The request got a connection that was used before."""
    context.trace_request_ctx.append(True)


async def _read(response: aiohttp.ClientResponse, path: str) -> bytes:
    """The whole body; a bound on it, since what answers need not be an engine."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > _MOST_ANSWER:
            response.close()
            raise EngineDied(f"{path} answered with more than {_MOST_ANSWER} bytes")
    return b"".join(parts)


def _to_json(value: object) -> BytesIO:
    # As a file, because a body of megabytes is then sent piece by piece, with room for others in between.
    try:
        return BytesIO(orjson.dumps(value))
    except orjson.JSONEncodeError as problem:
        raise EngineRefused(f"the prompt cannot be sent to the engine: {problem}") from problem


def _json(data: bytes, path: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as problem:
        raise EngineDied(f"{path} answered with what is no JSON: {data[:80]!r}") from problem


def _event(data: bytes, path: str) -> dict[str, Any]:
    try:
        event: dict[str, Any] = orjson.loads(data)
    except orjson.JSONDecodeError:
        return _mapping(_json(data, path), path)  # says what is wrong
    return event if type(event) is dict else _mapping(event, path)


def _mapping(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EngineDied(f"{path} answered with what is no JSON object: {str(value)[:80]!r}")
    return cast("dict[str, Any]", value)


def _refusal(response: aiohttp.ClientResponse, data: bytes) -> EngineFault:
    return refusal(response.status, data, response.headers.get("retry-after"))


def refusal(status: int, data: bytes, retry_after: str | None = None) -> EngineFault:
    """The fault in an error reply, or in an error inside of a stream that nothing came before."""
    text = f"the engine answered {status}: {error_text(data)}"
    if status == 429 or (status in (503, 529) and retry_after is not None):
        return EngineFull(text, retry_after=_seconds(retry_after))
    if status in (503, 529):
        return EngineUnavailable(text)
    if status == 502:
        return EngineNotBegun(text)
    if status == 500:
        return EngineBroken(text)
    if status in (401, 403):
        return EngineLocked(text)
    return EngineRefused(text)


def error_text(data: bytes) -> str:
    """What an error reply says, in whichever form engines and proxies have it."""
    try:
        said: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        said = data[:_SHOWN].decode("utf-8", "replace")
    for key in ("error", "message", "detail"):
        while isinstance(said, dict) and key in said:
            said = cast("dict[str, Any]", said)[key]
    return " ".join(str(cast("object", said)).split())[:_SHOWN]


def _seconds(retry_after: str | None) -> float:
    """The seconds in a `retry-after` header. Source: RFC 9110 §10.2.3."""
    if retry_after is None:
        return _RETRY_AFTER
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time()
        except ValueError:
            return _RETRY_AFTER
    return min(max(seconds, 0.0), _LONGEST_RETRY) if seconds == seconds else _RETRY_AFTER


def _words(problem: BaseException) -> str:
    return str(problem) or type(problem).__name__

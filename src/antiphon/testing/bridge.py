"""An ASGI client in the same process that really streams and really disconnects.

The transports of httpx collect the whole body before the caller sees a byte, so order in time, pings and
disconnects cannot be seen through them. Every wait here is bounded, and what breaks the protocol is an
`AssertionError`.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Scope

WAIT = 20.0
HEADERS = {"anthropic-version": "2023-06-01", "content-type": "application/json", "x-api-key": "test"}


@dataclass
class Exchange:
    """One request under way."""

    app: ASGIApp
    scope: Scope
    body: bytes
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict[str, str])
    _sent: asyncio.Queue[Message] = field(default_factory=asyncio.Queue[Message])
    _gone: asyncio.Event = field(default_factory=asyncio.Event)
    _asked: bool = False

    def start(self) -> "asyncio.Task[None]":
        """Begin the request."""
        self.task = asyncio.create_task(self._run())
        return self.task

    async def _run(self) -> None:
        await self.app(self.scope, self._receive, self._sent.put)

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    @property
    def answered(self) -> bool:
        """Whether anything was sent that has not been read here."""
        return not self._sent.empty()

    async def begin(self) -> None:
        """Wait for the status line."""
        message = await self._next()
        assert message["type"] == "http.response.start"
        self.status = message["status"]
        self.headers = {name.decode(): value.decode() for name, value in message["headers"]}

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it is sent, until it ends."""
        more = True
        while more:
            message = await self._next()
            assert message["type"] == "http.response.body"
            more = message.get("more_body", False)
            if message.get("body"):
                yield message["body"]

    async def read(self) -> bytes:
        """The whole body."""
        return b"".join([chunk async for chunk in self.chunks()])

    async def disconnect(self) -> None:
        """Go away, and wait until the server has let go of the request."""
        self._gone.set()
        async with asyncio.timeout(WAIT):
            await asyncio.gather(self.task, return_exceptions=True)

    async def _next(self) -> Message:
        async with asyncio.timeout(WAIT):
            getter = asyncio.create_task(self._sent.get())
            await asyncio.wait({getter, self.task}, return_when=asyncio.FIRST_COMPLETED)
            if not getter.done() and self._sent.empty():
                getter.cancel()
                self.task.result()
                raise AssertionError("the app ended without finishing its reply")
            return await getter


@dataclass(frozen=True)
class Answer:
    """A finished reply."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The body as server-sent events; each must be an `event` and a `data` line that agree."""
        return parse_events(self.body)


def parse_events(body: bytes) -> list[dict[str, Any]]:
    """Server-sent events, strictly: two lines and an empty one each."""
    events: list[dict[str, Any]] = []
    frames = body.decode().split("\n\n")
    assert frames.pop() == ""
    for frame in frames:
        event, data = frame.split("\n")
        parsed = json.loads(data.removeprefix("data: "))
        assert event == f"event: {parsed['type']}"
        events.append(parsed)
    return events


class Bridge:
    """A client of one app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str | None] | None = None,
        query: str = "",
    ) -> AsyncGenerator[Exchange]:
        """A request whose reply is read as it comes; leaving the block disconnects."""
        merged = {**HEADERS, **(headers or {})}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [
                (name.lower().encode(), value.encode()) for name, value in merged.items() if value is not None
            ],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        exchange = Exchange(self.app, scope, raw)
        exchange.start()
        try:
            yield exchange
        finally:
            await exchange.disconnect()

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str | None] | None = None,
        query: str = "",
    ) -> Answer:
        """A request and its whole reply."""
        async with self.open(method, path, body, headers=headers, query=query) as exchange:
            await exchange.begin()
            return Answer(exchange.status, exchange.headers, await exchange.read())

    async def post(self, body: object, **options: Any) -> Answer:
        """`POST /v1/messages`."""
        return await self.ask("POST", "/v1/messages", body, **options)

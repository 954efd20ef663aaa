"""Replies that run an engine: late commit, pings, and a watch for the client that goes away.

No status line is sent before there is something to say: the reply's first words, or `commit_after` seconds
without any. Until then a failure is a true 4xx or 5xx; after it, an `error` event. While nothing is
sent for `ping_after` seconds, a `ping` event is. A client that disconnects cancels the work at once.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from antiphon.errors import ApiError
from antiphon.service.messages import Prepared
from antiphon.stream.sse import PING, encode
from antiphon.web.errors import bug, error_reply
from antiphon.wire.events import Event

STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]

TELLING_SILENCE: Final = 0.1
"""Seconds; what was written later than that tells as much of the client as a ping would."""

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Pace:
    """The stream's times, in seconds."""

    commit_after: float
    ping_after: float


class StreamReply:
    """A reply as server-sent events; an ASGI app for one request."""

    def __init__(self, prepared: Prepared, pace: Pace) -> None:
        self._prepared = prepared
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        id_: str = scope["antiphon.request_id"]
        reply = self._prepared.reply()
        out = _EventWriter(send, self._pace, reply.begin())
        error: ApiError | None = None
        async with until_disconnect(receive, out.ask_after_client):
            try:
                async with aclosing(reply.run()) as batches:
                    async for events in batches:
                        await out.write(events)
            except ApiError as problem:
                error = problem
            except Exception as problem:
                error = bug(problem, id_)
            finally:
                await out.close()
            if error is not None and not out.committed:
                await error_reply(error, id_)(scope, receive, send)
                return
            if error is not None:
                await out.write(reply.fail(error, id_))
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class WholeReply:
    """A reply as one JSON body; an ASGI app for one request. Its errors are true statuses."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        id_: str = scope["antiphon.request_id"]
        async with until_disconnect(receive):
            try:
                message = await self._prepared.reply().whole()
                reply = Response(msgspec.json.encode(message), media_type="application/json")
            except ApiError as error:
                reply = error_reply(error, id_)
            except Exception as problem:
                reply = error_reply(bug(problem, id_), id_)
            await reply(scope, receive, send)


class _EventWriter:
    """Writes events to the client: what the reply brings, and pings from a timer while it brings nothing.

    Reply and timer never send at once: the timer waits while `_sending`, and a write waits for the timer's task.
    """

    def __init__(self, send: Send, pace: Pace, opening: list[Event]) -> None:
        self._send = send
        self._pace = pace
        self._held = _encode(opening)
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._sending = False
        self._ping: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(pace.commit_after, self._on_time)
        self.committed = False

    async def write(self, events: list[Event]) -> None:
        """Send events now; commits to the stream."""
        if self._ping is not None:
            await self._ping
        await self._put(_encode(events))

    async def close(self) -> None:
        """No ping from now on."""
        self._timer.cancel()
        if self._ping is not None:
            self._ping.cancel()
            await asyncio.gather(self._ping, return_exceptions=True)

    def ask_after_client(self) -> None:
        """Ping at once: the client sends no more, and only what is written tells whether it still listens."""
        silent = self._loop.time() - self._last
        if self.committed and silent >= TELLING_SILENCE and not self._sending and self._ping is None:
            self._ping = self._loop.create_task(self._break_silence())

    def _on_time(self) -> None:
        """Commit when the reply is slow to begin; ping when the stream was silent for too long."""
        silent = self._loop.time() - self._last
        if self._sending or self._ping is not None:
            wait = self._pace.ping_after
        elif not self.committed or silent >= self._pace.ping_after:
            self._ping = self._loop.create_task(self._break_silence())
            wait = self._pace.ping_after
        else:
            wait = self._pace.ping_after - silent
        self._timer = self._loop.call_later(wait, self._on_time)

    async def _break_silence(self) -> None:
        await self._put(PING if self.committed else b"")
        self._ping = None

    async def _put(self, data: bytes) -> None:
        self._sending = True
        try:
            if not self.committed:
                self.committed = True
                await self._send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
                data, self._held = self._held + data, b""
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
            self._last = self._loop.time()
        finally:
            self._sending = False


def _encode(events: list[Event]) -> bytes:
    return encode(events[0]) if len(events) == 1 else b"".join(map(encode, events))


async def nobody(scope: Scope, receive: Receive, send: Send) -> None:
    """The reply to a client that has gone away: none."""


async def unless_gone(receive: Receive, work: Awaitable[_Made]) -> _Made | None:
    """What the work comes to; None where the client goes away before that, which cancels it."""
    async with until_disconnect(receive):
        return await work
    return None


@asynccontextmanager
async def until_disconnect(receive: Receive, on_doubt: Callable[[], None] | None = None) -> AsyncGenerator[None]:
    """Cancel the block as soon as the client is gone, and end quietly then.

    `on_doubt` is called when the client has ended its sending, which those that go away do too.
    """
    working = asyncio.current_task()
    assert working is not None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            if on_doubt is not None:
                on_doubt()
        gone = True
        working.cancel()

    watching = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not gone or working.uncancel() > 0:
            raise
    finally:
        watching.cancel()

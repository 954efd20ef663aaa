"""Replies that run an engine: late commit, pings, and a watch for the client that goes away.

No status line is sent before there is something to say: the reply's first words, or `commit_after` seconds
without any. Until then a failure is a true 4xx or 5xx; after it, an `error` event. While nothing is
sent for `ping_after` seconds, a `ping` event is; before the stream's first event a comment, which clients pass over.
A client that disconnects cancels the work at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Final, TypeVar

import msgspec
from msgspec import Struct
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from antiphon.errors import ApiError
from antiphon.service.messages import Prepared
from antiphon.service.reply.reply import Reply
from antiphon.service.tracing import told
from antiphon.stream.sse import PING, WAITING, encode
from antiphon.web.errors import bug, error_reply
from antiphon.web.identity import LIMITS
from antiphon.web.metrics import MODEL
from antiphon.web.pouring import pour
from antiphon.wire.events import Event

STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]

MOST_HELD: Final = 64
"""Events that are sent together at most."""

TELLING_SILENCE: Final = 0.1
"""Seconds; what was written later than that tells as much of the client as a ping would."""

_Made = TypeVar("_Made")


class Pace(Struct, frozen=True):
    """The stream's times, in seconds."""

    commit_after: float
    ping_after: float


class MessageReply:
    """The reply to a request that is still to be read and judged; an ASGI app for one request."""

    def __init__(self, preparing: Awaitable[Prepared], pace: Pace) -> None:
        self._preparing = preparing
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with UntilDisconnect(receive) as watch:
            spare = await self._answer(self._preparing, watch, scope, receive, send)
            if spare is not None:
                await self._answer(spare(), watch, scope, receive, send)

    async def _answer(
        self, preparing: Awaitable[Prepared], watch: "UntilDisconnect", scope: Scope, receive: Receive, send: Send
    ) -> Callable[[], Awaitable[Prepared]] | None:
        """Answer; or say what prepares the request for another model, where nothing was sent of this one's."""
        id_: str = scope["antiphon.request_id"]
        try:
            prepared = await preparing
        except ApiError as error:
            await error_reply(error, id_)(scope, receive, send)
        except Exception as problem:
            await error_reply(bug(problem, id_), id_)(scope, receive, send)
        else:
            scope[MODEL] = prepared.model
            if prepared.passed is not None:
                scope[LIMITS] = prepared.passed.headers
            reply = StreamReply(prepared, self._pace, watch) if prepared.stream else WholeReply(prepared)
            try:
                await reply(scope, receive, send)
            finally:
                await prepared.aclose()
            return reply.spare
        return None


class StreamReply:
    """A reply as server-sent events; an ASGI app for one request. `watch`: sees the client go away. `spare`: where it
    has sent nothing, what prepares the request for another model."""

    def __init__(self, prepared: Prepared, pace: Pace, watch: "UntilDisconnect") -> None:
        self.spare: Callable[[], Awaitable[Prepared]] | None = None
        self._prepared = prepared
        self._pace = pace
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        id_: str = scope["antiphon.request_id"]
        reply = self._prepared.reply()
        out = _EventWriter(send, self._pace, reply)
        self._watch.on_doubt = out.ask_after_client
        error: ApiError | None = None
        try:
            async with aclosing(reply.run()) as batches:
                await pour(batches, out.add, out.flush)
        except ApiError as problem:
            error = problem
        except Exception as problem:
            error = bug(problem, id_)
        finally:
            await out.close()
        if error is not None:
            if not out.begun:
                self.spare = self._prepared.instead(reply, error)
                if self.spare is not None:
                    return
                await error_reply(error, id_)(scope, receive, send)
                return
            out.add(reply.fail(told(error), id_))
        await out.end()


class WholeReply:
    """A reply as one JSON body; an ASGI app for one request. Its errors are true statuses. `spare`: as of streams."""

    def __init__(self, prepared: Prepared) -> None:
        self.spare: Callable[[], Awaitable[Prepared]] | None = None
        self._prepared = prepared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        id_: str = scope["antiphon.request_id"]
        written = self._prepared.reply()
        try:
            message = await written.whole()
            reply = Response(msgspec.json.encode(message), media_type="application/json")
        except ApiError as error:
            self.spare = self._prepared.instead(written, error)
            if self.spare is not None:
                return
            reply = error_reply(error, id_)
        except Exception as problem:
            reply = error_reply(bug(problem, id_), id_)
        await reply(scope, receive, send)


class _EventWriter:
    """Writes events to the client: what the reply brings, and pings from a timer while it brings nothing.

    Reply and timer never send at once: the timer waits while `_sending`, and a flush waits for the timer's task.
    """

    def __init__(self, send: Send, pace: Pace, reply: Reply) -> None:
        self._send = send
        self._pace = pace
        self._reply = reply
        self._opened = False
        self._held: list[Event] = []
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._sending = False
        self._ping: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(pace.commit_after, self._on_time)
        self._committed = False

    @property
    def begun(self) -> bool:
        """Whether there is something of the reply that has been sent or will be."""
        return self._committed or bool(self._held)

    def add(self, events: list[Event]) -> bool:
        """Hold events until the next flush; whether that is due."""
        self._held += events
        return len(self._held) >= MOST_HELD

    async def flush(self) -> None:
        """Send what is held; commits to the stream where that is anything."""
        if not self._held and (self._opened or not self._committed or not self._reply.opened):
            return
        if self._ping is not None:
            await self._ping
        events, self._held = self._held, []
        data = encode(events[0]) if len(events) == 1 else _encode(events)
        if not self._opened:
            await self._put(data)
            return
        # As `_put` does, without another coroutine for every token.
        self._sending = True
        try:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
            self._last = self._loop.time()
        finally:
            self._sending = False

    async def end(self) -> None:
        """Send what is held, and that it is the last. Comes after `close`."""
        await self._put(_encode(self._held), more=False)

    async def close(self) -> None:
        """No ping from now on."""
        self._timer.cancel()
        if self._ping is not None:
            self._ping.cancel()
            await asyncio.gather(self._ping, return_exceptions=True)

    def ask_after_client(self) -> None:
        """Ping at once: the client sends no more, and only what is written tells whether it still listens."""
        silent = self._loop.time() - self._last
        if self._committed and silent >= TELLING_SILENCE and not self._sending and self._ping is None:
            self._ping = self._loop.create_task(self._break_silence())

    def _on_time(self) -> None:
        """Commit when the reply is slow to begin; ping when the stream was silent for too long."""
        silent = self._loop.time() - self._last
        if self._sending or self._ping is not None:
            wait = self._pace.ping_after
        elif not self._committed or silent >= self._pace.ping_after:
            self._ping = self._loop.create_task(self._break_silence())
            wait = self._pace.ping_after
        else:
            wait = self._pace.ping_after - silent
        self._timer = self._loop.call_later(wait, self._on_time)

    async def _break_silence(self) -> None:
        await self._put((PING if self._reply.opened else WAITING) if self._committed else b"")
        self._ping = None

    async def _put(self, data: bytes, *, more: bool = True) -> None:
        self._sending = True
        try:
            if not self._committed:
                self._committed = True
                await self._send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            if not self._opened and self._reply.opened:
                self._opened = True
                data = _encode(self._reply.begin()) + data
            await self._send({"type": "http.response.body", "body": data, "more_body": more})
            self._last = self._loop.time()
        finally:
            self._sending = False


def _encode(events: list[Event]) -> bytes:
    return b"".join(map(encode, events))


async def nobody(scope: Scope, receive: Receive, send: Send) -> None:
    """The reply to a client that has gone away: none."""


async def unless_gone(receive: Receive, work: Awaitable[_Made]) -> _Made | None:
    """What the work comes to; None where the client goes away before that, which cancels it."""
    with UntilDisconnect(receive):
        return await work
    return None


class UntilDisconnect:
    """Cancels its block as soon as the client is gone, and ends it quietly then.

    `on_doubt`: called when the client has ended its sending, which those that go away do too.
    """

    def __init__(self, receive: Receive) -> None:
        self.on_doubt: Callable[[], None] | None = None
        self._receive = receive
        self._watching: asyncio.Task[None] | None = None
        self._gone = False

    def __enter__(self) -> "UntilDisconnect":
        working = asyncio.current_task()
        assert working is not None
        self._working = working
        # Nobody can be seen to go away before the block waits for the first time, and many never do.
        self._beginning = working.get_loop().call_soon(self._begin)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self._beginning.cancel()
        if self._watching is not None:
            self._watching.cancel()
        return self._gone and kind is asyncio.CancelledError and self._working.uncancel() == 0

    def _begin(self) -> None:
        self._watching = self._working.get_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            if self.on_doubt is not None:
                self.on_doubt()
        self._gone = True
        self._working.cancel()

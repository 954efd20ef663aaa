"""HTTP/1 on a socket, where uvicorn's reading of it would lose clients.

- An offer to upgrade (the JDK's client and `curl --http2` make one with every request) is ignored, as RFC 9110 §7.8
  allows, and the body is read; uvicorn drops it (uvicorn#2722).
- A reply of unknown length to HTTP/1.0 ends with its connection (RFC 9112 §6.1); uvicorn sends it in chunks.
- A client that ends its sending behind the request gets its reply (RFC 9112 §9.6); uvicorn closes on it. Over TLS
  both ends end at once.
- A client that never ends its head, sends nothing, or reads nothing is not waited for without end (`web.patience`);
  uvicorn has bounds for none of it.
"""

import asyncio
import socket
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any, Final

import httptools
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from antiphon.web import patience
from antiphon.web.patience import Patience, Stage
from antiphon.web.room import Bell, Flow, Line

FIRST_LOOK: Final = 0.1
LONGEST_LOOK: Final = 10.0
"""Seconds until the first look whether a client that sends no more is still there, and at most between two; each is
twice as long as the one before."""
QUIET: Final = 0.6
"""Seconds that such a client is given before it is probed: short replies, and the first words of streams, are there
by then and are a probe themselves."""
PATIENCE_WITH_1_0: Final = 5.0
"""Seconds within which the reply must begin to an HTTP/1.0 client that sends no more: there is nothing to probe it
with, and a proxy that gave up looks the same."""

_OK: Final = 200
_FRAMES: Final = frozenset({b"content-length", b"transfer-encoding", b"connection"})
"""Fields that say how a reply is framed; uvicorn reads them."""

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class HttpProtocol(HttpToolsProtocol):
    """One connection. An offer to upgrade, a half-closed client and HTTP/1.0 are served as RFC 9112 wants it."""

    # Beside uvicorn's 28 attributes they would be too many for objects to share their names: 1.3 KiB a connection.
    __slots__ = ("_patience", "_unread")

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.pipeline = Line()  # pyright: ignore[reportAttributeAccessIssue]
        self._patience = Patience(self.loop, self._refuse, lambda: not self.flow.read_paused)
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        self.flow = Flow(transport)
        # Who says nothing at all is as idle as who has had a reply.
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.end()
        self._unset_keepalive_if_required()
        self._read_again()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(patience.UNREAD, self.transport.abort)

    def resume_writing(self) -> None:
        self._read_again()
        super().resume_writing()

    def _read_again(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def on_message_begin(self) -> None:
        self._patience.enter(Stage.HEAD)
        super().on_message_begin()

    def _refuse(self, status: int, kind: str, words: str) -> None:
        """Answer who does not come to the end of a request, and close."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:  # pyright: ignore[reportUnnecessaryComparison]
            cycle.disconnected = True
            cycle.message_event.set()
        if not self.transport.is_closing():
            if cycle is None or not cycle.response_started or cycle.response_complete:  # pyright: ignore[reportUnnecessaryComparison]
                self.transport.write(patience.refusal(status, kind, words))
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        size = len(data)
        self._read(data)
        if not self.transport.is_closing():
            self._patience.heard(size)

    def _read(self, data: bytes) -> None:
        try:
            while data:
                try:
                    self.parser.feed_data(data)
                    return
                except httptools.HttpParserUpgrade as offer:
                    if not self._offers_upgrade():
                        return
                    self._ignore_upgrade()
                    data = data[offer.args[0] :]
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")

    def _ignore_upgrade(self) -> None:
        """Go on as if the head that was just read had made no offer: the parser would leave out the body."""
        version = self.parser.get_http_version().encode("ascii")
        head = [b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, version)]
        head += [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"".join(head) + b"\r\n")

    def on_headers_complete(self) -> None:
        if not self._offers_upgrade():
            self._patience.enter(Stage.BODY)
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._offers_upgrade():
            self._patience.enter(Stage.NOTHING)
            super().on_message_complete()

    def _offers_upgrade(self) -> bool:
        # To the parser CONNECT is an upgrade too; that one is answered.
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    # uvicorn has its own words for the type of an app.
    def _start_asgi_task(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, cycle: RequestResponseCycle, app: ASGIApp
    ) -> None:
        bell = Bell()
        if cycle.message_event.is_set():
            bell.set()
        cycle.message_event = bell
        if cycle.scope["http_version"] == "1.0":
            app = _ended_by_close(cycle, app)
        else:
            cycle.__class__ = _Cycle
        super()._start_asgi_task(cycle, app)  # pyright: ignore[reportArgumentType]

    def eof_received(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride] - asyncio's own signature
        """Whether the connection stays open: only while a request that came whole is not yet answered."""
        cycle = self.cycle
        if self.scheme == "https":
            return False
        if cycle is None or cycle.response_complete or cycle.more_body:  # pyright: ignore[reportUnnecessaryComparison]
            return False
        cycle.keep_alive = False
        self._look(cycle, 0.0, FIRST_LOOK)
        return True

    def _look(self, cycle: RequestResponseCycle, waited: float, wait: float, *, probed: bool = False) -> None:
        """Find out whether the client is there that has ended its sending.

        Only what is written to it tells: where nobody listens any more, the connection breaks.
        """
        if self.transport.is_closing() or cycle.response_complete:
            return
        broken = self.transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        started, old = cycle.response_started, cycle.scope["http_version"] == "1.0"
        if broken or (old and not started and waited > PATIENCE_WITH_1_0):
            self.transport.abort()
            return
        if started:
            cycle.message_event.set()  # the app sees a message that says nothing, and writes what it can
        elif waited > QUIET and not old and not self.pipeline:
            self.transport.write(_CONTINUE)
            # What comes of the first probe is known at once.
            probed, wait = True, wait if probed else FIRST_LOOK
        look = partial(self._look, cycle, waited + wait, min(wait * 2, LONGEST_LOOK), probed=probed)
        self.loop.call_later(wait, look)


class _Cycle(RequestResponseCycle):
    """One request and its reply. The head of a stream is looked through and written as a whole, which uvicorn does
    field by field; names of fields are in lower case. What comes behind it is written without a coroutine."""

    _sent: asyncio.Future[None] | None = None

    def send(self, message: Message) -> Awaitable[None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        sent = self._sent
        if sent is not None and not (self.disconnected or self.flow.write_paused or self.response_complete):
            body = message.get("body")
            if body and message.get("more_body"):
                self.transport.write(b"%x\r\n%b\r\n" % (len(body), body))
                return sent
        if self.response_started or not self._begins_a_stream(message):
            return super().send(message)  # pyright: ignore[reportArgumentType]
        return self._begin(message["headers"])

    def _begins_a_stream(self, message: Message) -> bool:
        if message["type"] != "http.response.start" or message["status"] != _OK or self.scope["method"] != "POST":
            return False
        if self.disconnected or self.flow.write_paused or self.access_log or not self.keep_alive:
            return False
        return _FRAMES.isdisjoint([name for name, _ in message["headers"]])

    async def _begin(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        names, values = zip(*headers, strict=True)
        if HEADER_RE.search(b"".join(names)) or HEADER_VALUE_RE.search(b"".join(values)):
            raise RuntimeError("a header field that cannot be sent")
        self.response_started = self.chunked_encoding = True
        # Done for good, for all who are to wait for what is written at once.
        self._sent = asyncio.get_running_loop().create_future()
        self._sent.set_result(None)
        self.waiting_for_100_continue = False
        fields = b"".join([b"%b: %b\r\n" % header for header in (*self.default_headers, *headers)])
        self.transport.write(b"%b%btransfer-encoding: chunked\r\n\r\n" % (STATUS_LINE[_OK], fields))


def _ended_by_close(cycle: RequestResponseCycle, app: ASGIApp) -> ASGIApp:
    """The app, whose replies without a length go out as they are; uvicorn closes behind every reply to HTTP/1.0."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        plain = False

        async def send_plainly(message: Message) -> None:
            nonlocal plain
            if message["type"] == "http.response.start":
                plain = all(name.lower() != b"content-length" for name, _ in message.get("headers", ()))
                if plain:
                    cycle.chunked_encoding = False
            elif plain:
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_plainly)

    return run

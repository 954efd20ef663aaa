"""Several processes take connections off one listening socket, each when it has no more of them than the others.

One socket for all, and not one for each of them (SO_REUSEPORT): the kernel would choose by chance, and connections
that wait for a process that dies, or has too much to do, would be lost or wait with it. Here they wait for whoever
comes first. That alone would be uneven: a quiet event loop takes all that there is, and the one that is woken first
is often the same. So each says how many connections it has, in memory that all see, and the busier ones hold back a
moment.
"""

import asyncio
import contextlib
import logging
import mmap
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Final

from uvicorn.config import Config
from uvicorn.server import ServerState

from antiphon.web.protocol import HttpProtocol

HOLD_BACK: Final = 0.002
"""Seconds that a process leaves a connection to those that have fewer; where they do not come, it takes it."""
OUT_OF_FILES: Final = 1.0
"""Seconds until the next attempt where the system refuses to open a connection."""
AT_ONCE: Final = 16
"""Connections that are taken at most before other work goes on."""
_ABSENT: Final = 2**63
_CELL: Final = 8

_log = logging.getLogger("antiphon.web")


class Loads:
    """How many connections each of `count` processes has, in a file that they all map.

    Nobody waits for anybody: each writes its own number only, and one that is old by a moment does no harm.
    """

    def __init__(self, file: int, count: int) -> None:
        self._memory = mmap.mmap(file, count * _CELL)
        self._cells = memoryview(self._memory).cast("Q")

    @staticmethod
    def size(count: int) -> int:
        """Bytes that the file needs."""
        return count * _CELL

    def say(self, number: int, connections: int | None) -> None:
        """The process with this number has so many; None: it takes none."""
        self._cells[number] = _ABSENT if connections is None else connections

    def said(self) -> list[int | None]:
        """What each has said."""
        return [None if cell == _ABSENT else cell for cell in self._cells]

    def least(self) -> int:
        """The fewest that one of them has."""
        return min(self._cells)


class Turns:
    """Takes connections for process `number` off listening sockets, in turn with the others.

    `open`: begin to; the connections are uvicorn's then. `close`: take no more.
    """

    def __init__(self, listeners: Sequence[socket.socket], loads: Loads, number: int) -> None:
        self._listeners: Sequence[socket.socket] = listeners
        self._loads = loads
        self._number = number
        self._connections = 0
        self._taking: set[asyncio.Task[object]] = set()
        self._held: dict[socket.socket, asyncio.TimerHandle] = {}
        self._tls: ssl.SSLContext | None = None
        self._protocol: Callable[[], HttpProtocol] | None = None

    def open(self, config: Config, state: ServerState, tls: ssl.SSLContext | None = None) -> None:
        """Take connections from now on. `tls`: they are made with it."""
        self._tls = tls
        self._protocol = lambda: _Counted(config, state, self._left)
        self._say()
        for listener in self._listeners:
            self._watch(listener)

    def close(self) -> None:
        """Take no more, and let go of the sockets; may be called more than once."""
        self._loads.say(self._number, None)
        for timer in self._held.values():
            timer.cancel()
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            if self._protocol is not None:
                loop.remove_reader(listener)
            listener.close()
        self._listeners = ()

    def _watch(self, listener: socket.socket) -> None:
        asyncio.get_running_loop().add_reader(listener, self._come, listener)

    def _come(self, listener: socket.socket) -> None:
        for _ in range(AT_ONCE):
            if self._connections > self._loads.least():
                self._hold_back(listener, HOLD_BACK)
                return
            if not self._take(listener):
                return

    def _hold_back(self, listener: socket.socket, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        self._held[listener] = loop.call_later(seconds, self._come_at_last, listener)

    def _come_at_last(self, listener: socket.socket) -> None:
        del self._held[listener]
        self._watch(listener)
        self._take(listener)

    def _take(self, listener: socket.socket) -> bool:
        """Take one connection, if one is there still."""
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False  # another was faster, or the client has gone
        except OSError as problem:
            _log.error("a connection cannot be taken: %s", problem)
            self._hold_back(listener, OUT_OF_FILES)
            return False
        connection.setblocking(False)
        with contextlib.suppress(OSError):  # its client has gone
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections += 1
        self._say()
        taking = asyncio.create_task(self._serve(connection))
        self._taking.add(taking)
        taking.add_done_callback(self._taking.discard)
        return True

    async def _serve(self, connection: socket.socket) -> None:
        assert self._protocol is not None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection, ssl=self._tls)
        except OSError:
            connection.close()
            self._left()

    def _left(self) -> None:
        self._connections -= 1
        self._say()

    def _say(self) -> None:
        if self._listeners:
            self._loads.say(self._number, self._connections)


class _Counted(HttpProtocol):
    """A connection that tells when it has ended."""

    def __init__(self, config: Config, state: ServerState, on_end: Callable[[], None]) -> None:
        super().__init__(config, state, {})
        self._on_end = on_end

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._on_end()

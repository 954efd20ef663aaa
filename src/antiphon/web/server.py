"""The listening server: one uvicorn, a door that opens when the models are ready, a shutdown that loses nothing."""

import asyncio
import contextlib
import errno
import logging
import resource
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from types import FrameType

import uvicorn

from antiphon.web.door import Door
from antiphon.web.protocol import HttpProtocol
from antiphon.web.turns import Turns

log = logging.getLogger(__name__)

_TRIES = 20
"""Ports that are tried until one is free on both loopback addresses."""


class ListenError(Exception):
    """The address cannot be listened on. The text says what to do."""


def allow_many_connections(wanted: int = 65_536) -> int:
    """Raise this process's limit of open files as far as the system lets it; the limit that holds now.

    A stream is an open file or two, and the usual limit of 1,024 would refuse clients long before the server is busy.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        return limit
    return soft


def bind(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes any free one. Raises `ListenError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as problem:
        raise ListenError(f"cannot listen on {host}:{port}: {problem.strerror}") from problem
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as problem:
        listener.close()
        if problem.errno == errno.EADDRINUSE:
            raise ListenError(
                f"port {port} on {host} is in use, by another program or a server that runs already. "
                "Choose another one with --port, or stop that program."
            ) from problem
        raise ListenError(f"cannot listen on {host}:{port}: {problem.strerror}") from problem
    listener.listen(1024)
    listener.setblocking(False)
    return listener


def bind_all(host: str, port: int) -> list[socket.socket]:
    """The sockets for a host: for 127.0.0.1 also `[::1]`, on the same port, where the machine has it.

    Clients take `localhost` for either. Raises `ListenError`.
    """
    for _ in range(_TRIES):
        listener = bind(host, port)
        if host not in ("127.0.0.1", "localhost"):
            return [listener]
        chosen = listener.getsockname()[1]
        try:
            return [listener, bind("::1", chosen)]
        except ListenError as problem:
            if not (isinstance(problem.__cause__, OSError) and problem.__cause__.errno == errno.EADDRINUSE):
                return [listener]
            if port:
                log.warning("%s Clients that take localhost for ::1 reach that one.", problem)
                return [listener]
            listener.close()
    raise ListenError(f"no port was free on both {host} and ::1. Choose one with --port.")


def address(listener: socket.socket) -> tuple[str, int]:
    """The host and port that a socket is bound to."""
    host, port, *_ = listener.getsockname()
    return host, port


class HttpServer:
    """Serves a door on bound sockets until it is told to stop.

    `keep_alive`: seconds that an idle connection is kept.
    The first SIGINT or SIGTERM stops the listening and lets open requests finish, for `drain_timeout` seconds at
    most (`on_drain` is told how many there are); a second one stops at once. `on_stop` is called whenever it stops.
    `turns`: connections are taken in turn with other processes, once `accept` is called; what signals mean is said to
    the process that keeps them all, and none is heard here. `tls`: connections are made with it.
    """

    def __init__(
        self,
        door: Door,
        listeners: Sequence[socket.socket],
        *,
        keep_alive: float,
        drain_timeout: float,
        on_drain: Callable[[int], None],
        on_stop: Callable[[], None] = lambda: None,
        turns: Turns | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._door = door
        self._listeners = () if turns else listeners
        self._turns = turns
        self._on_drain = on_drain
        self._on_stop = on_stop
        self._tls = tls
        config = uvicorn.Config(
            door,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nobody here asks where a request came from
            lifespan="off",
            ws="none",
            http=HttpProtocol,
            timeout_keep_alive=keep_alive,  # pyright: ignore[reportArgumentType] - it only times a call
            ssl_context_factory=None if tls is None else _always(tls),
            timeout_graceful_shutdown=max(1, round(drain_timeout)),
        )
        self._server = _Uvicorn(config)

    async def run(self, start: Callable[[], Awaitable[None]]) -> None:
        """Listen, run `start` (which opens the door), and serve until stopped. Errors of `start` end it."""
        loop = asyncio.get_running_loop()
        heard = () if self._turns else (signal.SIGINT, signal.SIGTERM)
        for number in heard:
            loop.add_signal_handler(number, self._on_signal)
        serving = asyncio.create_task(self._server.serve(sockets=[*self._listeners]))
        starting = asyncio.ensure_future(start())
        try:
            await asyncio.wait({serving, starting}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await serving
        finally:
            starting.cancel()
            self.stop()
            await asyncio.gather(starting, serving, return_exceptions=True)
            for number in heard:
                loop.remove_signal_handler(number)

    def accept(self) -> None:
        """Take connections in turn with the others."""
        assert self._turns is not None
        self._turns.open(self._server.config, self._server.server_state, self._tls)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop listening, finish what is open, or leave it where it is to be `at_once`."""
        self._door.drain()
        self._on_stop()
        if self._turns is not None:
            self._turns.close()
        self._server.should_exit = True
        self._server.force_exit = self._server.force_exit or at_once

    def _on_signal(self) -> None:
        if self._server.should_exit:
            self.stop(at_once=True)
            return
        self._on_drain(self._door.in_flight)
        self.stop()


def _always(tls: ssl.SSLContext) -> Callable[[uvicorn.Config, Callable[[], ssl.SSLContext]], ssl.SSLContext]:
    def context(config: uvicorn.Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        return tls

    return context


class _Uvicorn(uvicorn.Server):
    """Signals are ours: uvicorn would raise them again after its shutdown and end the process before the engines."""

    @contextlib.contextmanager
    def capture_signals(self):  # pyright: ignore
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        raise AssertionError("no signal handler of uvicorn's is installed")

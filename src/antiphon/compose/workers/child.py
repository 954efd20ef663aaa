"""The program of a worker: a whole server, but for the sockets, the embedded models and the signals.

python -m antiphon.compose.workers.child NUMBER     of the socket that the parent speaks on
"""

import asyncio
import ctypes
import logging
import os
import pickle
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import uvloop

from antiphon.compose.assembly import Ground, assemble, settle_memory
from antiphon.compose.engines import attach_engine, is_embedded, start_engine
from antiphon.compose.listening import log_as, tls_of
from antiphon.compose.observer import StartError
from antiphon.compose.reloading import Changes, Live
from antiphon.compose.telemetry import tracer_for
from antiphon.compose.workers.channel import Channel
from antiphon.compose.workers.following import ORDERS, Following
from antiphon.compose.workers.lines import Lent, Lines
from antiphon.compose.workers.shares import share_of
from antiphon.compose.workers.telling import Peers
from antiphon.config import ConfigError, ModelSettings, Settings
from antiphon.ports.engine import Engine
from antiphon.web.door import Door
from antiphon.web.server import HttpServer
from antiphon.web.turns import Loads, Turns

if TYPE_CHECKING:
    from antiphon.engines.remote.endpoint import Findings

ORPHANED: Final = 70
_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Serve until the parent says that it is enough, or is gone."""
    # Ctrl-C reaches every process of the terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":  # sooner than the end of the channel is read, where the loop is busy
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    sys.exit(uvloop.run(_run(socket.socket(fileno=int(sys.argv[1])))))


async def _run(end: socket.socket) -> int:
    parent = _Parent()
    await parent.listen(end)
    start = await parent.start
    _log(start)
    try:
        await _serve(start, parent)
    except (StartError, ConfigError) as problem:
        parent.say({"failed": str(problem), "kind": type(problem).__name__})
        return 1
    finally:
        await parent.aclose()
    return 0


@dataclass(frozen=True, slots=True)
class _Start:
    """What a worker is started with. `first`: none of the others answers yet."""

    settings: Settings
    number: int
    workers: int
    first: bool
    loads: int
    listeners: Sequence[int]


class _Parent:
    """What the parent says, as it comes, and what is said to it. Its end is this process's end."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.start: asyncio.Future[_Start] = loop.create_future()
        self.homes: asyncio.Future[dict[str, Lent]] = loop.create_future()
        self.opened = asyncio.Event()
        self.server: HttpServer | None = None
        self.door: Door | None = None
        self.peers: Peers | None = None
        self.following: Following | None = None
        self._lines = Lines(self.say)
        self._live: Live | None = None
        self._changes: list[Changes] = []
        self._channel: Channel | None = None
        self._closed = False

    async def listen(self, end: socket.socket) -> None:
        """Hear the parent from now on."""
        self._channel = await Channel.open(end, self._hear, self._lost)

    def say(self, message: dict[str, Any], data: bytes = b"") -> None:
        """Tell the parent."""
        if self._channel is not None:
            self._channel.send(message, data)

    async def aclose(self) -> None:
        """Hear the parent no more."""
        self._closed = True
        if self._channel is not None:
            await self._channel.aclose()

    def keep(self, live: Live) -> None:
        """Change these settings from now on, as the parent has said since the start."""
        self._live = live
        while self._changes:
            live.change(self._changes.pop(0))

    def stop(self) -> None:
        """Take no more requests, and finish those that are open."""
        self.say({"open": 0 if self.door is None else self.door.in_flight})
        if self.server is not None:
            self.server.stop()

    def _hear(self, message: dict[str, Any], data: bytes) -> None:
        if "home" in message:
            self._lines.hear(message)
        elif "start" in message:
            start = _Start(pickle.loads(data), **message["start"])
            self.peers = Peers(start.number, self.say)
            self.following = Following(self.say, self._lines, partial(_engine_of, start, _Observer(self)))
            self.start.set_result(start)
        elif "homes" in message:
            self.homes.set_result(self._lines.open(pickle.loads(data)))
        elif message.keys() & ORDERS:
            if self.following is not None:
                self.following.hear(message, data)
        else:
            self._obey(message, data)

    def _obey(self, message: dict[str, Any], data: bytes) -> None:
        if "measure" in message or "gathered" in message:
            if self.peers is not None:
                self.peers.hear(message, data)
        elif "change" in message:
            self._changes.append(pickle.loads(data))
            if self._live is not None:
                self.keep(self._live)
        elif "open" in message:
            self.opened.set()
        elif "stop" in message:
            self.stop()
        elif self.server is not None:
            self.server.stop(at_once=True)

    def _lost(self) -> None:
        if not self._closed:
            os._exit(ORPHANED)  # without its engines and its slots nothing can be finished


class _Observer:
    """Tells the parent's observer how the start goes."""

    def __init__(self, parent: _Parent) -> None:
        self._parent = parent

    def stage(self, text: str) -> None:
        """A step begins."""
        self._tell("stage", text)

    def download(self, name: str, done: int, total: int | None) -> None:
        """So much has come."""
        self._tell("download", name, done, total)

    def found(self, model: str, url: str, findings: "Findings") -> None:
        """This is at a URL."""
        self._tell("found", model, url, findings)

    def offering(self, tools: Sequence[str]) -> None:
        """The tools inside the server."""
        self._tell("offering", list(tools))

    def listening(self, url: str, model_names: Sequence[str], *, keyed: bool) -> None:
        """The parent knows best."""

    def draining(self, open_requests: int) -> None:
        """The parent counts."""

    def _tell(self, what: str, *values: Any) -> None:
        self._parent.say({"tell": what}, pickle.dumps(values))


async def _serve(start: _Start, parent: _Parent) -> None:
    settings = start.settings
    ground = Ground.of(settings)
    tracer = tracer_for(settings)
    door = parent.door = ground.door(tracer)
    listeners = [socket.socket(fileno=number) for number in start.listeners]
    tls = tls_of(settings)
    live = Live(ground, door, tls)
    parent.keep(live)
    turns = Turns(listeners, Loads(start.loads, start.workers), start.number - 1)
    observer = _Observer(parent)
    server = parent.server = HttpServer(
        door,
        listeners,
        keep_alive=settings.keep_alive,
        drain_timeout=settings.drain_timeout,
        on_drain=observer.draining,
        on_stop=ground.ending.begin,
        turns=turns,
        tls=tls,
    )
    # Whoever stops all processes of a service stops this one with them.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, parent.stop)

    async def engine_for(model: ModelSettings) -> Engine:
        lent = (await parent.homes).get(model.id) if is_embedded(model) else None
        return await _engine_of(start, observer, model, lent)

    async with AsyncExitStack() as running:
        running.push_async_callback(ground.fetcher.aclose)
        if tracer is not None:
            running.push_async_callback(tracer.aclose)

        async def open_door() -> None:
            if start.first:
                server.accept()  # and say that all is loading
            live.open(await assemble(ground, engine_for, observer, running, parent.peers))
            assert parent.following is not None
            running.push_async_callback(parent.following.aclose)
            parent.following.open(ground.fleet, parent.homes.result() if parent.homes.done() else {})
            settle_memory()
            parent.say({"ready": True})
            await parent.opened.wait()
            logging.getLogger().setLevel(live.settings.log_level.upper())
            if not start.first:
                server.accept()

        await server.run(open_door)


async def _engine_of(start: _Start, observer: _Observer, model: ModelSettings, lent: Lent | None) -> Engine:
    """A started engine for a model, which the parent may have `lent`. Raises `StartError`."""
    if lent is None:
        return await start_engine(share_of(model, start.number - 1, start.workers), start.settings, observer)
    return await attach_engine(lent.found, start.settings, lent.home)


def _log(start: _Start) -> None:
    log_as(start.settings, f"%(levelname)s %(name)s: [worker {start.number}] %(message)s", start.number)
    if start.number > 1 or not start.first:
        # What there is to say of the settings, the first one says for all.
        logging.getLogger().setLevel(logging.ERROR)


if __name__ == "__main__":
    main()

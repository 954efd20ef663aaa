"""One worker, as the parent sees it."""

import asyncio
import contextlib
import pickle
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from antiphon.compose.engines import Found
from antiphon.compose.observer import LoggedObserver, ServerObserver, StartError
from antiphon.compose.reloading import Changes
from antiphon.compose.workers.channel import Channel
from antiphon.compose.workers.following import ANSWERS, Order
from antiphon.compose.workers.lines import Told
from antiphon.compose.workers.telling import Asked
from antiphon.config import ConfigError, Settings
from antiphon.service.measuring import Measured
from antiphon.service.metrics import Family
from antiphon.web.turns import Loads

if TYPE_CHECKING:
    from antiphon.engines.llamacpp.embedded.home import EmbeddedHome
    from antiphon.engines.llamacpp.lent.line import Send
    from antiphon.engines.llamacpp.lent.sharing import Share

PROGRAM: Final = "antiphon.compose.workers.child"
FORCED: Final = 2.0
"""Seconds that a worker gets to end that is to finish nothing, and beyond the time that requests get to finish."""
_COUNTED: Final = 1.0


@dataclass(frozen=True, slots=True)
class Owned:
    """A model that the parent runs. `line`: see `Told`."""

    line: str
    found: Found
    home: "EmbeddedHome"

    @property
    def told(self) -> Told:
        """What workers are told of it."""
        return Told(self.line, self.found, self.home.marker)


Homes = Mapping[str, Owned]
"""The models that the parent runs, by their ids."""


class Exchanges(Protocol):
    """Who is told of workers, and of what they say of models."""

    def joined(self, worker: "WorkerProcess") -> None:
        """It has been told what is served now, and hears from now on."""
        ...

    def heard(self, worker: "WorkerProcess", message: dict[str, Any]) -> None:
        """It says this."""
        ...

    def gone(self, worker: "WorkerProcess", how: str) -> None:
        """It has ended, in words."""
        ...


@dataclass(slots=True)
class Shared:
    """What all workers have in common. `homes` come when they are loaded; with `settings` they say what is served.
    `opened`: all workers have been ready; `living`: those that have been told what is served. `gather`: what all but
    one of them tell of themselves, and the parent."""

    settings: Settings
    listeners: Sequence[socket.socket]
    loads_file: int
    loads: Loads
    observer: ServerObserver
    homes: asyncio.Future[Homes] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    opened: bool = False
    living: "set[WorkerProcess]" = field(default_factory=lambda: set["WorkerProcess"]())
    exchanges: Exchanges | None = None
    gather: "Callable[[WorkerProcess], Awaitable[Measured]] | None" = None
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when nothing is to be finished any more."""


class WorkerProcess:
    """A worker that has been started. Made by `launch`."""

    def __init__(self, number: int, shared: Shared, process: asyncio.subprocess.Process, *, first: bool) -> None:
        self.number = number
        self.tells = False
        """Whether it is the one that tells the log of models that come."""
        self._shared = shared
        self._process = process
        self._observed = shared.observer if first and number == 1 else None
        self._channel: Channel | None = None
        self._shares: dict[str, Share] = {}
        self._asked = Asked(self._send, "measure")
        self._gathering: set[asyncio.Task[None]] = set()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._gone = asyncio.create_task(self._end())

    @classmethod
    async def launch(cls, number: int, shared: Shared, *, first: bool) -> Self:
        """Start worker `number` and wait until it is ready. The `first` ones answer before that: that all is loading.

        Raises `StartError` or `ConfigError`, in the worker's words.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            files = [theirs.fileno(), shared.loads_file, *(listener.fileno() for listener in shared.listeners)]
            process = await asyncio.create_subprocess_exec(
                # -P: the working directory is not searched for modules.
                sys.executable, "-P", "-m", PROGRAM, str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL, pass_fds=files,
            )  # fmt: skip
        worker = cls(number, shared, process, first=first)
        try:
            await worker._begin(ours, first=first)
        except BaseException:
            await worker._kill()
            raise
        return worker

    def open(self) -> None:
        """Let it answer."""
        self._send({"open": True})

    async def measured(self) -> list[Family]:
        """What it tells of itself; nothing where it does not in time."""
        return await self._asked.ask() or []

    def change(self, changes: Changes) -> None:
        """Let it answer by other settings."""
        self._send({"change": True}, pickle.dumps(changes))

    @property
    def is_ready(self) -> bool:
        """Whether it could answer, as long as it lives."""
        return self._ready.done() and self._ready.exception() is None

    def prepare(self, number: int, models: Mapping[str, Any], homes: Homes, *, tells: bool) -> None:
        """Let it start what is new of these models, of which the parent runs some. `number`: that of the exchange."""
        self.tells = tells
        order = Order(models, {id_: owned.told for id_, owned in homes.items()}, quiet=not tells)
        self._send({"prepare": number}, pickle.dumps(order))
        self._lend(homes)

    def take(self, number: int) -> None:
        """Let it serve what it has prepared."""
        self.tells = False
        self._send({"take": number})

    def drop(self, number: int, homes: Homes) -> None:
        """Let it end what it has prepared, or prepares."""
        self.tells = False
        self._send({"drop": number})
        for owned in homes.values():
            self.leave(owned)

    def leave(self, owned: Owned) -> None:
        """It has no use for this any more."""
        share = self._shares.pop(owned.line, None)
        if share is not None:
            share.close()

    async def wait(self) -> str:
        """Wait until it is gone; how it ended, in words."""
        code = await asyncio.shield(self._gone)
        return f"worker {self.number} {_ending(code)}."

    async def stop(self) -> None:
        """Let it finish its requests, in as long as the settings say, and end it."""
        self._send({"stop": True})
        patience = self._shared.settings.drain_timeout + FORCED
        ending = asyncio.create_task(self._shared.ending.wait())
        await asyncio.wait({self._gone, ending}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if not self._gone.done():
            self._send({"now": True})
            await asyncio.wait({self._gone}, timeout=FORCED)
        await self._kill()

    async def open_requests(self) -> int:
        """How many it has not answered yet when it is told to stop, as far as it says so."""
        await asyncio.wait({self._open, self._gone}, timeout=_COUNTED, return_when=asyncio.FIRST_COMPLETED)
        return self._open.result() if self._open.done() else 0

    async def _begin(self, ours: socket.socket, *, first: bool) -> None:
        self._channel = await Channel.open(ours, self._hear, self._cut)
        shared = self._shared
        start = {
            "number": self.number,
            "workers": shared.settings.workers,
            "first": first,
            "loads": shared.loads_file,
            "listeners": [listener.fileno() for listener in shared.listeners],
        }
        # Without a pause: it joins those that are told of a change to what it is told here.
        self._send({"start": start}, pickle.dumps(shared.settings))
        shared.living.add(self)
        homes = asyncio.create_task(self._share(shared.homes))
        if shared.exchanges is not None:
            shared.exchanges.joined(self)
        try:
            await asyncio.wait({self._ready, self._gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            homes.cancel()
            await asyncio.gather(homes, return_exceptions=True)
        if not self._ready.done():
            raise StartError(f"worker {self.number} {_ending(self._gone.result())} before it was ready")
        self._ready.result()
        if shared.opened:
            self.open()

    async def _share(self, coming: asyncio.Future[Homes]) -> None:
        """Tell it of the parent's models, once they are loaded."""
        homes = await asyncio.shield(coming)
        self._send({"homes": True}, pickle.dumps({id_: owned.told for id_, owned in homes.items()}))
        self._lend(homes)

    def _lend(self, homes: Homes) -> None:
        if homes:
            from antiphon.engines.llamacpp.lent.sharing import Share

            self._shares |= {owned.line: Share(owned.home, self._line(owned.line)) for owned in homes.values()}

    def _line(self, name: str) -> "Send":
        return lambda message, data: self._send({"home": name, **message}, data)

    def _send(self, message: dict[str, Any], data: bytes = b"") -> None:
        if self._channel is not None:
            self._channel.send(message, data)

    def _hear(self, message: dict[str, Any], data: bytes) -> None:
        if "home" in message:
            share = self._shares.get(message["home"])
            if share is not None:  # it may not know yet that a model it had prepared is not to be
                share.hear(message, data)
        elif message.keys() & ANSWERS:
            if self in self._shared.living and self._shared.exchanges is not None:
                self._shared.exchanges.heard(self, message)
        elif "measured" in message:
            self._asked.answered(message["measured"], data)
        elif "gather" in message:
            task = asyncio.create_task(self._gather(message["gather"]))
            self._gathering.add(task)
            task.add_done_callback(self._gathering.discard)
        elif "tell" in message:
            self._tell(message["tell"], data)
        elif "open" in message:
            if not self._open.done():
                self._open.set_result(message["open"])
        elif not self._ready.done():
            if "failed" in message:
                kind = ConfigError if message["kind"] == ConfigError.__name__ else StartError
                self._ready.set_exception(kind(message["failed"]))
            else:
                self._ready.set_result(None)

    async def _gather(self, number: int) -> None:
        told = {} if self._shared.gather is None else await self._shared.gather(self)
        self._send({"gathered": number}, pickle.dumps(told))

    def _tell(self, what: str, values: bytes) -> None:
        observer = LoggedObserver() if self.tells else self._observed
        if observer is not None:
            tellers = (observer.stage, observer.download, observer.found, observer.offering)
            {teller.__name__: teller for teller in tellers}[what](*pickle.loads(values))

    def _cut(self) -> None:
        """It says no more: it is gone, or about to be."""
        self._free()
        asyncio.get_running_loop().call_later(FORCED, self._kill_now)

    def _free(self) -> None:
        """What it had is free for the others."""
        self._shared.loads.say(self.number - 1, None)
        while self._shares:
            self._shares.popitem()[1].close()

    def _kill_now(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.kill()

    async def _end(self) -> int:
        code = await self._process.wait()
        self._shared.living.discard(self)
        if self._shared.exchanges is not None:
            self._shared.exchanges.gone(self, f"worker {self.number} {_ending(code)}")
        return code

    async def _kill(self) -> None:
        self._kill_now()
        await self._gone
        if self._channel is not None:
            await self._channel.aclose()
        self._free()
        if self._ready.done():
            self._ready.exception()  # it has been told, or nobody waits for it any more


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"

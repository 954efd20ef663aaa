"""The parent's models, and the exchange of models in all workers at once: in every one of them, or in none.

What is new is loaded here, where it is a model that the parent runs. Then every worker is asked to prepare it beside
what it serves; when each that lives could, all are told to take it, and whoever is started from then on begins with
it. A model that is served no more ends behind the last worker that has let go of it.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from antiphon.compose.engines import is_embedded, start_home
from antiphon.compose.exchanging import Change, of_models, tell_ended
from antiphon.compose.observer import LoggedObserver, ServerObserver, StartError
from antiphon.compose.workers.process import Owned, Shared, WorkerProcess
from antiphon.compose.workers.vote import Vote
from antiphon.config import ConfigError, ModelSettings

if TYPE_CHECKING:
    from antiphon.engines.llamacpp.embedded.home import EmbeddedHome

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Exchange:
    """One that is under way. `done`: all have taken what is new; its failure: none has, and why. `taking`: those that
    have not said yet that they did."""

    number: int
    change: Change
    homes: Mapping[str, Owned]
    vote: Vote[WorkerProcess] = field(default_factory=Vote["WorkerProcess"])
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    taking: set[WorkerProcess] | None = None


@dataclass(slots=True)
class _Ending:
    """A model that is served no more, and the workers that have not let go of it. `home`: None where each worker has
    an engine of its own."""

    id: str
    home: Owned | None
    left: set[WorkerProcess]


class Exchanges:
    """The models of all workers. It is told of each worker's coming and going, and of what it says of models."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._homes: dict[str, EmbeddedHome] = {}
        self._numbers = count(1)
        self._exchange: _Exchange | None = None
        self._endings: dict[tuple[int, str], _Ending] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """The models of the start that the parent runs, which workers wait for. Raises `StartError`."""
        shared = self._shared
        embedded = [model for model in shared.settings.models.values() if is_embedded(model)]
        shared.homes.set_result({model.id: await self._load(model, model.id, shared.observer) for model in embedded})

    async def exchange(self, change: Change) -> None:
        """Let all workers go over to other models, or none: then it raises `StartError` or `ConfigError`."""
        homes = dict[str, Owned]()
        exchange = _Exchange(next(self._numbers), change, homes)
        models = [change.found.models[id_] for id_ in change.started]
        try:
            for model in filter(is_embedded, models):
                # A name that none has: workers may still speak of the model that has had this id before.
                homes[model.id] = await self._load(model, f"{model.id} {exchange.number}", LoggedObserver())
            await self._all_or_none(exchange)
        finally:
            if exchange.taking is None:
                await asyncio.gather(*(self._close(home) for home in homes.values()))

    def joined(self, worker: WorkerProcess) -> None:
        """It has been told what is served now, and hears from now on."""
        exchange = self._exchange
        if exchange is not None and exchange.taking is None and exchange.vote.is_open:
            self._ask(exchange, worker)

    def heard(self, worker: WorkerProcess, message: dict[str, Any]) -> None:
        """What a worker says of models, as `Following` does."""
        exchange = self._exchange
        if "ended" in message:
            self._let_go(worker, (message["of"], message["ended"]))
        elif exchange is not None and exchange.number == message["of"]:
            if "prepared" in message:
                exchange.vote.could(worker)
            elif "cannot" in message:
                kind = ConfigError if message["kind"] == ConfigError.__name__ else StartError
                exchange.vote.cannot(kind(message["cannot"]))
            elif exchange.taking is not None:
                exchange.taking.discard(worker)
            self._go_on(exchange)

    def gone(self, worker: WorkerProcess, how: str) -> None:
        """It has died, or ended."""
        for key in list(self._endings):
            self._let_go(worker, key)
        exchange = self._exchange
        if exchange is None:
            return
        problem = StartError(f"{how} while others were loaded, and so had the one before it")
        exchange.vote.died(worker, worker.number, answered=worker.is_ready, problem=problem)
        if exchange.taking is not None:
            exchange.taking.discard(worker)
        self._go_on(exchange)

    async def aclose(self) -> None:
        """End the parent's models."""
        await asyncio.gather(*(home.aclose() for home in self._homes.values()))
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _all_or_none(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        for worker in sorted(self._shared.living, key=lambda worker: worker.number):
            self._ask(exchange, worker)
        try:
            await exchange.done
        finally:
            self._exchange = None
            if exchange.taking is None:
                for worker in self._shared.living:
                    worker.drop(exchange.number, exchange.homes)

    def _ask(self, exchange: _Exchange, worker: WorkerProcess) -> None:
        first = not any(other.tells for other in self._shared.living)
        exchange.vote.ask(worker)
        worker.prepare(exchange.number, of_models(exchange.change.found), exchange.homes, tells=first)

    def _go_on(self, exchange: _Exchange) -> None:
        """Take what is new in the moment in which all could, so that nobody joins or dies in between."""
        if exchange.done.done():
            return
        if exchange.vote.problem is not None and exchange.taking is None:
            exchange.done.set_exception(exchange.vote.problem)
        elif exchange.vote.is_won and exchange.taking is None:
            self._take(exchange)
        if exchange.taking is not None and not exchange.taking:
            exchange.done.set_result(None)

    def _take(self, exchange: _Exchange) -> None:
        shared, change = self._shared, exchange.change
        before = shared.homes.result()
        embedded = [model.id for model in change.found.models.values() if is_embedded(model)]
        shared.settings = replace(shared.settings, **of_models(change.found))
        shared.homes = asyncio.get_running_loop().create_future()
        shared.homes.set_result({id_: exchange.homes.get(id_) or before[id_] for id_ in embedded})
        exchange.taking = set(shared.living)
        for worker in shared.living:
            worker.take(exchange.number)
        for id_ in change.gone:
            self._endings[exchange.number, id_] = _Ending(id_, before.get(id_), set(shared.living))
            self._finish((exchange.number, id_))

    def _let_go(self, worker: WorkerProcess, key: tuple[int, str]) -> None:
        ending = self._endings.get(key)
        if ending is not None:
            ending.left.discard(worker)
            if ending.home is not None:
                worker.leave(ending.home)
            self._finish(key)

    def _finish(self, key: tuple[int, str]) -> None:
        if not self._endings[key].left:
            task = asyncio.create_task(self._end(self._endings.pop(key)))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _end(self, ending: _Ending) -> None:
        if ending.home is not None:
            await self._close(ending.home)
        tell_ended(ending.id)

    async def _load(self, model: ModelSettings, line: str, observer: ServerObserver) -> Owned:
        found, home = await start_home(model, self._shared.settings, observer)
        self._homes[line] = home
        return Owned(line, found, home)

    async def _close(self, home: Owned) -> None:
        self._homes.pop(home.line, None)
        await home.home.aclose()

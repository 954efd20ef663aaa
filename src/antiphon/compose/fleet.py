"""The models of one process: started, exchanged for others while it runs, closed at its end.

An exchange is whole or none: what is new is started beside what serves, and only when all of it is there do names go
to it. A model that is served no more ends behind the last request that was given to it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.compose.edges import reads_pictures
from antiphon.compose.exchanging import Change, of_models, tell_ended
from antiphon.compose.models import families, load_catalogue, ready_model, with_own
from antiphon.config import ModelSettings, Settings
from antiphon.ports.engine import Engine
from antiphon.profiles import Catalogue
from antiphon.service.served import ModelRoutes, ServedModel

StartEngine = Callable[[ModelSettings], Awaitable[Engine]]
"""Gives a started engine for a model; raises `StartError`."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Models that could be served from one moment to the next; of these were `started` for it."""

    settings: Settings
    served: Mapping[str, ServedModel]
    started: Mapping[str, ServedModel]
    catalogue: Catalogue


class Fleet:
    """Keeps the models of one process."""

    def __init__(self) -> None:
        self._exchanged: Callable[[Mapping[str, Any]], None] | None = None
        self._engines: list[Engine] = []
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def settings(self) -> Settings:
        """Those whose models are served."""
        return self._settings

    async def start(self, settings: Settings, start_engine: StartEngine) -> ModelRoutes:
        """Every model of the settings, started, and the names that go to them. Raises `StartError`, `ConfigError`."""
        self._settings = settings
        self._start_engine = start_engine
        served = {model.id: await self._served(model, settings, start_engine) for model in settings.models.values()}
        catalogue = with_own(load_catalogue(settings), served)
        self._routes = ModelRoutes(catalogue, served, settings.default_model, settings.routes)
        return self._routes

    def open(self, exchanged: Callable[[Mapping[str, Any]], None]) -> None:
        """Requests come. `exchanged`: is told the new settings when names go elsewhere."""
        self._exchanged = exchanged

    async def exchange(self, change: Change) -> None:
        """Go over to other models, or stay: raises `StartError` or `ConfigError`."""
        self.take(await self.prepare(change.found, self._start_engine), tell_ended)

    async def prepare(self, found: Settings, start_engine: StartEngine, *, quiet: bool = False) -> Ready:
        """The models of these settings beside those that are served, which go on. Raises `StartError`, `ConfigError`.

        `quiet`: another process tells the log what there is to say of them."""
        started: dict[str, ServedModel] = {}
        try:
            for id_ in Change(self._settings, found).started:
                started[id_] = await self._served(found.models[id_], found, start_engine, quiet=quiet)
            served = {id_: started.get(id_) or self._routes.served[id_] for id_ in found.models}
            return Ready(found, served, started, with_own(load_catalogue(found), served))
        except BaseException:
            for one in started.values():
                await self._close(one.engine)
            raise

    async def drop(self, ready: Ready) -> None:
        """These are not to be served."""
        for one in ready.started.values():
            await self._close(one.engine)

    def take(self, ready: Ready, ended: Callable[[str], None]) -> None:
        """Serve these from the next request on. `ended`: is told the id of each model that is served no more, once it
        has ended."""
        before = self._routes.served
        self._routes.become(ready.catalogue, ready.served, ready.settings.default_model, ready.settings.routes)
        self._settings = ready.settings
        if self._exchanged is not None:
            self._exchanged(of_models(ready.settings))
        for id_, one in before.items():
            if ready.served.get(id_) is not one:
                task = asyncio.create_task(self._end(one, ended))
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)

    async def settled(self) -> None:
        """Return when all that is served no more has ended."""
        while self._ending:
            await asyncio.wait(self._ending)

    async def aclose(self) -> None:
        """End all that runs."""
        ending = list(self._ending)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        for engine in reversed(self._engines):
            await engine.aclose()

    async def _served(
        self, model: ModelSettings, settings: Settings, start_engine: StartEngine, *, quiet: bool = False
    ) -> ServedModel:
        engine = await start_engine(model)
        self._engines.append(engine)
        try:
            reads = reads_pictures(model, engine, settings.media.memory, quiet=quiet)
            return ready_model(engine, families(settings)[model.id], reads=reads)
        except BaseException:
            await self._close(engine)
            raise

    async def _end(self, one: ServedModel, ended: Callable[[str], None]) -> None:
        await self._routes.holds.without(one)
        await self._close(one.engine)
        ended(one.engine.card.id)

    async def _close(self, engine: Engine) -> None:
        if engine in self._engines:
            self._engines.remove(engine)
        await engine.aclose()

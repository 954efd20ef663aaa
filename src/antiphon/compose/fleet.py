"""The models of one process: started, exchanged for others while it runs, closed at its end.

An exchange is whole or none: what is new is started beside what serves, and only when all of it is there do names go
to it. A model that is served no more ends behind the last request that was given to it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

from antiphon.compose.edges import reads_pictures
from antiphon.compose.models import families, load_catalogue, ready_model, with_own
from antiphon.compose.observer import StartError
from antiphon.config import ConfigError, ModelSettings, Settings
from antiphon.ports.engine import Engine
from antiphon.service.served import ModelRoutes, ServedModel

log = logging.getLogger(__name__)

OF_MODELS: Final = ("models", "default_model", "routes", "aliases", "profiles")
"""The settings that say which models there are, and which names go to them."""

StartEngine = Callable[[ModelSettings], Awaitable[Engine]]
"""Gives a started engine for a model; raises `StartError`."""


class Fleet:
    """Keeps the models of one process."""

    def __init__(self) -> None:
        self._exchanged: Callable[[Mapping[str, Any]], None] | None = None
        self._engines: list[Engine] = []
        self._wanted: Settings | None = None
        self._working: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def start(self, settings: Settings, start_engine: StartEngine) -> ModelRoutes:
        """Every model of the settings, started, and the names that go to them. Raises `StartError`, `ConfigError`."""
        self._settings = settings
        self._start_engine = start_engine
        served = {model.id: await self._served(model, settings) for model in settings.models.values()}
        catalogue = with_own(load_catalogue(settings), served)
        self._routes = ModelRoutes(catalogue, served, settings.default_model, settings.routes)
        return self._routes

    def open(self, exchanged: Callable[[Mapping[str, Any]], None]) -> None:
        """Requests come: exchange models from now on. `exchanged`: is told the new settings when names go
        elsewhere."""
        self._exchanged = exchanged
        if self._wanted is not None:
            self.want(self._wanted)

    def want(self, found: Settings) -> bool:
        """Serve the models of these settings as soon as they are there, in the background; whether that is to be
        anything else than now."""
        self._wanted = found
        if self._exchanged is None:
            return True
        if self._working is None and _same(self._settings, found):
            self._wanted = None
            return False
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        return True

    async def settled(self) -> None:
        """Return when there is nothing more to exchange, and all that is served no more has ended."""
        while self._working is not None or self._ending:
            await asyncio.wait([*self._ending, *([self._working] if self._working else [])])

    async def aclose(self) -> None:
        """End all that runs."""
        tasks = [*self._ending, *([self._working] if self._working else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for engine in reversed(self._engines):
            await engine.aclose()

    async def _work(self) -> None:
        try:
            while self._wanted is not None:
                wanted, self._wanted = self._wanted, None
                if not _same(self._settings, wanted):
                    await self._exchange(wanted)
        finally:
            self._working = None

    async def _exchange(self, found: Settings) -> None:
        """Go over to the models of these settings; where that fails, all stays as it was, and the log says why."""
        started: dict[str, ServedModel] = {}
        try:
            _check_helpers(self._settings, found)
            families(found)
            load_catalogue(found)
            for model in found.models.values():
                if self._settings.models.get(model.id) != model:
                    log.info("model %s is being loaded", model.id)
                    started[model.id] = await self._served(model, found)
            before = self._routes.served
            served = {id_: started[id_] if id_ in started else before[id_] for id_ in found.models}
            catalogue = with_own(load_catalogue(found), served)
        except BaseException as problem:
            for one in started.values():
                await self._close(one.engine)
            if isinstance(problem, StartError | ConfigError):
                log.error("the models stay as they were: %s", problem)
            elif isinstance(problem, Exception):
                log.exception("the models stay as they were")
            else:
                raise
            return
        self._routes.become(catalogue, served, found.default_model, found.routes)
        self._settings = found
        if self._exchanged is not None:
            self._exchanged({name: getattr(found, name) for name in OF_MODELS})
        gone = [one for id_, one in before.items() if served.get(id_) is not one]
        log.info("the models are now %s", _told(served, started, [one.engine.card.id for one in gone]))
        for one in gone:
            task = asyncio.create_task(self._end(one))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _served(self, model: ModelSettings, settings: Settings) -> ServedModel:
        engine = await self._start_engine(model)
        self._engines.append(engine)
        try:
            reads = reads_pictures(model, engine, settings.media.memory)
            return ready_model(engine, families(settings)[model.id], reads=reads)
        except BaseException:
            await self._close(engine)
            raise

    async def _end(self, one: ServedModel) -> None:
        await self._routes.holds.without(one)
        await self._close(one.engine)
        log.info("model %s, which is served no more, has ended", one.engine.card.id)

    async def _close(self, engine: Engine) -> None:
        if engine in self._engines:
            self._engines.remove(engine)
        await engine.aclose()


def _same(now: Settings, found: Settings) -> bool:
    return all(getattr(now, name) == getattr(found, name) for name in OF_MODELS)


def _check_helpers(now: Settings, found: Settings) -> None:
    """Raise where a model that works for others would be another one: who it is, is settled at the start."""
    for id_, does in ((now.thinking.summarizer, "retells thoughts"), (now.guard_model.model, "judges requests")):
        if id_ is not None and found.models.get(id_) != now.models[id_]:
            raise ConfigError(f"{id_} {does}, and is another one only from the next start on")


def _told(served: Collection[str], started: Collection[str], gone: Collection[str]) -> str:
    said = {
        "new": [id_ for id_ in started if id_ not in gone],
        "changed": [id_ for id_ in started if id_ in gone],
        "served no more": [id_ for id_ in gone if id_ not in started],
    }
    parts = [f"{what}: {', '.join(ids)}" for what, ids in said.items() if ids]
    return ", ".join(served) + (f" ({'; '.join(parts)})" if parts else "")

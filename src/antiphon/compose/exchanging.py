"""Models are exchanged for others while the server answers: what changes, in which order, and what the log has of it.

How it is done is another's: of one process (`compose.fleet`), or of several (`compose.workers.exchanges`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from antiphon.compose.models import families, load_catalogue
from antiphon.compose.observer import StartError
from antiphon.config import ConfigError, Settings

log = logging.getLogger(__name__)

OF_MODELS: Final = ("models", "default_model", "routes", "aliases", "profiles")
"""The settings that say which models there are, and which names go to them."""


def of_models(settings: Settings) -> Mapping[str, Any]:
    """The values of these settings, by their names."""
    return {name: getattr(settings, name) for name in OF_MODELS}


@dataclass(frozen=True, slots=True)
class Change:
    """From the models that are served `now` to those that were `found` in the configuration."""

    now: Settings
    found: Settings

    @property
    def started(self) -> tuple[str, ...]:
        """The models that have to be started: those that are new, and those whose table says something else."""
        return tuple(id_ for id_, model in self.found.models.items() if self.now.models.get(id_) != model)

    @property
    def gone(self) -> tuple[str, ...]:
        """The models that are served no more as they were."""
        return tuple(id_ for id_, model in self.now.models.items() if self.found.models.get(id_) != model)

    @property
    def told(self) -> str:
        """What is served then, in words."""
        started, gone = self.started, self.gone
        said = {
            "new": [id_ for id_ in started if id_ not in gone],
            "changed": [id_ for id_ in started if id_ in gone],
            "served no more": [id_ for id_ in gone if id_ not in started],
        }
        parts = [f"{what}: {', '.join(ids)}" for what, ids in said.items() if ids]
        return ", ".join(self.found.models) + (f" ({'; '.join(parts)})" if parts else "")


CarryOut = Callable[[Change], Awaitable[None]]
"""Returns when the new models are served, all of them; raises `StartError` or `ConfigError` where none is."""


class Exchanging:
    """Goes over to what was wanted last, one change at a time, in the background. `also_check`: raises `ConfigError`
    where there is more that settings cannot say."""

    def __init__(
        self, settings: Settings, carry_out: CarryOut, also_check: Callable[[Settings], None] = lambda _: None
    ) -> None:
        self._settings = settings
        self._carry_out = carry_out
        self._also_check = also_check
        self._is_open = False
        self._wanted: Settings | None = None
        self._working: asyncio.Task[None] | None = None

    def open(self) -> None:
        """The models of the start are served: others may come from now on."""
        self._is_open = True
        if self._wanted is not None:
            self.want(self._wanted)

    def check(self, found: Settings) -> None:
        """Raise `ConfigError` where the models of these settings could never be served."""
        found = self._with(found)
        families(found)
        load_catalogue(found)
        self._also_check(found)

    def want(self, found: Settings) -> bool:
        """Serve the models of these settings as soon as they are there; whether that is to be anything else than
        now."""
        self._wanted = self._with(found)
        if not self._is_open:
            return True
        if self._working is None:
            if self._wanted == self._settings:
                self._wanted = None
                return False
            self._working = asyncio.create_task(self._work())
        return True

    async def settled(self) -> None:
        """Return when there is nothing more to exchange."""
        while self._working is not None:
            await asyncio.wait([self._working])

    async def aclose(self) -> None:
        """Exchange nothing any more."""
        self._is_open = False
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)

    def _with(self, found: Settings) -> Settings:
        # The other settings are those of the start, or somebody else's to change.
        return replace(self._settings, **of_models(found))

    async def _work(self) -> None:
        try:
            while self._wanted is not None:
                wanted, self._wanted = self._wanted, None
                if wanted != self._settings:
                    await self._reach(wanted)
        finally:
            self._working = None

    async def _reach(self, found: Settings) -> None:
        """Go over to the models of these settings; where that fails, all stays as it was, and the log says why."""
        change = Change(self._settings, found)
        try:
            _check_helpers(change)
            self.check(found)
            for id_ in change.started:
                log.info("model %s is being loaded", id_)
            await self._carry_out(change)
        except (StartError, ConfigError) as problem:
            log.error("the models stay as they were: %s", problem)
        except Exception:
            log.exception("the models stay as they were")
        else:
            self._settings = found
            log.info("the models are now %s", change.told)


def tell_ended(id_: str) -> None:
    """Let the log have it that a model, which is served no more, has ended."""
    log.info("model %s, which is served no more, has ended", id_)


def _check_helpers(change: Change) -> None:
    """Raise where a model that works for others would be another one: who it is, is settled at the start."""
    now, found = change.now, change.found
    for id_, does in ((now.thinking.summarizer, "retells thoughts"), (now.guard_model.model, "judges requests")):
        if id_ is not None and found.models.get(id_) != now.models[id_]:
            raise ConfigError(f"{id_} {does}, and is another one only from the next start on")

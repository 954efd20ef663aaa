"""A worker goes over to other models when the parent says so, and not before all workers could."""

import asyncio
import logging
import pickle
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from antiphon.compose.exchanging import Change
from antiphon.compose.fleet import Fleet, Ready
from antiphon.compose.observer import StartError
from antiphon.compose.workers.lines import Lent, Lines, Told
from antiphon.config import ConfigError, ModelSettings
from antiphon.ports.engine import Engine

log = logging.getLogger(__name__)

ORDERS: Final = {"prepare", "take", "drop"}
"""What the parent says of it."""

ANSWERS: Final = {"prepared", "cannot", "taken", "ended"}
"""What it is told."""

Say = Callable[[dict[str, Any], bytes], None]

EngineOf = Callable[[ModelSettings, Lent | None], Awaitable[Engine]]
"""A started engine for a model, which the parent may run; raises `StartError`."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be prepared. `models`: the new values of the settings that say which models there are; `homes`: of
    the new models those that the parent runs; `quiet`: another worker tells the log of them."""

    models: Mapping[str, Any]
    homes: Mapping[str, Told]
    quiet: bool


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What is being prepared, and the lines that are open for it."""

    task: "asyncio.Task[Ready | None]"
    lent: Mapping[str, Lent]


class Following:
    """Does so. `say`: tells the parent."""

    def __init__(self, say: Say, lines: Lines, engine_of: EngineOf) -> None:
        self._say = say
        self._lines = lines
        self._engine_of = engine_of
        self._fleet: asyncio.Future[Fleet] = asyncio.get_running_loop().create_future()
        self._lent: dict[str, Lent] = {}
        self._prepared: dict[int, _Prepared] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def open(self, fleet: Fleet, lent: Mapping[str, Lent]) -> None:
        """These models are served, some of them `lent`."""
        self._lent = dict(lent)
        self._fleet.set_result(fleet)

    def hear(self, message: dict[str, Any], data: bytes) -> None:
        """One of the `ORDERS`."""
        if "prepare" in message:
            number, order = message["prepare"], pickle.loads(data)
            lent = self._lines.open(order.homes)
            self._prepared[number] = _Prepared(self._begin(self._prepare(number, order, lent)), lent)
        elif "take" in message:
            self._take(message["take"])
        elif message["drop"] in self._prepared:
            self._begin(self._drop(self._prepared.pop(message["drop"])))

    async def aclose(self) -> None:
        """Go over to nothing any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _prepare(self, number: int, order: Order, lent: Mapping[str, Lent]) -> Ready | None:
        async def start_engine(model: ModelSettings) -> Engine:
            return await self._engine_of(model, lent.get(model.id))

        fleet = await asyncio.shield(self._fleet)
        found = replace(fleet.settings, **order.models)
        try:
            ready = await fleet.prepare(found, start_engine, quiet=order.quiet)
        except (StartError, ConfigError) as problem:
            self._say({"cannot": str(problem), "of": number, "kind": type(problem).__name__}, b"")
        except Exception as problem:
            log.exception("other models cannot be served")
            self._say({"cannot": f"{type(problem).__name__}: {problem}", "of": number, "kind": ""}, b"")
        else:
            self._say({"prepared": True, "of": number}, b"")
            return ready
        return None

    def _take(self, number: int) -> None:
        prepared, fleet = self._prepared.pop(number), self._fleet.result()
        ready = prepared.task.result()
        assert ready is not None
        gone = {id_: self._lent.pop(id_) for id_ in Change(fleet.settings, ready.settings).gone if id_ in self._lent}
        self._lent |= prepared.lent

        def ended(id_: str) -> None:
            if id_ in gone:
                self._lines.close([gone[id_]])
            self._say({"ended": id_, "of": number}, b"")

        fleet.take(ready, ended)
        self._say({"taken": True, "of": number}, b"")

    async def _drop(self, prepared: _Prepared) -> None:
        prepared.task.cancel()
        await asyncio.wait([prepared.task])
        ready = None if prepared.task.cancelled() else prepared.task.result()
        if ready is not None:
            await self._fleet.result().drop(ready)
        self._lines.close(prepared.lent.values())

    def _begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

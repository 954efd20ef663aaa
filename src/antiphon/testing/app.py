"""The whole app in this process: the API's own road, from a request's bytes to its reply's, without a socket."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from antiphon.compose.batches import Ending, run_batches
from antiphon.compose.edges import (
    connector_for,
    fetcher_for,
    pages_for,
    reader_for,
    reads_pictures,
    server_tools,
    threads_for,
)
from antiphon.compose.models import families, load_catalogue, ready_model, with_own
from antiphon.compose.services import services_for
from antiphon.compose.skills import choice_of, library_in, own_skills
from antiphon.compose.stores import open_stores, readiness_of, ring_in
from antiphon.compose.telemetry import tracer_in
from antiphon.compose.usage import book_in
from antiphon.config import NOWHERE, ModelSettings, Settings, StoreSettings, ToolSettings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.ports.caching import Ledger
from antiphon.ports.engine import Engine
from antiphon.ports.sandbox import Sandboxes
from antiphon.ports.server_tools import ServerTool, ServerTools
from antiphon.ports.system import Clock
from antiphon.ports.threads import ThreadStore
from antiphon.seals import Seals
from antiphon.service.containers import Containers, Grounds
from antiphon.service.files.files import Files
from antiphon.service.media.intake import MediaIntake
from antiphon.service.messages import MessageService
from antiphon.service.metrics import Metrics
from antiphon.service.served import ModelRoutes, ServedModel
from antiphon.service.skills.chosen import SkillChoice
from antiphon.stores.containers import MemoryContainers
from antiphon.stores.objects import Objects
from antiphon.stores.sql.batches import SqlBatches
from antiphon.testing.bridge import Bridge
from antiphon.testing.clock import FixedClock
from antiphon.testing.dice import CountingEntropy
from antiphon.testing.files import MemoryFiles
from antiphon.tools.offered import Surroundings, close_tools
from antiphon.web.app import build_app
from antiphon.web.door import Door, Threshold

MODEL: Final = "scripted"
"""The id of the model that a script stands for. It answers for every name of the API, too."""

SEALS: Final = Seals([bytes(range(32))])
"""What thinking is sealed with, so that what one app has sealed opens in another."""


@asynccontextmanager
async def scripted_app(script: str, clock: Clock | None = None, **settings: Any) -> AsyncGenerator[Bridge]:
    """A client of an app whose model says what the script tells it to. `settings`: fields of `Settings`.

    Raises `ScriptError` for a script with a mistake.
    """
    async with engine_app(ScriptedEngine(MODEL, script), clock=clock, **settings) as bridge:
        yield bridge


@asynccontextmanager
async def engine_app(
    *engines: Engine,
    clock: Clock | None = None,
    seals: Seals = SEALS,
    media: MediaIntake | None = None,
    runs: Sequence[ServerTool] | None = None,
    threads: ThreadStore | None = None,
    kept_files: Files | None = None,
    ledger: Ledger | None = None,
    sandboxes: Sandboxes | None = None,
    messages: Callable[[MessageService], MessageService] = lambda messages: messages,
    **settings: Any,
) -> AsyncGenerator[Bridge]:
    """A client of an app over these engines, each under its card's id; the first answers for all other names.

    The engines are started here, and closed behind the block. `media`: reads files; `runs`: tools that the server
    runs; `threads`: where conversations are kept; `kept_files`: what is done with uploads. Without them all are
    what the settings say; no tool is there by default, files are kept in memory, and there are no batches, unless
    `stores` says where they are kept. `sandboxes`: where code runs; without them nowhere. `ledger`: what is known of
    cached prefixes, at first nothing. `messages`: what stands for the use cases of messages.
    """
    asked, clock = _settings(engines, settings), clock or FixedClock()
    async with AsyncExitStack() as running:
        reader, fetcher = reader_for(asked), fetcher_for(asked)
        running.push_async_callback(fetcher.aclose)
        running.push_async_callback(reader.aclose)
        stores = await open_stores(asked, clock, CountingEntropy())
        if stores is not None:
            running.push_async_callback(stores.aclose)
        runs = _offered(Surroundings(fetcher, reader, clock, asked.network.ca_file), asked, running, runs)
        served = await _started(engines, asked, running)
        routes = ModelRoutes(with_own(load_catalogue(asked), served), served, asked.default_model, asked.routes)
        kept_files = kept_files or _in_memory(clock, asked)
        media = media or MediaIntake(reader, fetcher, clock, cache=asked.media.cache, library=kept_files.library)
        threads = threads or _threads(asked, clock, seals, running)
        own = own_skills(asked)
        skills = library_in(stores, asked, own, clock, CountingEntropy())
        dice, tools = CountingEntropy(), ServerTools(tuple(runs))
        services = services_for(
            *(asked, routes, clock, dice, seals, media, tools, ledger, threads, kept_files),
            batches=None if stores is None else SqlBatches(stores.database),
            containers=_containers(
                sandboxes, kept_files, lambda: choice_of(asked, own, skills, running), clock, asked.sandbox.lifetime
            ),
            book=book_in(stores, asked, running),
            skills=skills,
            metrics=(metrics := Metrics()),
            mcp=await running.enter_async_context(connector_for(asked)),
        )
        if stores is not None:
            run_batches(services, asked, stores, Ending(), running)
            stores.sweeper.start()
        if services.spending is not None:
            running.push_async_callback(services.spending.aclose)
        door = Door(CountingEntropy(), Threshold.of(asked, seals.name), metrics, tracer_in(asked, running))
        ring, readiness = ring_in(stores, clock, running), readiness_of(services.models, stores)
        services = replace(services, messages=messages(services.messages), keys=ring, readiness=readiness)
        door.open(build_app(asked, services, pages_for(asked)))
        yield Bridge(door)


def _settings(engines: Sequence[Engine], given: dict[str, Any]) -> Settings:
    """The settings of an app over these engines, with those that are given."""
    said: dict[str, Any] = {
        "default_model": engines[0].card.id,
        "models": {engine.card.id: ModelSettings(engine.card.id, "script:test") for engine in engines},
        # A test asks nobody outside, unless it says so.
        "server_tools": ToolSettings(defaults=False),
        "stores": StoreSettings(data=NOWHERE),
        **given,
    }
    return Settings(**said)


def _offered(
    around: Surroundings, asked: Settings, running: AsyncExitStack, given: Sequence[ServerTool] | None
) -> Sequence[ServerTool]:
    """The tools that are given, or those of the settings; `running` closes these."""
    if given is not None:
        return given
    tools = server_tools(asked, around).tools
    running.push_async_callback(close_tools, tools)
    return tools


def _threads(asked: Settings, clock: Clock, seals: Seals, running: AsyncExitStack) -> ThreadStore | None:
    """Where the settings keep conversations; `running` closes it."""
    threads = threads_for(asked, clock, CountingEntropy(), seals)
    if threads is not None:
        running.push_async_callback(threads.aclose)
    return threads


def _containers(
    sandboxes: Sandboxes | None, files: Files, skills: Callable[[], SkillChoice], clock: Clock, lifetime: float
) -> Containers | None:
    """Containers that are known until the app is gone; None where no code runs."""
    if sandboxes is None:
        return None
    grounds = Grounds(sandboxes, MemoryContainers(), files, "test", clock, CountingEntropy(), skills=skills())
    return Containers(grounds, lifetime=lifetime)


def _in_memory(clock: Clock, asked: Settings) -> Files:
    """Files that are gone with the app."""
    objects = Objects.open("memory://")
    return Files.over(MemoryFiles(), objects, clock, CountingEntropy(), quota=asked.files.quota)


async def _started(engines: Sequence[Engine], asked: Settings, running: AsyncExitStack) -> dict[str, ServedModel]:
    """The engines as models that answer; `running` closes them."""
    served: dict[str, ServedModel] = {}
    for engine in engines:
        await engine.start()
        running.push_async_callback(engine.aclose)
        reads = reads_pictures(asked.models[engine.card.id], engine, asked.media.memory)
        served[engine.card.id] = ready_model(engine, families(asked)[engine.card.id], reads=reads)
    return served

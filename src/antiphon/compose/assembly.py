"""One process that answers: everything that it needs beside its models, and all of it put together."""

import asyncio
import gc
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Protocol

from antiphon.compose.batches import Ending, run_batches
from antiphon.compose.containers import containers_for
from antiphon.compose.edges import (
    SystemClock,
    SystemEntropy,
    connector_for,
    fetcher_for,
    reader_for,
    seals_for,
    server_tools,
    shared_ledger,
    threads_for,
)
from antiphon.compose.engines import ledger_for
from antiphon.compose.fleet import Fleet, StartEngine
from antiphon.compose.models import families, load_catalogue
from antiphon.compose.observer import ServerObserver
from antiphon.compose.sandboxes import open_sandboxes
from antiphon.compose.services import services_for
from antiphon.compose.skills import choice_of, library_in, own_skills
from antiphon.compose.stores import batches_in, files_in, open_stores, readiness_of, ring_in
from antiphon.compose.usage import book_in
from antiphon.config import Settings
from antiphon.network import GuardedFetcher
from antiphon.ports.caching import Ledger
from antiphon.ports.tracing import Tracer
from antiphon.profiles import Catalogue
from antiphon.render.families.syntax import Family
from antiphon.seals import Seals
from antiphon.service.measuring import Gather, Measures
from antiphon.service.media.intake import MediaIntake
from antiphon.service.metrics import Metrics
from antiphon.tools.offered import Surroundings, close_tools, described
from antiphon.web.door import Door, Threshold
from antiphon.web.routes import Services

GARBAGE_THRESHOLD = 10_000
"""Values made and not yet freed, at which the garbage collector looks through the newest of them."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What stands before the first model is there: all that can be wrong with the settings is found out here."""

    settings: Settings
    catalogue: Catalogue
    families: Mapping[str, Family | None]
    clock: SystemClock
    entropy: SystemEntropy
    seals: Seals
    fetcher: GuardedFetcher
    ending: Ending
    metrics: Metrics = field(default_factory=Metrics)
    fleet: Fleet = field(default_factory=Fleet)

    @classmethod
    def of(cls, settings: Settings) -> "Ground":
        """Made from the settings, within a running loop. Raises `ConfigError` or `StartError`."""
        catalogue, named = load_catalogue(settings), families(settings)
        entropy = SystemEntropy()
        seals = seals_for(settings, entropy)
        return cls(settings, catalogue, named, SystemClock(), entropy, seals, fetcher_for(settings), Ending())

    def door(self, tracer: Tracer | None = None) -> Door:
        """The door of this process, closed. `tracer`: follows requests; None: nobody does."""
        return Door(self.entropy, Threshold.of(self.settings, self.seals.name), self.metrics, tracer)


class Peers(Protocol):
    """Other processes that answer beside this one."""

    def join(self, measures: Measures) -> None:
        """Tell them of this process."""
        ...

    @property
    def gather(self) -> Gather:
        """Asks them."""
        ...


async def assemble(
    ground: Ground,
    start_engine: StartEngine,
    observer: ServerObserver,
    running: AsyncExitStack,
    peers: Peers | None = None,
) -> Services:
    """All that the app is made of, over started engines; what has to be closed again is put on `running`.

    `peers`: other processes of this server, if there are any. Raises `StartError`."""
    settings = ground.settings
    reader = reader_for(settings)
    running.push_async_callback(reader.aclose)
    # Before the models, which take long: what an owner has added may not be there.
    own = await asyncio.to_thread(own_skills, settings)
    sandboxes = await open_sandboxes(settings, running)
    around = Surroundings(ground.fetcher, reader, ground.clock, settings.network.ca_file, sandboxes)
    tools = server_tools(settings, around)
    running.push_async_callback(close_tools, tools.tools)
    stores = await open_stores(settings, ground.clock, ground.entropy)
    if stores is not None:
        running.push_async_callback(stores.aclose)
    book = book_in(stores, settings, running)
    observer.offering(described(tools.tools, settings.server_tools.by_default))
    running.push_async_callback(ground.fleet.aclose)
    routes = await ground.fleet.start(settings, start_engine)
    threads = threads_for(settings, ground.clock, ground.entropy, ground.seals)
    if threads is not None:
        running.push_async_callback(threads.aclose)
    files = files_in(stores, settings, ground.clock, ground.entropy)
    library = None if files is None else files.library
    media = MediaIntake(reader, ground.fetcher, ground.clock, cache=settings.media.cache, library=library)
    skills = library_in(stores, settings, own, ground.clock, ground.entropy)
    choice = None if sandboxes is None else choice_of(settings, own, skills, running)
    services = services_for(
        *(settings, routes, ground.clock, ground.entropy, ground.seals, media, tools),
        ledger=await _ledger(settings, running),
        threads=threads,
        files=files,
        batches=batches_in(stores),
        containers=containers_for(settings, sandboxes, stores, files, choice, ground.clock, ground.entropy, running),
        book=book,
        skills=skills,
        metrics=ground.metrics,
        mcp=await running.enter_async_context(connector_for(settings)),
    )
    for limits in (services.limiter, services.spending):
        if limits is not None:
            running.push_async_callback(limits.aclose)
    if stores is not None:
        run_batches(services, settings, stores, ground.ending, running)
        stores.sweeper.start()
    ring = ring_in(stores, ground.clock, running)
    readiness = readiness_of(services.models, stores)
    return replace(services, keys=ring, readiness=readiness, gather=_joined(peers, services))


def _joined(peers: Peers | None, services: Services) -> Gather | None:
    if peers is None or services.measures is None:
        return None
    peers.join(services.measures)
    return peers.gather


async def _ledger(settings: Settings, running: AsyncExitStack) -> Ledger | None:
    """What is known of cached prefixes, here or by all who share a store."""
    own = await asyncio.to_thread(ledger_for, settings)
    shared = shared_ledger(settings, own)
    if shared is not None:
        running.push_async_callback(shared.aclose)
    return shared or own


def settle_memory() -> None:
    """Spare the garbage collector what lives as long as the server, and let it look less often for what is new.

    A request leaves hundreds of values behind that reference counting frees; the collector's usual threshold of 700
    makes it look through them, and in the end through every module, many times a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, 10, 10)

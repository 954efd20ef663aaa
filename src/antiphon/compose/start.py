"""The server from its settings to its end: bind, load, answer, drain."""

import gc
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import uvloop

from antiphon.compose.edges import (
    SystemClock,
    SystemEntropy,
    fetcher_for,
    reader_for,
    reads_pictures,
    seals_for,
    server_tools,
    threads_for,
)
from antiphon.compose.engines import start_engine
from antiphon.compose.models import families, load_catalogue, names_by_model, ready_model, with_own
from antiphon.compose.observer import ServerObserver, StartError
from antiphon.compose.services import services_for
from antiphon.config import Settings
from antiphon.service.media.intake import MediaIntake
from antiphon.service.served import ModelRoutes, ServedModel
from antiphon.tools.offered import Surroundings, close_tools, described
from antiphon.web.app import build_app
from antiphon.web.door import Door, Threshold
from antiphon.web.server import HttpServer, ListenError, address, allow_many_connections, bind_all

GARBAGE_THRESHOLD = 10_000
"""Values made and not yet freed, at which the garbage collector looks through the newest of them."""

Work = Callable[[str], Awaitable[None]]
"""What is done with a running server, whose URL is given."""


def run_server(settings: Settings, observer: ServerObserver, work: Work | None = None) -> None:
    """Serve until SIGINT or SIGTERM, or until `work` is done; returns after a graceful shutdown.

    Raises `ConfigError` or `StartError`, and what `work` raises.
    """
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    if settings.log_level != "debug":
        logging.getLogger("uvicorn").setLevel(logging.WARNING)  # it tells of its own start and stop, as we do
    allow_many_connections()
    uvloop.run(_serve(settings, observer, work))


async def _serve(settings: Settings, observer: ServerObserver, work: Work | None) -> None:
    catalogue = load_catalogue(settings)
    named = families(settings)
    clock, entropy = SystemClock(), SystemEntropy()
    seals = seals_for(settings, entropy)
    fetcher = fetcher_for(settings)
    try:
        listeners = bind_all(settings.host, settings.port)
    except ListenError as problem:
        raise StartError(str(problem)) from problem
    host, port = address(listeners[0])
    door = Door(entropy, Threshold.of(settings, seals.name))
    server = HttpServer(
        door,
        listeners,
        keep_alive=settings.keep_alive,
        drain_timeout=settings.drain_timeout,
        on_drain=observer.draining,
    )
    async with AsyncExitStack() as running:
        running.push_async_callback(fetcher.aclose)
        reader = reader_for(settings)
        running.push_async_callback(reader.aclose)

        async def start() -> None:
            # Before the models, which take long: what an owner has added may not be there.
            tools = server_tools(settings, Surroundings(fetcher, reader, clock, settings.network.ca_file))
            running.push_async_callback(close_tools, tools.tools)
            observer.offering(described(tools.tools, settings.server_tools.by_default))
            served: dict[str, ServedModel] = {}
            for model in settings.models.values():
                engine = await start_engine(model, settings, observer)
                running.push_async_callback(engine.aclose)
                reads = reads_pictures(model, engine, settings.media.memory)
                served[model.id] = ready_model(engine, named[model.id], reads=reads)
            routes = ModelRoutes(with_own(catalogue, served), served, settings.default_model, settings.routes)
            threads = threads_for(settings, clock, entropy, seals)
            if threads is not None:
                running.push_async_callback(threads.aclose)
            media = MediaIntake(reader, fetcher, clock, cache=settings.media.cache)
            services = services_for(settings, routes, clock, entropy, seals, media, tools, threads=threads)
            door.open(build_app(settings, services))
            _settle_memory()
            shown = f"[{host}]" if ":" in host else host
            url = f"http://{shown}:{port}"
            observer.listening(url, names_by_model(settings)[settings.default_model])
            if work is not None:
                await work(url)
                server.stop()

        await server.run(start)


def _settle_memory() -> None:
    """Spare the garbage collector what lives as long as the server, and let it look less often for what is new.

    A request leaves hundreds of values behind that reference counting frees; the collector's usual threshold of 700
    makes it look through them, and in the end through every module, many times a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, 10, 10)

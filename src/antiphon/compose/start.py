"""The server from its settings to its end: bind, load, answer, drain."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, nullcontext

import uvloop

from antiphon.compose.assembly import Ground, assemble, settle_memory
from antiphon.compose.engines import start_engine
from antiphon.compose.exchanging import Exchanging
from antiphon.compose.keys import is_keyed
from antiphon.compose.listening import LOG_FORMAT, listen, log_as, tls_of, url_of
from antiphon.compose.models import names_by_model
from antiphon.compose.observer import LoggedObserver, ServerObserver
from antiphon.compose.reloading import Live, Reloading, Reread
from antiphon.compose.telemetry import tracer_for
from antiphon.config import Settings
from antiphon.web.server import HttpServer, allow_many_connections

Work = Callable[[str], Awaitable[None]]
"""What is done with a running server, whose URL is given."""


def run_server(
    settings: Settings, observer: ServerObserver, work: Work | None = None, *, reread: Reread | None = None
) -> None:
    """Serve until SIGINT or SIGTERM, or until `work` is done; returns after a graceful shutdown.

    In `settings.workers` processes, where there is no `work`. `reread`: reads the configuration again at SIGHUP.
    Raises `ConfigError` or `StartError`, and what `work` raises.
    """
    log_as(settings, LOG_FORMAT)
    allow_many_connections()
    if settings.workers > 1 and work is None:
        from antiphon.compose.workers.parent import serve_with_workers  # one process needs none of it

        uvloop.run(serve_with_workers(settings, observer, reread))
    else:
        uvloop.run(_serve(settings, observer, work, reread))


async def _serve(settings: Settings, observer: ServerObserver, work: Work | None, reread: Reread | None) -> None:
    ground = Ground.of(settings)
    tls = tls_of(settings)
    listeners = listen(settings)
    tracer = tracer_for(settings)
    door = ground.door(tracer)
    server = HttpServer(
        door,
        listeners,
        keep_alive=settings.keep_alive,
        drain_timeout=settings.drain_timeout,
        on_drain=observer.draining,
        on_stop=ground.ending.begin,
        tls=tls,
    )
    live = Live(ground, door, tls)
    exchanging = Exchanging(settings, ground.fleet.exchange)
    reloading = nullcontext() if reread is None else Reloading(settings, reread, live.change, exchanging).heeding()
    url = url_of(listeners[0], settings)
    async with AsyncExitStack() as running:
        running.enter_context(reloading)
        running.push_async_callback(ground.fetcher.aclose)
        if tracer is not None:
            running.push_async_callback(tracer.aclose)

        watching: list[ServerObserver] = [observer]

        async def start() -> None:
            live.open(
                await assemble(ground, lambda model: start_engine(model, settings, watching[-1]), observer, running)
            )
            running.push_async_callback(exchanging.aclose)
            watching.append(LoggedObserver())
            exchanging.open()
            settle_memory()
            names = names_by_model(settings)[settings.default_model]
            observer.listening(url, names, keyed=await is_keyed(settings))
            if work is not None:
                await work(url)
                server.stop()

        await server.run(start)

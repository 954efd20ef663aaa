"""The parent of the workers, from its start to its end."""

import asyncio
import logging
import os
import signal
import socket
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import replace

from antiphon.compose.edges import SystemEntropy, keys_for
from antiphon.compose.exchanging import Exchanging
from antiphon.compose.keys import is_keyed
from antiphon.compose.listening import listen, tls_of, url_of
from antiphon.compose.models import families, load_catalogue, names_by_model
from antiphon.compose.observer import ServerObserver, StartError
from antiphon.compose.reloading import Changes, Reloading, Reread
from antiphon.compose.workers.exchanges import Exchanges
from antiphon.compose.workers.process import Shared, WorkerProcess
from antiphon.compose.workers.shares import check_shares
from antiphon.config import ConfigError, Settings
from antiphon.engines.supervisor import Supervisor
from antiphon.service.measuring import Measured, waiting
from antiphon.service.metrics import gauge
from antiphon.web.turns import Loads


async def serve_with_workers(settings: Settings, observer: ServerObserver, reread: Reread | None = None) -> None:
    """Serve until SIGINT or SIGTERM; returns after a graceful shutdown. `reread`: see `run_server`.

    Raises `ConfigError` or `StartError`."""
    load_catalogue(settings)
    families(settings)
    check_shares(settings)
    tls_of(settings)
    said = settings
    # One key for all, also where it is made for this start alone.
    keys = keys_for(settings, SystemEntropy())
    settings = replace(settings, thinking=replace(settings.thinking, keys=keys))
    listeners = listen(settings)
    with tempfile.TemporaryFile() as file:
        os.ftruncate(file.fileno(), Loads.size(settings.workers))
        loads = Loads(file.fileno(), settings.workers)
        for number in range(settings.workers):
            loads.say(number, None)
        workers = _Workers(Shared(settings, listeners, file.fileno(), loads, observer))
        reloading = None if reread is None else Reloading(said, reread, workers.change, workers.exchanging)
        with nullcontext() if reloading is None else reloading.heeding():
            await workers.run()


class _Workers:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._settings = shared.settings
        self._keepers = [
            Supervisor(_Launches(number, shared), name=f"worker {number}", failure=StartError)
            for number in range(1, shared.settings.workers + 1)
        ]
        self._stopping = asyncio.Event()
        self._exchanges = shared.exchanges = Exchanges(shared)
        self.exchanging = Exchanging(shared.settings, self._exchanges.exchange, check_shares)
        shared.gather = self._gather

    async def run(self) -> None:
        """Start all, and serve until stopped; what keeps it from starting is raised."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal)
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(self._stopping.wait())
        async with AsyncExitStack() as running:
            running.push_async_callback(self._exchanges.aclose)
            try:
                await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if starting.done():
                    starting.result()
                    await stopping
                await self._drain()
            finally:
                starting.cancel()
                stopping.cancel()
                await asyncio.gather(starting, stopping, return_exceptions=True)
                _close(self._shared.listeners)
                await asyncio.gather(*(keeper.aclose() for keeper in self._keepers))
                for number in (signal.SIGINT, signal.SIGTERM):
                    loop.remove_signal_handler(number)

    def change(self, changes: Changes) -> None:
        """Let all workers answer by other settings, those too that are still to come."""
        self._shared.settings = replace(self._shared.settings, **changes)
        logging.getLogger().setLevel(self._shared.settings.log_level.upper())
        for worker in self._shared.living:
            worker.change(changes)

    async def _start(self) -> None:
        settings, shared = self._settings, self._shared
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._start_models())
                for keeper in self._keepers:
                    group.create_task(keeper.start())
        except BaseExceptionGroup as failures:
            known = [one for one in failures.exceptions if isinstance(one, StartError | ConfigError)]
            raise (known or failures.exceptions)[0] from None
        shared.opened = True
        for keeper in self._keepers:
            if keeper.child is not None:
                keeper.child.open()
        names = names_by_model(settings)[settings.default_model]
        shared.observer.listening(url_of(shared.listeners[0], settings), names, keyed=await is_keyed(settings))
        self.exchanging.open()

    async def _start_models(self) -> None:
        await self._exchanges.start()
        self._shared.observer.stage(f"Starting {self._settings.workers} workers")

    async def _gather(self, asker: WorkerProcess) -> Measured:
        """What all but one of the workers tell of themselves, and what is known here alone."""
        others = {
            str(number): keeper.child
            for number, keeper in enumerate(self._keepers, 1)
            if keeper.child is not None and keeper.child is not asker
        }
        told = await asyncio.gather(*(worker.measured() for worker in others.values()))
        coming = self._shared.homes
        own = [
            waiting({id_: owned.home.waiting for id_, owned in coming.result().items()} if coming.done() else {}),
            gauge("antiphon_workers", "Processes that answer.", {(): len(others) + 1}),
        ]
        return {**dict(zip(others, told, strict=True)), "": own}

    async def _drain(self) -> None:
        await self.exchanging.aclose()
        _close(self._shared.listeners)
        workers = [keeper.child for keeper in self._keepers if keeper.child is not None]
        # Watched no longer before they are told to end.
        ending = [asyncio.create_task(keeper.aclose()) for keeper in self._keepers]
        counts = await asyncio.gather(*(worker.open_requests() for worker in workers))
        self._shared.observer.draining(sum(counts))
        await asyncio.gather(*ending)

    def _on_signal(self) -> None:
        if self._stopping.is_set():
            self._shared.ending.set()
        self._stopping.set()


class _Launches:
    """Launches worker `number`, for the first time or again."""

    def __init__(self, number: int, shared: Shared) -> None:
        self._number = number
        self._shared = shared
        self._first = True

    async def __call__(self) -> WorkerProcess:
        first, self._first = self._first, False
        try:
            return await WorkerProcess.launch(self._number, self._shared, first=first)
        except ConfigError as problem:
            if first:
                raise
            # It is tried again, since it has been different before.
            raise StartError(str(problem)) from problem


def _close(listeners: Sequence[socket.socket]) -> None:
    for listener in listeners:
        listener.close()

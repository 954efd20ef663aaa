"""Work that comes again and again, such as forgetting what is past its time: on one server at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from antiphon.ports.leases import Leases
from antiphon.ports.stores import StoreError
from antiphon.ports.system import Clock, Entropy

log = logging.getLogger(__name__)

Sweep = Callable[[float], Awaitable[None]]
"""Does the work; the argument is the time at which it began."""

_LOOK: Final = 10.0
"""The most seconds from one look at the clock to the next."""


@dataclass(frozen=True, slots=True)
class _Job:
    name: str
    every: float
    sweep: Sweep


class Sweeper:
    """Runs every job about as often as it wants, on whichever server of the store gets to it first.

    A job that fails is run again when its time comes; one in whose middle a server dies is left to the others.
    """

    def __init__(self, leases: Leases, clock: Clock, entropy: Entropy) -> None:
        self._leases = leases
        self._clock = clock
        self._holder = entropy.bytes(8).hex()
        self._jobs: list[_Job] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, name: str, every: float, sweep: Sweep) -> None:
        """Run it once in so many seconds, all servers together. It must not matter when one runs twice."""
        self._jobs.append(_Job(name, every, sweep))

    def start(self) -> None:
        """Look from now on, until `aclose`."""
        if self._jobs:
            self._task = asyncio.create_task(self._run())

    async def sweep(self) -> None:
        """Run what is due, one after another."""
        for job in self._jobs:
            now = self._clock.now()
            try:
                # Never given back: its end is when the job is due again.
                if await self._leases.take(job.name, self._turn(job, now), now, job.every):
                    await job.sweep(now)
            except StoreError as problem:
                log.warning("%s: not done, and tried again later: %s", job.name, problem)
            except Exception:
                log.exception("%s failed, and is tried again later", job.name)

    async def aclose(self) -> None:
        """Look no more; a job in the middle is broken off."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    def _turn(self, job: _Job, now: float) -> str:
        """Another holder each time, so that this server too waits until the job is due."""
        return f"{self._holder}.{round(now * 1000):x}"

    async def _run(self) -> None:
        while True:
            await self.sweep()
            await asyncio.sleep(min(_LOOK, *(job.every for job in self._jobs)))

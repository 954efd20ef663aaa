"""Keeps one child process running: sees it die, starts it again, and lets requests wait for it meanwhile."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Protocol, TypeVar

from antiphon.errors import EngineFault, EngineUnavailable

FIRST_DELAY: Final = 0.5

LONGEST_DELAY: Final = 30.0

HEALTHY_AFTER: Final = 60.0

_log = logging.getLogger("antiphon.engine")


class Child(Protocol):
    """What is supervised."""

    async def wait(self) -> str:
        """Wait until it is gone; how it ended."""
        ...

    async def stop(self) -> None:
        """End it."""
        ...


AnyChild = TypeVar("AnyChild", bound=Child)


class Supervisor(Generic[AnyChild]):
    """Runs a child made by `launch`, one at a time.

    After a death the next launch waits `FIRST_DELAY` seconds, twice as long after each further one, `LONGEST_DELAY`
    at most; a child that lived `HEALTHY_AFTER` seconds sets this back. `clock` and `sleep` are for tests.
    """

    def __init__(
        self,
        launch: Callable[[], Awaitable[AnyChild]],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._launch = launch
        self._clock = clock
        self._sleep = sleep
        self._child: AnyChild | None = None
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._closed = False
        self.detail = "the engine has not been started"

    @property
    def child(self) -> AnyChild | None:
        """The running child, if there is one."""
        return self._child

    async def start(self) -> AnyChild:
        """The first launch; its failure is raised, since trying again would not help."""
        child = await self._launch()
        self._enter(child)
        self._watching = asyncio.create_task(self._watch(child))
        return child

    async def ready(self, patience: float) -> AnyChild:
        """The running child, waited for at most `patience` seconds; raises `EngineUnavailable`."""
        if self._child is None and not self._closed and self._watching is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._up.wait()
        if self._child is None:
            raise EngineUnavailable(self.detail)
        return self._child

    async def lost(self, child: AnyChild, patience: float) -> None:
        """Wait, at most `patience` seconds, until the death of a child that does not answer has been noticed."""
        if self._child is child:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._down.wait()

    async def aclose(self) -> None:
        """End the child and stop watching; may be called more than once."""
        self._closed = True
        self.detail = "the engine is stopped"
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        child, self._child = self._child, None
        self._up.set()
        if child is not None:
            await child.stop()

    def _enter(self, child: AnyChild) -> None:
        self._child = child
        self.detail = ""
        self._down.clear()
        self._up.set()

    async def _watch(self, child: AnyChild) -> None:
        delay = FIRST_DELAY
        while True:
            since = self._clock()
            cause = await child.wait()
            self._child = None
            self._up.clear()
            self._down.set()
            if self._clock() - since >= HEALTHY_AFTER:
                delay = FIRST_DELAY
            child, delay = await self._launch_again(cause, delay)
            self._enter(child)
            _log.warning("the engine is back")

    async def _launch_again(self, cause: str, delay: float) -> tuple[AnyChild, float]:
        while True:
            self.detail = f"the engine is being restarted: {cause}"
            _log.error("%s Starting it again in %g s.", cause, delay)
            await self._sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)
            try:
                return await self._launch(), delay
            except EngineFault as fault:
                cause = str(fault)

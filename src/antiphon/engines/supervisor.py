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

Someone = TypeVar("Someone")


class Presence(Generic[Someone]):
    """Somebody who may be gone for a while, and whom requests wait for.

    `detail`: why nobody is there. `watchers` are called at every coming and going.
    """

    def __init__(self, detail: str, *, expected: bool) -> None:
        self.detail = detail
        self.watchers: list[Callable[[], None]] = []
        self._expected = expected
        self._child: Someone | None = None
        self._up = asyncio.Event()
        self._down = asyncio.Event()

    @property
    def child(self) -> Someone | None:
        """Who is there, if anybody is."""
        return self._child

    async def ready(self, patience: float | None) -> Someone:
        """Who is there, waited for at most `patience` seconds (None: without end) while somebody is expected.

        Raises `EngineUnavailable`.
        """
        if self._child is None and self._expected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._up.wait()
        if self._child is None:
            raise EngineUnavailable(self.detail)
        return self._child

    async def lost(self, child: Someone, patience: float) -> None:
        """Wait, at most `patience` seconds, until it has been noticed that one who does not answer is gone."""
        if self._child is child:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._down.wait()

    def enter(self, child: Someone) -> None:
        """This one is there now."""
        self._child = child
        self.detail = ""
        self._down.clear()
        self._up.set()
        self._tell()

    def leave(self, detail: str) -> None:
        """Nobody is there; somebody will come again."""
        self._child = None
        self.detail = detail
        self._up.clear()
        self._down.set()
        self._tell()

    def end(self, detail: str) -> None:
        """Nobody is there, and nobody will come."""
        self._child = None
        self._expected = False
        self.detail = detail
        self._up.set()
        self._tell()

    def _tell(self) -> None:
        for watcher in list(self.watchers):
            watcher()


class Supervisor(Presence[AnyChild]):
    """Runs a child made by `launch`, one at a time.

    After a death the next launch waits `FIRST_DELAY` seconds, twice as long after each further one, `LONGEST_DELAY`
    at most; a child that lived `HEALTHY_AFTER` seconds sets this back. `name`: what is told in the log of; `failure`:
    what a launch raises that failed. `clock` and `sleep` are for tests.
    """

    def __init__(
        self,
        launch: Callable[[], Awaitable[AnyChild]],
        *,
        name: str = "the engine",
        failure: type[Exception] = EngineFault,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(f"{name} has not been started", expected=False)
        self._launch = launch
        self._name = name
        self._failure = failure
        self._clock = clock
        self._sleep = sleep
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> AnyChild:
        """The first launch; its failure is raised, since trying again would not help."""
        child = await self._launch()
        self._expected = True
        self.enter(child)
        self._watching = asyncio.create_task(self._watch(child))
        return child

    async def aclose(self) -> None:
        """End the child and stop watching; may be called more than once."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        child = self._child
        self.end(f"{self._name} is stopped")
        if child is not None:
            await child.stop()

    async def _watch(self, child: AnyChild) -> None:
        delay = FIRST_DELAY
        while True:
            since = self._clock()
            cause = await child.wait()
            if self._clock() - since >= HEALTHY_AFTER:
                delay = FIRST_DELAY
            child, delay = await self._launch_again(cause, delay)
            self.enter(child)
            _log.warning("%s is back", self._name)

    async def _launch_again(self, cause: str, delay: float) -> tuple[AnyChild, float]:
        while True:
            self.leave(f"{self._name} is being restarted: {cause}")
            _log.error("%s Starting it again in %g s.", cause, delay)
            await self._sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)
            try:
                return await self._launch(), delay
            except self._failure as fault:
                cause = str(fault)

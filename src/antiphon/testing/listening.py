"""An event loop in a thread of its own, and apps that listen there, so that clients of any kind can ask them."""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Final, Generic, Self, TypeVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from antiphon.web.protocol import HttpProtocol

WAIT: Final = 30.0
_Made = TypeVar("_Made")


class LoopThread:
    """An event loop that runs in a thread until it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="antiphon-testing", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, work: Coroutine[Any, Any, _Made]) -> _Made:
        """What the work comes to, in bounded time."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT)

    @contextmanager
    def inside(self, context: AbstractAsyncContextManager[_Made]) -> Generator[_Made]:
        """What a context of the loop gives. It is opened and closed in one task, as some contexts need."""
        life = self.run(_begin(context))
        try:
            yield life.given
        finally:
            self.run(life.end())

    def close(self) -> None:
        """End the thread; may be called more than once."""
        if self._loop.is_closed():
            return
        self.run(_settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT)
        self._loop.close()


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncGenerator[str]:
    """The URL of an app that listens on a free port of 127.0.0.1. Behind the block what is open is cut off."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, proxy_headers=False, lifespan="off", ws="none"
    )
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Protocol(config, state, {}), "127.0.0.1", 0, family=socket.AF_INET
    )
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        tasks = [*state.tasks]
        for connection in [*state.connections]:
            connection.transport.abort()  # pyright: ignore[reportAttributeAccessIssue] - there is one once it is made
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Protocol(HttpProtocol):
    """A connection that a test may mean to be broken: nobody has to hear of that."""

    def __init__(self, config: uvicorn.Config, state: ServerState, app_state: dict[str, Any]) -> None:
        super().__init__(config, state, app_state)
        self.logger = logging.getLogger("antiphon.testing.connections")
        self.logger.setLevel(logging.CRITICAL)


class _Life(Generic[_Made]):
    """A context that is open."""

    given: _Made

    def __init__(self, context: AbstractAsyncContextManager[_Made]) -> None:
        self._context = context
        self._over = asyncio.Event()
        self._begun = asyncio.Event()

    async def begin(self) -> None:
        """Open it; raises what that raises."""
        self._task = asyncio.create_task(self._live())
        begun = asyncio.create_task(self._begun.wait())
        await asyncio.wait({begun, self._task}, return_when=asyncio.FIRST_COMPLETED)
        begun.cancel()
        if self._task.done():
            self._task.result()

    async def end(self) -> None:
        """Close it."""
        self._over.set()
        await self._task

    async def _live(self) -> None:
        async with self._context as self.given:
            self._begun.set()
            await self._over.wait()


async def _begin(context: AbstractAsyncContextManager[_Made]) -> _Life[_Made]:
    life = _Life(context)
    await life.begin()
    return life


async def _settle() -> None:
    """Let connections that were cut off end."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    # A connection that was let go of takes a few turns to be closed.
    for _ in range(20):
        await asyncio.sleep(0)

"""Another host, for programs that run beside a test, and a proxy that leads them to it. Nothing leaves the machine.

with outside("upload.wikimedia.org") as there:
    there.host.serve("/ant.jpg", data, "image/jpeg")
    run_client(command, url, extra=there.environment)
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Generator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from tests.network.stand_in import NAMES, StandIn
from tests.referee.small_web import loop_in_thread

WAIT = 20.0

_Given = TypeVar("_Given")


class Tunnels:
    """A proxy on loopback: the tunnel to whatever host a client asks for leads to `port`. `asked`: those hosts."""

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        self.port = 0
        self._to = port
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        ends = [writer]
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                method, host, _ = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split(" ", 2)
                self.asked.append(f"{method} {host}")
                there, back = await asyncio.open_connection("127.0.0.1", self._to)
                ends.append(back)
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(_pipe(reader, back), _pipe(there, writer))
                await asyncio.gather(*(end.wait_closed() for end in ends))
        finally:
            self._tasks.discard(task)
            for end in ends:
                end.transport.abort()


@dataclass(frozen=True)
class Outside:
    """A host and the proxy that leads there."""

    host: StandIn
    tunnels: Tunnels

    @property
    def trusting(self) -> Mapping[str, str]:
        """Environment of a program that believes the host's certificate, and no other."""
        return {"SSL_CERT_FILE": str(self.host.ca_file)}

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment of a client whose https connections lead to the host, those to this machine excepted."""
        proxy = f"http://127.0.0.1:{self.tunnels.port}"
        here = "127.0.0.1,localhost"
        return {**self.trusting, "HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": here, "no_proxy": here}


@contextmanager
def outside(*names: str) -> Generator[Outside]:
    """A host with a certificate for these names, run by a thread of its own: a test may block."""
    with loop_in_thread() as loop:

        def run(work: Coroutine[Any, Any, _Given]) -> _Given:
            return asyncio.run_coroutine_threadsafe(work, loop).result(WAIT)

        stack = AsyncExitStack()
        try:
            host = run(stack.enter_async_context(StandIn(names=names or NAMES)))
            yield Outside(host, run(stack.enter_async_context(Tunnels(host.port))))
        finally:
            run(stack.aclose())


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()

"""The stores of conversations that exist, and how a test gets one: the only place that names them."""

import shutil
import socket
import subprocess
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import pytest
from redis.asyncio import Redis

from antiphon.ports.threads import ThreadStore
from antiphon.seals import Seals
from antiphon.stores.redis_threads import RedisThreads
from antiphon.stores.threads import MemoryThreads
from antiphon.testing import CountingEntropy, FixedClock

LIFETIME = 300.0
SEALS = Seals([bytes(32)])


class Bench(Protocol):
    """A store under test."""

    @property
    def store(self) -> ThreadStore: ...

    async def pass_time(self, seconds: float) -> None:
        """So much time goes by for everything that is kept."""
        ...


@dataclass
class MemoryBench:
    """The store in the process."""

    clock: FixedClock
    store: MemoryThreads

    async def pass_time(self, seconds: float) -> None:
        self.clock.time += seconds


@dataclass
class RedisBench:
    """The store that is shared. Its clock is its own: time goes by when what is kept has less of it left."""

    url: str
    store: RedisThreads

    async def pass_time(self, seconds: float) -> None:
        async with client(self.url) as redis:
            for key in cast("list[bytes]", await redis.keys("*")):
                left = await redis.pttl(key) - round(seconds * 1000)
                await (redis.pexpire(key, left) if left > 0 else redis.delete(key))


@asynccontextmanager
async def client(url: str) -> AsyncGenerator[Any]:
    """A client of the shared store, beside the server's."""
    redis = cast("Any", Redis).from_url(url)
    try:
        yield redis
    finally:
        await redis.aclose()


@asynccontextmanager
async def memory(most: int = 1_000_000) -> AsyncGenerator[MemoryBench]:
    """The store in the process."""
    clock = FixedClock()
    store = MemoryThreads(clock, LIFETIME, most)
    yield MemoryBench(clock, store)
    await store.aclose()


@asynccontextmanager
async def shared(url: str, seals: Seals = SEALS) -> AsyncGenerator[RedisBench]:
    """The shared store, as one of its servers has it."""
    store = RedisThreads(url, LIFETIME, seals, CountingEntropy())
    yield RedisBench(url, store)
    await store.aclose()


class StoreServer:
    """A Redis or Valkey server in a process of its own, without a word on disk."""

    def __init__(self, command: list[str], url: str) -> None:
        self._command = command
        self.url = url
        self.start()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it answers. What it held before is gone."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # It ends by itself where it cannot start, and with it its output.
        said: list[bytes] = []
        for line in self._process.stdout or ():
            said.append(line)
            if b"Ready to accept connections" in line:
                return
        pytest.fail(f"{self._command[0]} ended: {b''.join(said).decode()}")

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextmanager
def store_server(folder: Path) -> Generator[StoreServer]:
    """A server of that kind on a free port of this machine."""
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        pytest.fail("neither valkey-server nor redis-server is installed: the package redis-server has one")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    said = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": folder}
    server = StoreServer(
        [program, *(part for name, value in said.items() for part in (f"--{name}", str(value)))],
        f"redis://127.0.0.1:{port}/0",
    )
    try:
        yield server
    finally:
        server.stop()

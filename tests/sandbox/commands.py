"""Commands and files, as tests of sandboxes say them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon.ports.sandbox import Command, Sandbox


def shell(script: str, seconds: float = 20.0, *, output: int = 65_536, outputs: bool = False) -> Command:
    """A script of the shell."""
    return Command(("/bin/sh", "-c", script), seconds, output, outputs=outputs)


def python(script: str, seconds: float = 20.0) -> Command:
    """A script of Python."""
    return Command(("python3", "-c", script), seconds, 65_536)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """Bytes as they come."""
    for part in parts:
        yield part


async def read(sandbox: Sandbox, path: str, most: int = 1 << 20) -> bytes:
    """A file of a sandbox."""
    return b"".join([chunk async for chunk in sandbox.get(path, most)])


def mounts() -> str:
    """All that is mounted on the machine, as the tests see it."""
    return Path("/proc/self/mounts").read_text()


async def goes_on(running: asyncio.Future[Any], met: Callable[[], Awaitable[object]]) -> None:
    """Wait for something that comes while a command runs. One that has ended says how."""

    async def either() -> object:
        if running.done():
            pytest.fail(f"the command has ended: {running!r}")
        return await met()

    await until(either)


async def until(met: Callable[[], Awaitable[object]]) -> None:
    """Wait for something, and not for ever."""
    async with asyncio.timeout(30):
        while not await met():  # noqa: ASYNC110 - nobody tells
            # Sandboxes have what nobody else wants of a core: who looks all the time would leave them nothing.
            await asyncio.sleep(0.01)

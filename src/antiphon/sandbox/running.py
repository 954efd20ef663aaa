"""One command while it runs: started, watched, heard, and ended with all that it has started."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from antiphon.ports.sandbox import Finished, Limits, SandboxProblem
from antiphon.sandbox.measuring import Usage

TICK: Final = 0.05
"""Seconds from one look at what a command uses to the next."""

_READ: Final = 65_536
Measure = Callable[[Sequence[int]], Usage]
"""What a sandbox has on the disk, given who may hold files of it open."""


class Life(Protocol):
    """All processes of a command, as one."""

    @property
    def alive(self) -> bool:
        """Whether any of them may be."""
        ...

    async def kill(self) -> None:
        """Kill all of them; they are gone when `gone` returns."""
        ...

    async def gone(self) -> None:
        """Wait until none of them is alive."""
        ...

    def members(self) -> list[int]:
        """Those that are alive now, by their numbers on this machine; empty where it cannot be said."""
        ...

    def memory(self, most: int) -> int:
        """Bytes of memory that they have together, where somebody has to watch it; exact where it is over `most`."""
        ...

    async def verdict(self) -> str | None:
        """Why somebody else has ended them, once they are gone; None: nobody has."""
        ...


class Running:
    """A started command, watched and heard. Whoever has one calls `aclose`."""

    def __init__(self, process: Process, life: Life, limits: Limits, output: int) -> None:
        self._process = process
        self._life = life
        self._limits = limits
        self._most = output
        self.killed: str | None = None
        self.cut = False
        self._ending: asyncio.Future[None] | None = None

    async def send(self, data: bytes) -> None:
        """Write to its input. Raises `SandboxProblem("gone")`."""
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(data)
            await stdin.drain()
        except (ConnectionError, RuntimeError) as problem:
            raise SandboxProblem("gone", str(problem)) from problem

    async def give(self, data: bytes) -> None:
        """Write to its input, as much as it wants of it, and close it."""
        stdin = self._process.stdin
        assert stdin is not None
        with suppress(SandboxProblem):
            await self.send(data)
        stdin.close()

    async def receive(self) -> bytes:
        """What it writes next; b"" at the end."""
        assert self._process.stdout is not None
        return await self._process.stdout.read(_READ)

    async def out(self) -> bytes:
        """All of its standard output, as far as it is kept."""
        assert self._process.stdout is not None
        return await self._kept(self._process.stdout)

    async def err(self) -> bytes:
        """All of its standard error, as far as it is kept."""
        assert self._process.stderr is not None
        return await self._kept(self._process.stderr)

    async def watch(self, measure: Measure, before: Usage, seconds: float | None) -> None:
        """Kill it when it takes more than it may; returns when it has ended."""
        watching = asyncio.ensure_future(self._watch(measure, before))
        try:
            async with asyncio.timeout(seconds):
                await self._life.gone()
        except TimeoutError:
            await self._end_for("time")
            await self._life.gone()
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def check(self, measure: Measure, before: Usage) -> None:
        """Say of what has ended by itself whether it has left too much behind."""
        usage = await asyncio.to_thread(measure, ())
        if self.killed is None and not usage.within(self._limits, before):
            self.killed = "disk"

    async def ended(self, stdout: bytes, stderr: bytes) -> Finished:
        """How it ended, once it has."""
        code = await self._process.wait()
        self.killed = self.killed or await self._life.verdict()
        return Finished(code if code >= 0 else 128 - code, stdout, stderr, self.killed, self.cut)

    async def aclose(self) -> None:
        """Kill all of it, and wait until it is gone; who comes second waits, too."""
        if self._ending is None:
            self._ending = asyncio.ensure_future(_end(self._process, self._life))
        try:
            await asyncio.shield(self._ending)
        finally:
            if self._process.stdin is not None:
                self._process.stdin.close()

    async def _end_for(self, reason: str) -> None:
        if self.killed is None and self._life.alive:
            self.killed = reason
            await self._life.kill()

    async def _kept(self, stream: asyncio.StreamReader) -> bytes:
        kept = bytearray()
        while data := await stream.read(_READ):
            room = self._most - len(kept)
            kept += data[:room] if room > 0 else b""
            self.cut = self.cut or len(data) > room
        return bytes(kept)

    async def _watch(self, measure: Measure, before: Usage) -> None:
        """Look again and again at memory, and at the disk where something has been written on it."""
        pause, looked = 0.0, 0.0
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK)
            if await asyncio.to_thread(self._life.memory, self._limits.memory) > self._limits.memory:
                await self._end_for("memory")
                return
            if loop.time() - looked < pause:
                continue
            looked = loop.time()
            usage = await asyncio.to_thread(lambda: measure(self._life.members()))
            pause = 10 * (loop.time() - looked)
            if not usage.within(self._limits, before):
                await self._end_for("disk")
                return


async def _end(process: Process, life: Life) -> None:
    await life.kill()
    await life.gone()
    await process.wait()

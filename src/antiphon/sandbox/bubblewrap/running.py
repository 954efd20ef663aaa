"""One command while it runs: started, watched, heard, and ended with all that it has started."""

import asyncio
import json
import logging
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from antiphon.ports.sandbox import Finished, Limits, SandboxProblem
from antiphon.sandbox.bubblewrap.arguments import Descriptors
from antiphon.sandbox.bubblewrap.processes import Family
from antiphon.sandbox.measuring import Usage

TICK: Final = 0.05
"""Seconds from one look at what a command uses to the next."""

_READ: Final = 65_536
_START: Final = 20.0
_SAID_BY_BWRAP: Final = 2_000

log = logging.getLogger(__name__)

Arguments = Callable[[Descriptors], Sequence[str]]
Measure = Callable[[Sequence[int]], Usage]
"""What a sandbox has on the disk, given who may hold files of it open."""


class Running:
    """A started command. Whoever has one calls `aclose`, or waits for `finished`."""

    def __init__(self, process: Process, family: Family, limits: Limits, output: int) -> None:
        self._process = process
        self.family = family
        self._limits = limits
        self._most = output
        self.killed: str | None = None
        self.cut = False
        self._closed = False

    @classmethod
    async def start(cls, arguments: Arguments, filter_: bytes, limits: Limits, output: int) -> "Running":
        """Start it; it runs already, within its limits. Raises `SandboxProblem("unavailable")`."""
        with _Pipes(filter_) as pipes:
            try:
                process = await asyncio.create_subprocess_exec(
                    *arguments(pipes.given), stdin=PIPE, stdout=PIPE, stderr=PIPE,
                    pass_fds=pipes.given.all, env={}, cwd="/", limit=_READ,
                )  # fmt: skip
            except OSError as problem:
                raise SandboxProblem("unavailable", f"bwrap cannot be started: {problem}") from problem
            pipes.close_given()
            try:
                async with asyncio.timeout(_START):
                    first = await _first(pipes.info)
                if first is None:
                    raise SandboxProblem("unavailable", await _complaint(process))
                family = Family(first)
                family.bound(limits)
                os.write(pipes.gate, b".")
            except BaseException as problem:
                await _end(process)
                if isinstance(problem, OSError | TimeoutError):
                    raise SandboxProblem("unavailable", f"bwrap did not get through: {problem!r}") from problem
                raise
        return cls(process, family, limits, output)

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
                await self.family.gone()
        except TimeoutError:
            self._end_for("time")
            await self.family.gone()
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
        return Finished(code if code >= 0 else 128 - code, stdout, stderr, self.killed, self.cut)

    async def aclose(self) -> None:
        """Kill all of it, and wait until it is gone."""
        if self._closed:
            return
        self._closed = True
        self.family.kill()
        try:
            await asyncio.shield(_over(self._process, self.family))
        finally:
            if self._process.stdin is not None:
                self._process.stdin.close()

    def _end_for(self, reason: str) -> None:
        if self.killed is None and self.family.alive:
            self.killed = reason
            self.family.kill()

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
            if await asyncio.to_thread(self.family.memory, self._limits.memory) > self._limits.memory:
                self._end_for("memory")
                return
            if loop.time() - looked < pause:
                continue
            looked = loop.time()
            usage = await asyncio.to_thread(lambda: measure(self.family.members()))
            pause = 10 * (loop.time() - looked)
            if not usage.within(self._limits, before):
                self._end_for("disk")
                return


class _Pipes:
    """What `bwrap` is given beside its arguments, closed at the end of the block whatever happens."""

    def __init__(self, filter_: bytes) -> None:
        info, gate = os.pipe(), os.pipe()
        program = os.memfd_create("filter")
        os.write(program, filter_)
        os.lseek(program, 0, os.SEEK_SET)
        self.info, self.gate = info[0], gate[1]
        self.given = Descriptors(info[1], gate[0], program)
        self._open = {*info, *gate, program}

    def __enter__(self) -> "_Pipes":
        return self

    def __exit__(self, *_: object) -> None:
        self._close(self._open.copy())

    def close_given(self) -> None:
        """Let `bwrap` alone have them."""
        self._close(set(self.given.all))

    def _close(self, numbers: set[int]) -> None:
        for number in numbers & self._open:
            os.close(number)
        self._open -= numbers


async def _first(info: int) -> int | None:
    """The number of the first process, as `bwrap` says it; None where it ends without."""
    loop, said = asyncio.get_running_loop(), b""
    while b"child-pid" not in said or b"}" not in said:
        readable = asyncio.Event()
        loop.add_reader(info, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(info)
        data = os.read(info, _READ)
        if not data:
            return None
        said += data
    return int(json.loads(said)["child-pid"])


async def _complaint(process: Process) -> str:
    assert process.stderr is not None
    said = await process.stderr.read(_SAID_BY_BWRAP)
    return said.decode("utf-8", "replace").strip() or "bwrap ended without a word"


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await asyncio.shield(process.wait())


async def _over(process: Process, family: Family) -> None:
    await family.gone()
    await process.wait()

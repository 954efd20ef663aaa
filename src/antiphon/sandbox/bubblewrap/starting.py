"""`bwrap`, started so that nothing runs before it is bounded."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from antiphon.ports.sandbox import Limits, SandboxProblem
from antiphon.sandbox.bubblewrap.arguments import Descriptors
from antiphon.sandbox.bubblewrap.cgroups import Groups
from antiphon.sandbox.bubblewrap.processes import Family
from antiphon.sandbox.running import Running

_READ: Final = 65_536
_PATIENCE: Final = 20.0
_MOST_SAID: Final = 2_000

Arguments = Callable[[Descriptors], Sequence[str]]


async def start(arguments: Arguments, filter_: bytes, limits: Limits, output: int, groups: Groups | None) -> Running:
    """Start a command; it runs already, within its limits. Raises `SandboxProblem("unavailable")`."""
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
            async with asyncio.timeout(_PATIENCE):
                first = await _first(pipes.info)
            if first is None:
                raise SandboxProblem("unavailable", await _complaint(process))
            family = Family(first, None if groups is None else groups.make(limits))
            family.bound(limits)
            os.write(pipes.gate, b".")
        except BaseException as problem:
            await _end(process)
            if isinstance(problem, OSError | TimeoutError):
                raise SandboxProblem("unavailable", f"bwrap did not get through: {problem!r}") from problem
            raise
    return Running(process, family, limits, output)


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
    said = await process.stderr.read(_MOST_SAID)
    return said.decode("utf-8", "replace").strip() or "bwrap ended without a word"


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await asyncio.shield(process.wait())

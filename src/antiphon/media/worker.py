"""The parent's side of one worker process: starting it, giving it a file, hearing what it says, ending it."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import Final, Self

import msgspec

from antiphon.media import child
from antiphon.media.frames import (
    LARGEST_ANSWER,
    LENGTH,
    Answer,
    Description,
    Finished,
    Job,
    Picture,
    Reading,
    Ready,
    Refused,
    Written,
    packed,
)

PROGRAM: Final = Path(child.__file__).resolve()
_BUFFER: Final = 1024 * 1024
_GRACE: Final = 1.0
# What a process needs to start. The rest of the environment may hold keys, and a worker has no use for them.
_INHERITED: Final = (
    "PATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "SYSTEMROOT",
    "TMPDIR",
)
_LAST: Final = (Picture, Description, Finished, Written, Refused)

_decoder: Final = msgspec.msgpack.Decoder(Answer)


class WorkerLost(Exception):  # noqa: N818 - reads as what happened
    """The process is gone, or speaks nonsense, which comes to the same."""


class Worker:
    """A running worker process, ready for a job. Made by `launch`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.pid = process.pid
        self.jobs = 0
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._silent = False

    @classmethod
    async def launch(cls, program: Path, memory: int, timeout: float) -> Self:  # noqa: ASYNC109 - in seconds
        """Start a process of the program that may take `memory` bytes, and wait until it is ready.

        Raises `WorkerLost` where it cannot start, or is not ready within `timeout` seconds.
        """
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                # -P: the program's own directory is not searched for modules.
                sys.executable, "-P", str(program), str(memory), stdin=pipe, stdout=pipe,
                stderr=asyncio.subprocess.DEVNULL, limit=_BUFFER,
                env={name: os.environ[name] for name in _INHERITED if name in os.environ},
            )  # fmt: skip
        except OSError as problem:
            raise WorkerLost(f"it cannot be started: {problem}") from problem
        worker = cls(process)
        try:
            async with asyncio.timeout(timeout):
                answer = await worker._receive()
        except TimeoutError as problem:
            await worker.end()
            raise WorkerLost(f"it is not ready after {timeout:g} s") from problem
        except BaseException:
            await worker.end()
            raise
        if not isinstance(answer, Ready):
            await worker.end()
            raise WorkerLost("it began with another word than ready")
        return worker

    @property
    def alive(self) -> bool:
        """Whether the process runs, as far as is known."""
        return self._process.returncode is None

    async def work(self, job: Job, data: bytes, silence: float, most: int, reading: float = 0.0) -> list[Answer]:
        """All answers to a job; the last one is a `Picture`, `Description`, `Finished`, `Written` or `Refused`.

        Raises `TimeoutError` where one takes more than `silence` seconds (`reading` more, where it says it reads),
        and `WorkerLost` where the process ends, or where the answers take more than `most` bytes. The worker is of no
        use then, nor after a cancellation.
        """
        self.jobs += 1
        answers: list[Answer] = []
        total = 0
        try:
            async with asyncio.timeout(silence):
                self._stdin.write(packed(msgspec.msgpack.encode(job)))
                self._stdin.write(len(data).to_bytes(LENGTH, "big"))
                self._stdin.write(data)
                await self._stdin.drain()
        except OSError as problem:
            raise WorkerLost("it does not listen") from problem
        while not answers or not isinstance(answers[-1], _LAST):
            reads = bool(answers) and isinstance(answers[-1], Reading)
            async with asyncio.timeout(silence + reading if reads else silence):
                frame = await self._frame()
            total += len(frame)
            if total > most:
                raise WorkerLost("it says too much")
            answers.append(_decoded(frame))
        return answers

    async def end(self) -> None:
        """End the process, at once unless it is about to end by itself; returns when it is gone."""
        if self._silent:
            # A signal to a process that has just ended would hide its end from asyncio's watcher.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GRACE):
                    await self._process.wait()
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.kill()
        await self._process.wait()
        self._stdin.close()

    async def _receive(self) -> Answer:
        return _decoded(await self._frame())

    async def _frame(self) -> bytes:
        try:
            length = int.from_bytes(await self._stdout.readexactly(LENGTH), "big")
            if length > LARGEST_ANSWER:
                raise WorkerLost("it says too much")
            return await self._stdout.readexactly(length)
        except (asyncio.IncompleteReadError, OSError) as problem:
            self._silent = True
            raise WorkerLost("it ended") from problem


def _decoded(frame: bytes) -> Answer:
    try:
        return _decoder.decode(frame)
    except msgspec.MsgspecError as problem:
        raise WorkerLost("it speaks nonsense") from problem

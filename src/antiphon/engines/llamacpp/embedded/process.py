"""The parent's side of the child process: starting it, hearing what it says, ending it."""

import asyncio
import contextlib
import secrets
import signal
import sys
from collections import deque
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, Self

import orjson

from antiphon.engines.llamacpp.embedded import child
from antiphon.engines.llamacpp.embedded.child import Load, Ready
from antiphon.errors import EngineFault, EngineNotBegun, EngineUnavailable

STOP_TIMEOUT: Final = 5.0

_LOG_LINES: Final = 200

_LAST_WORDS: Final = 8

_LINE_LIMIT: Final = 500

_LOG_TIMEOUT: Final = 1.0

_PROGRAM: Final = str(Path(child.__file__).resolve())


class LogTail:
    """The last lines of a process's log: `_LOG_LINES` at most, each of `_LINE_LIMIT` characters at most."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._lines: deque[str] = deque(maxlen=_LOG_LINES)
        self._reading = asyncio.create_task(self._read(stream))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        rest = b""
        while data := await stream.read(65536):
            *lines, rest = (rest + data).split(b"\n")
            self._lines.extend(line.decode("utf-8", "replace")[:_LINE_LIMIT] for line in lines if line.strip())
            rest = rest[-65536:]
        if rest.strip():
            self._lines.append(rest.decode("utf-8", "replace")[:_LINE_LIMIT])

    async def last_words(self) -> str:
        """The end of the log of a process that is gone, as a sentence for an error; empty when nothing was said."""
        await asyncio.wait((self._reading,), timeout=_LOG_TIMEOUT)
        lines = list(self._lines)[-_LAST_WORDS:]
        return "" if not lines else " Its log ends: " + " | ".join(line.strip() for line in lines)


class EngineProcess:
    """A running child whose model is loaded. Made by `launch`. `second`: where a second model's server listens, empty
    until it is `settled`."""

    def __init__(
        self, process: asyncio.subprocess.Process, ready: Ready, key: str, log: LogTail, *, has_second: bool
    ) -> None:
        self.address = ready.address
        self.second = ""
        self.ready = ready
        self.key = key
        self.pid = process.pid
        self._process = process
        self._log = log
        self._settling = asyncio.create_task(self._hear_second()) if has_second else None

    @classmethod
    async def launch(cls, load: Load, timeout: float) -> Self:  # noqa: ASYNC109 - the caller's patience, in seconds
        """Start a child with a key of its own and wait until its model is loaded.

        Raises `EngineFault`, with the end of the child's log, when it cannot load or takes longer than `timeout`.
        """
        load = replace(load, key=secrets.token_urlsafe(32))
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                # -P: the program's own directory is not searched for modules.
                sys.executable, "-P", _PROGRAM, stdin=pipe, stdout=pipe, stderr=pipe
            )  # fmt: skip
        except OSError as problem:
            raise EngineFault(f"the engine process cannot be started: {problem}") from problem
        log = LogTail(_stream(process.stderr))
        try:
            async with asyncio.timeout(timeout):
                answer = await _ask(process, load)
            if "ready" in answer:
                return cls(process, Ready(**answer["ready"]), load.key, log, has_second=bool(load.second))
            await process.wait()
        except TimeoutError as problem:
            await _end(process, at_once=True)
            words = f"not loaded after {timeout:g} s, so the engine process was ended.{await log.last_words()}"
            raise EngineFault(f"{_named(load)}: {words}") from problem
        except BaseException:
            await _end(process, at_once=True)
            raise
        reason = answer.get("error") or f"the engine process {_ending(process.returncode)}"
        raise EngineFault(f"{_named(load)}: the model cannot be loaded: {reason}{await log.last_words()}")

    async def settled(self, patience: float) -> None:
        """Wait until the second model is loaded too, if there is one.

        Raises `EngineUnavailable` after `patience` seconds, `EngineNotBegun` when it cannot be loaded.
        """
        if self._settling is None:
            return
        await asyncio.wait((self._settling,), timeout=patience)
        if not self._settling.done():
            raise EngineUnavailable("the model for work with tools or thoughts is still being loaded")
        if not self.second:
            raise EngineNotBegun(
                f"the model for work with tools or thoughts cannot be loaded: {self._settling.result()}"
            )

    async def _hear_second(self) -> str:
        """Why there is no second model."""
        line = await _stream(self._process.stdout).readline()
        answer: dict[str, Any] = orjson.loads(line) if line else {}
        if "ready" in answer:
            self.second = Ready(**answer["ready"]).address
        return str(answer.get("error") or "the engine process ended")

    async def wait(self) -> str:
        """Wait until the process is gone; how it ended, in words."""
        code = await self._process.wait()
        return f"the engine process {_ending(code)}.{await self._log.last_words()}"

    async def stop(self) -> None:
        """End the process: politely, then by force after `STOP_TIMEOUT`. Harmless when it is gone."""
        await _end(self._process, at_once=False)


async def _ask(process: asyncio.subprocess.Process, load: Load) -> dict[str, Any]:
    """Send the settings; the child's answer, empty when it ended without one."""
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(orjson.dumps(asdict(load)) + b"\n")
        await process.stdin.drain()
    line = await _stream(process.stdout).readline()
    return orjson.loads(line) if line else {}


def _named(load: Load) -> str:
    """The files that were to be loaded."""
    beside = f" and {load.second}" if load.second else ""
    return f"{load.path}{beside}" + (f" with the adapter {load.adapter}" if load.adapter else "")


def _stream(stream: asyncio.StreamReader | None) -> asyncio.StreamReader:
    assert stream is not None
    return stream


async def _end(process: asyncio.subprocess.Process, *, at_once: bool) -> None:
    with contextlib.suppress(ProcessLookupError):
        if process.returncode is None and not at_once:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT):
                    await process.wait()
        if process.returncode is None:
            process.kill()
    await process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _ending(code: int | None) -> str:
    if code is None:
        return "is still running"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"

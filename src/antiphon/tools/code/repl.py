"""A Python that lives in a sandbox from one cell to the next, spoken to from outside.

What speaks there may be anything: code that a model wrote has the same pipes. So a frame is bounded, and one that is
not as it should be ends the process.
"""

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from antiphon.ports.sandbox import Command, Interactive, Sandbox, SandboxProblem

SECONDS: Final = 90.0
"""That a cell may run."""

PATIENCE: Final = 270.0
"""Seconds that a call from code waits for its answer."""

MOST_FRAME: Final = 4 * 1024 * 1024
"""Bytes of what the process says at once."""

_RUNNER: Final = Path(__file__).with_name("runner.py")
_MOST_SAID: Final = 64 * 1024


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Ended(_Part):
    """What a cell came to."""

    stdout: str
    stderr: str
    return_code: int = Field(ge=0, le=255)


class Asked(_Part):
    """A call of a function that somebody outside answers. `key`: what the process knows it by."""

    key: int = Field(ge=0)
    name: str
    input: dict[str, Any]


class _Frame(_Part):
    calls: list[Asked] | None = None
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class Calls:
    """The cell waits for what these come to."""

    calls: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The process is gone, and with it all that cells had named. `killed`: why it was ended, "time" among them."""

    killed: str | None
    return_code: int
    stderr: str


Outcome = Ended | Calls | Stopped


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a process between two words with it."""

    mark: str
    seconds: float
    patience: float
    left: float
    heard: bytes
    names: frozenset[str]


class Repl:
    """One process; `mark` tells it from others. A cell at a time. `SandboxProblem("gone")`: it has ended."""

    def __init__(self, process: Interactive, mark: str, seconds: float, patience: float) -> None:
        self.mark = mark
        self.process = process
        self._seconds = seconds
        self._patience = patience
        self._left = 0.0
        self._heard = bytearray()
        self._names: frozenset[str] = frozenset()

    @classmethod
    async def start(
        cls, sandbox: Sandbox, mark: str, *, seconds: float = SECONDS, patience: float = PATIENCE
    ) -> "Repl":
        """A new one. Raises `SandboxProblem`."""
        command = Command(("python3", "-u", "-c", _RUNNER.read_text("utf-8")), 0.0, _MOST_SAID, outputs=True)
        return cls(await sandbox.start(command), mark, seconds, patience)

    @property
    def known(self) -> "Known":
        """What whoever goes on with its process has to know."""
        return Known(self.mark, self._seconds, self._patience, self._left, bytes(self._heard), self._names)

    @classmethod
    def of(cls, known: "Known", process: Interactive) -> "Repl":
        """The one that is known, which somebody else has spoken to before."""
        repl = cls(process, known.mark, known.seconds, known.patience)
        repl._left, repl._heard, repl._names = known.left, bytearray(known.heard), known.names
        return repl

    async def begin(self, code: str, functions: Mapping[str, str]) -> Outcome:
        """Run a cell until it ends, or waits. `functions`: what it may call, each with the tool it stands for."""
        self._left, self._names = self._seconds, frozenset(functions.values())
        return await self._told({"code": code, "functions": dict(functions), "patience": self._patience})

    async def answer(self, results: Mapping[int, str]) -> Outcome:
        """Tell the cell what its calls came to, and let it go on."""
        try:
            return await self._told({"results": {str(key): text for key, text in results.items()}})
        except SandboxProblem:
            return await self._stopped()

    async def aclose(self) -> None:
        """End the process; may be called more than once."""
        await self.process.aclose()

    async def _told(self, said: dict[str, Any]) -> Outcome:
        data = orjson.dumps(said)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(self._left):
                await self.process.send(struct.pack(">I", len(data)) + data)
                frame = await self._frame()
        except TimeoutError:
            await self.aclose()
            return Stopped("time", 124, "")
        except BaseException:
            # Whoever does not hear it out cannot tell what belongs to the next cell.
            await self.aclose()
            raise
        finally:
            # What it does while it waits for others is bounded by their patience.
            self._left -= loop.time() - started
        return await self._stopped() if frame is None else self._read(frame)

    async def _frame(self) -> bytes | None:
        """What it says next; None: it has ended, or says too much."""
        size = 4
        while len(self._heard) < size:
            data = await self.process.receive()
            if not data:
                return None
            self._heard += data
            if size == 4 and len(self._heard) >= 4:
                size += int.from_bytes(self._heard[:4], "big")
                if size > MOST_FRAME:
                    await self.aclose()
                    return None
        frame, self._heard = bytes(self._heard[4:size]), self._heard[size:]
        return frame

    def _read(self, data: bytes) -> Outcome:
        try:
            frame = _Frame.model_validate(orjson.loads(data))
        except (orjson.JSONDecodeError, ValidationError):
            frame = _Frame()
        if frame.ended is not None:
            return frame.ended
        if frame.calls and all(call.name in self._names for call in frame.calls):
            return Calls(tuple(frame.calls))
        return Stopped(None, 1, "what it said is no answer")

    async def _stopped(self) -> Stopped:
        finished = await self.process.finished()
        return Stopped(finished.killed, finished.return_code, finished.stderr.decode("utf-8", "replace"))

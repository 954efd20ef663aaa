"""A llama.cpp server that is not ours: another program with settings of its own, which listens on loopback.

As a program: one JSON line of settings on standard input, its address on standard output; it ends when its input does.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Self

READY_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Foreign:
    """How the server is started. `window`: tokens of each of so many conversations (`parallel`) at once. `prefix`: what
    stands before its paths. `special`: it shows control tokens."""

    model: str
    port: int
    window: int = 2048
    parallel: int = 2
    key: str = "foreign"
    prefix: str = ""
    projector: str = ""
    special: bool = False
    template: str = ""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}{self.prefix}"


class ForeignServer:
    """The program, running."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, settings: Foreign) -> Self:
        """Start it, and wait until it answers."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", __file__, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asdict(settings)).encode() + b"\n")
        async with asyncio.timeout(READY_TIMEOUT):
            line = await process.stdout.readline()
        assert line, "the foreign server did not start"
        return cls(process)

    async def kill(self) -> None:
        """End it as a crash would."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


@contextmanager
def foreign_server(settings: Foreign) -> Generator[Foreign]:
    """The program, as long as the block lasts, where no loop runs."""
    process = subprocess.Popen(
        [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(asdict(settings)).encode() + b"\n")
        process.stdin.flush()
        assert process.stdout.readline(), "the foreign server did not start"
        yield settings
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main() -> None:
    """Load, say where, and serve until standard input ends."""
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    settings: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import xllamacpp

    native: Any = xllamacpp
    wanted = native.CommonParams()
    wanted.model.path = settings["model"]
    wanted.n_ctx = settings["window"] * settings["parallel"]
    wanted.n_parallel = settings["parallel"]
    wanted.n_gpu_layers = 0
    wanted.n_batch = wanted.n_ubatch = 64
    wanted.hostnames = ["127.0.0.1"]
    wanted.port = settings["port"]
    wanted.api_keys = [settings["key"]] if settings["key"] else []
    wanted.api_prefix = settings["prefix"]
    wanted.special = settings["special"]
    for group in (wanted.cpuparams, wanted.cpuparams_batch):
        # Threads that have no core of their own wait for each other at every layer.
        group.poll, group.n_threads = 0, min(2, len(os.sched_getaffinity(0)))
    if settings["projector"]:
        wanted.mmproj.path = settings["projector"]
        wanted.mmproj_use_gpu = False
    if settings["template"]:
        wanted.chat_template = settings["template"]
    server = native.Server(wanted)
    answers.write(f"{server.listening_address}\n")
    answers.flush()
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()

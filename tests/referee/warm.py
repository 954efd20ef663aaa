"""Python programs in processes of their own that need not import everything anew, which is most of what a short one
costs: each is forked from a process that has imported it.

What a program does from its first line on is what it does where it is started by name. Where that cannot be promised,
since a variable counts while things are imported or the system does not fork well, it is started by name.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Protocol

_PROGRAM: Final = Path(__file__).with_name("warm_process.py")
_INTERPRETERS: Final = "PYTHON"
"""How variables begin that an interpreter reads when it starts: each set of them has a process of its own."""
_IMPORTS: Final = ("HF_", "LD_", "MALLOC_")
"""How others begin that count before the first line."""
_SERVER: Final = ("antiphon.cli.main", "antiphon.cli.serve", "antiphon.compose.start", "aiosqlite", "greenlet")
_CLIENT: Final = ("anthropic",)


class Running(Protocol):
    """What a process is for who has started it; that of `subprocess` is one."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal, unless it is known to have ended."""

    def kill(self) -> None:
        """End it."""

    def poll(self) -> int | None:
        """How it ended, or None."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """How it ended: its status, or a signal below zero. `subprocess.TimeoutExpired` where it has not."""
        ...


@dataclass
class _Forked:
    """One that was forked. `told`: the pipe that says how it ended."""

    pid: int
    told: int
    status: int | None = None

    def send_signal(self, sig: int, /) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.status

    def wait(self, timeout: float | None = None) -> int:
        if self.status is None:
            if not select.select([self.told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self.status = _number(self.told)
            os.close(self.told)
        return self.status


def start(
    command: Sequence[str], environment: Mapping[str, str], output: int, errors: int, folder: str | Path | None = None
) -> Running:
    """Start a program whose output and errors go to these descriptors, in this process's folder or another."""
    module = command[2] if command[1:2] == ["-m"] else None
    is_python = Path(command[0]).name.startswith("python")
    if sys.platform != "linux" or not is_python or _chosen(environment, _IMPORTS) != _chosen(os.environ, _IMPORTS):
        return start_by_name(command, environment, output, errors, folder)
    asked = {
        "module": module,
        "arguments": command[2 if module else 1 :],
        "folder": str(folder or Path.cwd()),
        "environment": dict(environment),
    }
    reading, writing = os.pipe()
    try:
        asking = _process(command[0], _SERVER if module else _CLIENT, _chosen(environment, _INTERPRETERS))
        socket.send_fds(asking, [json.dumps(asked).encode()], [output, errors, writing])
    finally:
        os.close(writing)
    return _Forked(_number(reading), reading)


def start_by_name(
    command: Sequence[str],
    environment: Mapping[str, str],
    output: int,
    errors: int,
    folder: str | Path | None = None,
) -> Running:
    """The same, always with an interpreter of its own."""
    return subprocess.Popen(command, env=environment, stdout=output, stderr=errors, cwd=folder)


def _chosen(environment: Mapping[str, str], begins: str | tuple[str, ...]) -> frozenset[tuple[str, str]]:
    return frozenset((name, value) for name, value in environment.items() if name.startswith(begins))


@cache
def _process(python: str, imports: tuple[str, ...], variables: frozenset[tuple[str, str]]) -> socket.socket:
    """Where requests to the process with these imports go. It ends with this process, or when this one is killed."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(_INTERPRETERS)}
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        command = [python, _PROGRAM, str(its.fileno()), *imports]
        process = subprocess.Popen(
            command, env={**others, **dict(variables)}, pass_fds=[its.fileno()], stdout=subprocess.DEVNULL
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _number(told: int) -> int:
    """The next number that the pipe tells."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(told, 1)
        assert piece, "the process that starts programs has ended"
        line += piece
    return int(line)

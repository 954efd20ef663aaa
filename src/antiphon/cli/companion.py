"""A server of its own for a program in front of it: it starts with the program, and ends with it.

The program is the parent process. It writes the settings to this one's standard input and reads lines of JSON from
its standard output; where the input ends, the parent is gone, however that came about, and so is the server.
"""

import asyncio
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from antiphon.cli.sizes import megabytes
from antiphon.config import ConfigError, Settings

_GRACE = 5.0


class CompanionError(Exception):
    """The server did not start. The text says why."""


@contextmanager
def companion(settings: Settings, err: Console) -> Generator[str]:
    """A server with these settings in a process of its own; its URL. On a terminal, `err` shows how it starts.

    Ctrl-C does not reach it. Raises `CompanionError`.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield _url(process, settings, err, log)
        finally:
            _end(process)


def _url(process: "subprocess.Popen[bytes]", settings: Settings, err: Console, log: IO[str]) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):  # it says below why it has ended
        pickle.dump(settings, process.stdin)
        process.stdin.flush()
    with err.status(Text("Starting a server …")) as status:
        for line in process.stdout:
            told = json.loads(line)
            if "url" in told:
                return told["url"]
            if "failure" in told:
                raise CompanionError(told["failure"])
            status.update(Text(told["stage"]))
    log.seek(0)
    raise CompanionError(f"the server ended while it started:\n{log.read()[-4000:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Observer:
    """Tells the parent of the start."""

    def __init__(self, channel: IO[str]) -> None:
        self._channel = channel

    def tell(self, **told: Any) -> None:
        """A line to the parent; where it is gone, nobody misses it."""
        with suppress(BrokenPipeError):
            self._channel.write(json.dumps(told) + "\n")
            self._channel.flush()

    def stage(self, text: str) -> None:
        """A step of the start begins."""
        self.tell(stage=f"{text} …")

    def download(self, name: str, done: int, total: int | None) -> None:
        """So much of a file has come."""
        self.tell(stage=f"{name}: {megabytes(done)}{f' of {megabytes(total)}' if total else ''}")

    def found(self, model: str, url: str, findings: Any) -> None:
        """Nothing that a chat is about."""

    def offering(self, tools: Sequence[str]) -> None:
        """Nothing that a chat is about."""

    def listening(self, url: str, model_names: Sequence[str], *, keyed: bool) -> None:
        """The server answers."""
        self.tell(url=url)

    def draining(self, open_requests: int) -> None:
        """The parent is gone, or about to."""


def _serve() -> int:
    """Be the server: what this process is started for."""
    from antiphon.compose import start
    from antiphon.compose.observer import StartError

    # Whatever this process or one that it starts writes or reads must not be taken for the parent's.
    given, told = os.dup(0), os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    with os.fdopen(given, "rb", buffering=0) as parent:
        settings: Settings = pickle.load(parent)
        observer = _Observer(told)

        async def until_the_parent_is_gone(_: str) -> None:
            gone = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(parent.fileno(), gone.set)
            await gone.wait()
            loop.remove_reader(parent.fileno())

        try:
            start.run_server(settings, observer, until_the_parent_is_gone)
        except (StartError, ConfigError) as failure:
            observer.tell(failure=str(failure))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(_serve())

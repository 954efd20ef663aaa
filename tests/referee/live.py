"""A real server on the real default model, as a user starts it, for clients that we did not write."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.referee.warm import start

START_TIMEOUT = 120.0
_URL = re.compile(r"answers at (http://127\.0\.0\.1:\d+)")


@dataclass(frozen=True, slots=True)
class Live:
    """A server that runs."""

    url: str
    pid: int


@contextmanager
def live_server(*arguments: str) -> Generator[str]:
    """`antiphon serve` in a process of its own on a free port; yields its base URL, stops it by SIGTERM."""
    with live_process(*arguments) as live:
        yield live.url


@contextmanager
def live_process(
    *arguments: str, program: Sequence[str] = ("antiphon",), extra: Mapping[str, str] | None = None
) -> Generator[Live]:
    """The same. `program`: the module to run and its own arguments; `extra`: environment of that process alone.

    No tool is there by default: a test never asks the internet."""
    command = [sys.executable, "-m", *program, "serve", "--port", "0", *arguments]
    folder = tempfile.TemporaryDirectory(prefix="antiphon-live-", ignore_cleanup_errors=True)
    # Without these, the start would make files in the user's home.
    given = {
        "ANTIPHON_THINKING_KEYS": "k" * 43,
        "ANTIPHON_STORES_DATA": folder.name,
        "ANTIPHON_SERVER_TOOLS_DEFAULTS": "false",
        **(extra or {}),
    }
    env = clean_env(given)
    reading, writing = os.pipe()
    try:
        process = start(command, env, writing, writing)
    finally:
        os.close(writing)
    output: list[str] = []
    found = threading.Event()
    url: list[str] = []

    def read() -> None:
        with open(reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                output.append(line)
                match = _URL.search(line)
                if match and not url:
                    url.append(match[1])
                    found.set()
        found.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        assert found.wait(START_TIMEOUT), "the server printed no address"
        assert url, "the server ended: " + "".join(output)
        yield Live(url[0], process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)
        folder.cleanup()


def clean_env(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without settings of ours or of the API's clients; no files of prompts are left behind."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANTIPHON_", "ANTHROPIC_"))}
    return {**kept, "ANTIPHON_PROMPT_CACHE_FILES": "0", **(extra or {})}


def run_client(
    command: Sequence[str | Path],
    url: str,
    *,
    timeout: float = 300,
    key: str = "any-key",
    extra: Mapping[str, str] | None = None,
) -> str:
    """Run a client program against a server; its standard output. Fails with its standard error."""
    env = clean_env({"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": key, **(extra or {})})
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = start([str(part) for part in command], env, output.fileno(), errors.fileno())
        try:
            status = process.wait(timeout)
        finally:
            process.kill()
            process.wait()
        said, complaints = (_whole(file) for file in (output, errors))
    assert status == 0, f"{command[-1]} failed:\n{said}\n{complaints}"
    return said


def _whole(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")

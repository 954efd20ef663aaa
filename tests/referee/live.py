"""A real server on the real default model, as a user starts it, for clients that we did not write."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_TIMEOUT = 120.0
_URL = re.compile(r"http://127\.0\.0\.1:\d+")


@contextmanager
def live_server(*arguments: str) -> Generator[str]:
    """`antiphon serve` in a process of its own on a free port; yields its base URL, stops it by SIGINT."""
    command = [sys.executable, "-m", "antiphon", "serve", "--port", "0", *arguments]
    env = clean_env({"ANTIPHON_THINKING_KEYS": "k" * 43})  # else the start would make a file in the user's home
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
    output: list[str] = []
    found = threading.Event()
    url: list[str] = []

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            output.append(line)
            match = _URL.search(line)
            if match and not url:
                url.append(match[0])
                found.set()
        found.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        assert found.wait(START_TIMEOUT), "the server printed no address"
        assert url, "the server ended: " + "".join(output)
        yield url[0]
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)
        if process.stdout is not None:
            process.stdout.close()


def clean_env(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without settings of ours or of the API's clients."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANTIPHON_", "ANTHROPIC_"))}
    return {**kept, **(extra or {})}


def run_client(command: Sequence[str | Path], url: str, *, timeout: float = 300, key: str = "any-key") -> str:
    """Run a client program against a server; its standard output. Fails with its standard error."""
    env = clean_env({"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": key})
    done = subprocess.run(
        [str(part) for part in command], env=env, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, f"{command[-1]} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout

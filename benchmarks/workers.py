"""What a second worker brings, with the scripted engine: `--workers 2` against one process, on the same two cores.

    python -m benchmarks.workers [--rounds 10] [--seconds 1.0]

Both servers run, and take turns in slices. The client is a process of its own that does as little as it can: prepared
bytes out, the ends of replies counted; it has as many connections for each process that answers. Two figures of each
slice:

- by the clock: replies per second. Client and server share the cores, and so does whatever else runs on the machine:
  with nothing else to do, two workers can reach what the client leaves of the second core.
- by processor time: replies per second of processor time, of all processes of the server. What two workers do in
  vain shows here, whatever else the machine does: 1.0 would be none, and twice that what two whole cores bring.
  How evenly the work is spread is the busier worker's share of it.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import uvloop

from benchmarks.load import Server, process_seconds

CONNECTIONS = 32
"""For each process that answers."""
STREAM_TOKENS = 500
SCRIPT = f"""
[[reply]]
match = "^long$"
text = '''{"word " * STREAM_TOKENS}'''

[[reply]]
text = "Hello!"
"""


def request(text: str) -> bytes:
    """A streaming request in bytes."""
    messages = [{"role": "user", "content": text}]
    body = {"model": "claude-opus-4-8", "max_tokens": 4096, "stream": True, "messages": messages}
    data = json.dumps(body).encode()
    head = "POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: bench\r\nanthropic-version: 2023-06-01\r\n"
    return f"{head}content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data


class Client(asyncio.Protocol):
    """One connection that asks again when it is answered. `open`: the client's counts, and whether to go on."""

    def __init__(self, text: bytes, counts: "Counts") -> None:
        self._text = text
        self._counts = counts
        self._end = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport: asyncio.WriteTransport = transport  # pyright: ignore[reportAttributeAccessIssue]
        self._transport.write(self._text)

    def data_received(self, data: bytes) -> None:
        """The end of a reply is the end of its chunks."""
        self._end = (self._end + data)[-5:] if len(data) < 5 else data[-5:]
        if self._end == b"0\r\n\r\n":
            self._counts.replies += 1
            if self._counts.goes_on:
                self._transport.write(self._text)


@dataclass(slots=True)
class Counts:
    """What a slice has brought so far."""

    replies: int = 0
    goes_on: bool = True


async def _slice(port: int, text: bytes, connections: int, seconds: float) -> int:
    counts = Counts()
    loop = asyncio.get_running_loop()
    opened = [loop.create_connection(lambda: Client(text, counts), "127.0.0.1", port) for _ in range(connections)]
    transports = [transport for transport, _ in await asyncio.gather(*opened)]
    await asyncio.sleep(seconds)
    counts.goes_on = False
    for transport in transports:
        transport.abort()
    return counts.replies


def _client(line: Connection) -> None:
    """The client's process: one slice for each order."""
    while (order := line.recv()) is not None:
        line.send(uvloop.run(_slice(*order)))


@dataclass(frozen=True, slots=True)
class Rate:
    """Replies per second, by the clock and by processor time; the busier worker's share of the processor time."""

    by_clock: float
    by_processor: float
    share: float


async def measure(server: Server, line: Connection, text: str, seconds: float) -> Rate:
    """One slice."""
    pids = [server.process.pid, *(child.pid for child in psutil.Process(server.process.pid).children())]
    before = [process_seconds(pid) for pid in pids]
    connections = CONNECTIONS * max(1, len(pids) - 1)
    line.send((int(server.url.rsplit(":", 1)[1]), request(text), connections, seconds))
    replies: int = await asyncio.to_thread(line.recv)
    parent, *workers = (process_seconds(pid) - start for pid, start in zip(pids, before, strict=True))
    total = parent + sum(workers)
    return Rate(replies / seconds, replies / total, max(workers, default=total) / total)


async def run(rounds: int, seconds: float, line: Connection) -> None:
    """Run both servers in turns and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.toml"
        script.write_text(SCRIPT)
        common = (
            "-m",
            "antiphon",
            "serve",
            "--port",
            "0",
            "--model",
            f"script:{script}",
            "--no-server-tools-defaults",
        )
        one = await Server.start("one", *common)
        two = await Server.start("two", *common, "--workers", "2")
        print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {rounds} rounds of {seconds:g} s\n")
        print(
            "| replies | one/s | two/s | by the clock | one/cpu s | two/cpu s | by processor time | busier worker |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for text in ("long", "short"):
            for server in (one, two):
                await measure(server, line, text, seconds)
            pairs: list[tuple[Rate, Rate]] = []
            for at in range(rounds):
                order = (one, two) if at % 2 else (two, one)
                rates = [await measure(server, line, text, seconds) for server in order]
                pairs.append((rates[0], rates[1]) if at % 2 else (rates[1], rates[0]))
            print(row(text, pairs), flush=True)
        await one.stop()
        await two.stop()


def row(text: str, pairs: list[tuple[Rate, Rate]]) -> str:
    """One line of the table: medians, and of the ratios the quartiles too."""
    cells = [text]
    for kind in ("by_clock", "by_processor"):
        values = [(getattr(one, kind), getattr(two, kind)) for one, two in pairs]
        low, middle, high = statistics.quantiles([two / one for one, two in values], n=4)
        cells += [f"{statistics.median(side):.0f}" for side in zip(*values, strict=True)]
        cells.append(f"{middle:.2f} ({low:.2f} to {high:.2f})")
    cells.append(f"{statistics.median(two.share for _, two in pairs):.2f}")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    client = context.Process(target=_client, args=(theirs,), daemon=True)
    client.start()
    asyncio.run(run(options.rounds, options.seconds, ours))
    ours.send(None)
    client.join(10)


if __name__ == "__main__":
    main()

"""A streaming client that measures, and the processes that it measures."""

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
import psutil

HEADERS = {"anthropic-version": "2023-06-01", "x-api-key": "bench", "authorization": "Bearer bench"}


@dataclass(slots=True)
class Stream:
    """One streamed reply: when its first text came, how much came, when it ended. Seconds on one clock."""

    began: float
    first: float | None = None
    ended: float = 0.0
    events: int = 0
    output_tokens: int = 0

    @property
    def ttft(self) -> float:
        """Seconds to the first text."""
        return (self.ended if self.first is None else self.first) - self.began


@dataclass(slots=True)
class Batch:
    """Streams that ran at once."""

    streams: list[Stream] = field(default_factory=list[Stream])
    cpu_seconds: float = 0.0

    @property
    def tokens_per_second(self) -> float:
        """Output tokens of all streams over the time from the first request to the last end."""
        seconds = max(s.ended for s in self.streams) - min(s.began for s in self.streams)
        return sum(s.output_tokens for s in self.streams) / seconds

    @property
    def ttft_p50(self) -> float:
        """Median seconds to the first text."""
        return statistics.median(s.ttft for s in self.streams)

    @property
    def cpu_per_1000_events(self) -> float:
        """CPU seconds of the server's processes per 1,000 events."""
        return 1000 * self.cpu_seconds / sum(s.events for s in self.streams)


def cpu_seconds(pid: int) -> float:
    """CPU time, user and system, of a process and its children so far."""
    process = psutil.Process(pid)
    return sum(_cpu_seconds(each) for each in (process, *process.children(recursive=True)))


def _cpu_seconds(process: psutil.Process) -> float:
    if sys.platform == "linux":
        # The clock that clock_getcpuclockid(3) names: nanoseconds, where /proc counts hundredths of a second.
        return time.clock_gettime((~process.pid << 3) | 2)
    times = process.cpu_times()
    return times.user + times.system


async def stream_once(session: aiohttp.ClientSession, url: str, body: Mapping[str, object]) -> Stream:
    """Send one request and read its stream to the end."""
    result = Stream(time.perf_counter())
    async with session.post(f"{url}/v1/messages", json=body, headers=HEADERS) as reply:
        if reply.status != 200:
            raise RuntimeError(f"{url} answered {reply.status}: {await reply.text()}")
        async for line in reply.content:
            if not line.startswith(b"data:"):
                continue
            result.events += 1
            if b"text_delta" in line and result.first is None:
                result.first = time.perf_counter()
            if b'"message_delta"' in line:
                result.output_tokens = json.loads(line[5:])["usage"]["output_tokens"]
    result.ended = time.perf_counter()
    return result


async def run_batch(url: str, pid: int, bodies: list[dict[str, object]]) -> Batch:
    """All requests at once."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, read_bufsize=2**20) as session:
        before = cpu_seconds(pid)
        streams = await asyncio.gather(*(stream_once(session, url, body) for body in bodies))
        return Batch(list(streams), cpu_seconds(pid) - before)


@dataclass(slots=True)
class Server:
    """A server process that prints its address."""

    name: str
    process: asyncio.subprocess.Process
    url: str

    @classmethod
    async def start(cls, name: str, *command: str, said: bytes = b"") -> "Server":
        """Start it and wait for a line with its address on standard output or error; `said` is in that line, too."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "NO_COLOR": "1"},
        )
        assert process.stdout is not None
        seen = b""
        async with asyncio.timeout(120):
            while line := await process.stdout.readline():
                seen += line
                start = line.find(b"http://127.0.0.1:") if said in line else -1
                if start >= 0:
                    url = line[start:].split()[0].decode().strip("\"'`,")
                    server = cls(name, process, url.removesuffix("/"))
                    server._drain = asyncio.create_task(process.stdout.read())
                    return server
        raise RuntimeError(f"{name} did not start:\n{seen.decode()}")

    _drain: "asyncio.Task[bytes] | None" = None

    async def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            async with asyncio.timeout(15):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
        if self._drain is not None:
            await self._drain

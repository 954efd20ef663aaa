"""What it costs to listen to engines, directly and through vllm-router: CPU time for each token that comes alone.

    python -m benchmarks.listening [--streams 60] [--tokens 200]

The engine is a stand-in in a process of its own, which says what a llama-server says; the client is the server's own.
The other half of a token's way, from the engine's port to the client of the Messages API, is what
`benchmarks.overhead` has for events.
"""

import argparse
import asyncio
import os
from typing import Final

import uvloop
from tests.engines.router import PYTHON, ForeignRouter

from antiphon.engines.llamacpp.client import read_event
from antiphon.engines.remote.connection import Access, Connection
from benchmarks.load import Server, cpu_seconds

INTERVAL: Final = 0.05
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request, answered as an engine does."""
    head = await reader.readuntil(b"\r\n\r\n")
    if head.startswith(b"GET"):  # a router asks whether all is well
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()
        return
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    tokens = int(await reader.readexactly(length))
    writer.write(_HEAD)
    for number in range(1, tokens + 1):
        said = b'{"index":0,"content":" sea","tokens":[3215],"stop":false,"id_slot":0,"tokens_predicted":%d}'
        event = b"data: " + said % number + b"\n\n"
        writer.write(b"%x\r\n%s\r\n" % (len(event), event))
        await asyncio.sleep(INTERVAL)
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    writer.close()


async def stand_in() -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(speak, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


async def listen(connection: Connection, tokens: int) -> int:
    """One stream, read to its end; how many tokens came."""
    return len([read_event(event, tokens=True) async for event in connection.events("/completion", tokens)])


async def measure(streams: int, tokens: int) -> None:
    """Print what a token costs."""
    engine = await Server.start("stand-in", "-m", "benchmarks.listening", "--stand-in")
    try:
        print(f"{streams} streams of {tokens} tokens, CPU time for each token")
        print(f"listening: {await _cost(engine.url, os.getpid(), streams, tokens):.0f} µs", flush=True)
        if PYTHON.exists():
            router = await ForeignRouter.start([engine.url], "none")
            try:
                print(f"vllm-router: {await _cost(router.url, router.pid, streams, tokens):.0f} µs")
            finally:
                await router.kill()
    finally:
        await engine.stop()


async def _cost(url: str, pid: int, streams: int, tokens: int) -> float:
    """Microseconds of a process's CPU time for each token of streams from this URL."""
    connection = Connection(Access(url))
    try:
        await listen(connection, 2)
        before = cpu_seconds(pid)
        heard = sum(await asyncio.gather(*(listen(connection, tokens) for _ in range(streams))))
        return (cpu_seconds(pid) - before) / heard * 1e6
    finally:
        await connection.aclose()


def main() -> None:
    """Read the arguments, and measure."""
    parser = argparse.ArgumentParser(description="Measure listening to engines.")
    parser.add_argument("--streams", type=int, default=60)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--stand-in", action="store_true")
    given = parser.parse_args()
    # The loop that the server has.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(stand_in() if given.stand_in else measure(given.streams, given.tokens))


if __name__ == "__main__":
    main()

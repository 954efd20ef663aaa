"""What a front costs for each token of engines that others run, and what a router between them costs.

    python -m benchmarks.front [--streams 8] [--tokens 64] [--rounds 3]

Two llama-servers of the built-in model, `antiphon serve --url` over both, and over vllm-router in front of both,
where `make test` has installed it. What counts is the CPU time of the front's and of the router's own process: how
fast the engines are, and what else the machine does, shows in it only as far as it makes everything dearer.
"""

import argparse
import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack

from tests.engines.remote.several import KEY, several
from tests.engines.router import PYTHON, ForeignRouter

from benchmarks.load import Server, cpu_seconds, run_batch


def bodies(streams: int, tokens: int, turn: int) -> list[dict[str, object]]:
    """Requests of so many conversations, of which none is another's beginning."""
    said = "Tell a very long story of the sea, number {}.{}, and of all who live in it. " * 4
    return [
        {
            "model": "claude-opus-4-8",
            "max_tokens": tokens,
            "stream": True,
            "messages": [{"role": "user", "content": said.replace("{}", str(turn), 1).replace("{}", str(number))}],
        }
        for number in range(streams)
    ]


async def measure(name: str, urls: Sequence[str], router: ForeignRouter | None, given: argparse.Namespace) -> str:
    """A row: what the front, and the router if there is one, took for what they passed on."""
    os.environ["BENCH_ENGINE_KEY"] = KEY
    # The front tells these addresses too, and its own is the first on 127.0.0.1.
    said = [word for url in urls for word in ("--url", url.replace("127.0.0.1", "localhost"))]
    command = ["-m", "antiphon", "serve", "--port", "0", *said]
    front = await Server.start(name, *command, "--engine-key-env", "BENCH_ENGINE_KEY")
    try:
        await run_batch(front.url, front.process.pid, bodies(given.streams, 4, 0))
        events = tokens = 0
        of_front = of_router = 0.0
        for turn in range(given.rounds):
            before = cpu_seconds(router.pid) if router is not None else 0.0
            batch = await run_batch(front.url, front.process.pid, bodies(given.streams, given.tokens, turn + 1))
            of_front += batch.cpu_seconds
            of_router += cpu_seconds(router.pid) - before if router is not None else 0.0
            events += sum(stream.events for stream in batch.streams)
            tokens += sum(stream.output_tokens for stream in batch.streams)
    finally:
        await front.stop()
    between = "" if router is None else f"{of_router / tokens * 1e6:.0f}"
    return f"| {name} | {tokens} | {events} | {of_front / tokens * 1e6:.0f} | {between} |"


async def run(given: argparse.Namespace) -> None:
    """Print the table."""
    print(
        "| engines | tokens | events | front, µs a token | router, µs a token |\n| --- | ---: | ---: | ---: | ---: |"
    )
    async with several(2, window=512, parallel=4) as servers, AsyncExitStack() as stack:
        print(
            await measure("two, in a pool", servers.urls, None, given),
            flush=True,
        )
        if PYTHON.exists():
            router = await ForeignRouter.start(servers.urls, KEY)
            stack.push_async_callback(router.kill)
            print(
                await measure("two behind vllm-router", [router.url], router, given),
                flush=True,
            )


def main() -> None:
    """Read the arguments, and measure."""
    parser = argparse.ArgumentParser(description="Measure a front of remote engines.")
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()

"""Side by side with llama.cpp's own `/v1/messages`: same model file, same machine, one run, turns taken.

    python -m benchmarks.peer [--rounds 5] [--tokens 128] [--remote]

Prints, at 1 and 8 streams at once on as many slots (`--parallel`), and at 8 on half of them: tokens/s, median time to
the first text, CPU seconds per 1,000 events, and ours over theirs. Both servers run for the whole time; only one of
them works at a time. `--remote`: ours has no model of its own and stands before theirs (`--url`), so that the
difference is what it costs to go through it; its CPU seconds are then its own alone.
"""

import argparse
import asyncio
import os
import statistics
from collections.abc import Sequence

from antiphon.weights.builtin import DEFAULT, builtin_path
from benchmarks.load import Batch, Server, run_batch

TOPICS = [
    "the sea",
    "a long train ride",
    "bread",
    "the moon",
    "an old clock",
    "rain in April",
    "a lighthouse",
    "ants",
]


def bodies(count: int, tokens: int, salt: str) -> list[dict[str, object]]:
    """Requests that share no prefix with earlier ones beyond the template's."""
    return [
        {
            "model": "claude-opus-4-5-20251101",
            "max_tokens": tokens,
            "temperature": 0,
            "stream": True,
            "messages": [{"role": "user", "content": f"{salt}{at}: write a long story about {TOPICS[at % 8]}."}],
        }
        for at in range(count)
    ]


def row(name: str, ours: list[Batch], theirs: list[Batch]) -> str:
    """One line of the table: medians over the rounds. Ratio and difference are those of the rounds themselves, since
    only what was measured one behind another is comparable; the ratio has its quartiles."""

    def both(attribute: str) -> tuple[list[float], list[float]]:
        return [getattr(each, attribute) for each in ours], [getattr(each, attribute) for each in theirs]

    def ratios(attribute: str) -> str:
        low, middle, high = statistics.quantiles((one / two for one, two in zip(*both(attribute), strict=True)), n=4)
        return f"{middle:.3f} ({low:.3f} to {high:.3f})"

    median = statistics.median
    tokens, cpu = (tuple(map(median, both(name))) for name in ("tokens_per_second", "cpu_per_1000_events"))
    firsts = both("ttft_p50")
    later = 1000 * median(one - two for one, two in zip(*firsts, strict=True))
    first = tuple(1000 * median(side) for side in firsts)
    return (
        f"| {name} | {tokens[0]:.1f} | {tokens[1]:.1f} | {ratios('tokens_per_second')} | {first[0]:.1f} "
        f"| {first[1]:.1f} | {later:+.1f} | {cpu[0]:.2f} | {cpu[1]:.2f} | {ratios('cpu_per_1000_events')} |"
    )


async def measure(
    rounds: int, tokens: int, parallel: int, batch: int, counts: Sequence[int], *, remote: bool = False
) -> None:
    """Run both servers with so many slots, and print a line for each number of streams at once."""
    threads = str(os.cpu_count() or 1)
    size, slots = str(batch), str(parallel)
    options = ["--threads", threads, "--batch", size, "--parallel", slots]
    path = str(builtin_path(DEFAULT))
    theirs = await Server.start("llama.cpp", "-m", "benchmarks.peer_server", path, *options)
    served = ["--url", theirs.url] if remote else options
    program = ("-m", "antiphon", "serve", "--port", "0", *served)
    ours = await Server.start("antiphon", *program, said=b"answers at")
    try:
        for count in counts:
            results: dict[str, list[Batch]] = {"antiphon": [], "llama.cpp": []}
            for at in range(rounds + 1):
                servers = [ours, theirs] if at % 2 else [theirs, ours]
                for server in servers:
                    salt = f"{server.name} {count} {at} "
                    result = await run_batch(server.url, server.process.pid, bodies(count, tokens, salt))
                    if at:  # the first round warms both up
                        results[server.name].append(result)
            print(row(f"{count}, {parallel}", results["antiphon"], results["llama.cpp"]), flush=True)
    finally:
        await ours.stop()
        await theirs.stop()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--remote", action="store_true")
    options = parser.parse_args()
    print("| streams, slots | tok/s | peer tok/s | ratio | TTFT p50 ms | peer | diff | CPU s/1k | peer | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    parallel, few = options.parallel, max(1, options.parallel // 2)
    for slots, counts in ((parallel, (1, parallel)), (few, (parallel,))):
        asyncio.run(measure(options.rounds, options.tokens, slots, options.batch, counts, remote=options.remote))


if __name__ == "__main__":
    main()

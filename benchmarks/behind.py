"""In front of an engine that runs already, against that engine's own `/v1/messages`: one run, turns taken.

    python -m benchmarks.behind URL --model NAME [--tokenizer SOURCE] [--rounds 6] [--tokens 96] [--streams 1 4]

`--model`: the name by which the engine serves its model. Prints, for each number of streams at once, tokens/s, the
median time to the first text, and ours over theirs; of the rounds' own ratios the median and the quartiles, since
only what was measured one behind another is comparable.
"""

import argparse
import asyncio
import statistics
from collections.abc import Callable

from benchmarks.load import Batch, Server, run_batch
from benchmarks.peer import bodies


def ratios(ours: list[Batch], theirs: list[Batch]) -> str:
    """Tokens/s, ours over theirs."""
    found = [one.tokens_per_second / two.tokens_per_second for one, two in zip(ours, theirs, strict=True)]
    low, middle, high = statistics.quantiles(found, n=4)
    return f"{middle:.3f} ({low:.3f} to {high:.3f})"


def row(streams: int, ours: list[Batch], theirs: list[Batch]) -> str:
    """One line of the table."""

    def median(side: list[Batch], of: Callable[[Batch], float]) -> float:
        return statistics.median(map(of, side))

    def speed(batch: Batch) -> float:
        return batch.tokens_per_second

    def first(batch: Batch) -> float:
        return 1000 * batch.ttft_p50

    later = statistics.median(first(one) - first(two) for one, two in zip(ours, theirs, strict=True))
    return (
        f"| {streams} | {median(ours, speed):.1f} | {median(theirs, speed):.1f} | {ratios(ours, theirs)} "
        f"| {median(ours, first):.0f} | {median(theirs, first):.0f} | {later:+.0f} |"
    )


async def measure(url: str, model: str, options: argparse.Namespace) -> None:
    """Start the server in front, and print a line for each number of streams."""
    command = ["-m", "antiphon", "serve", "--port", "0", "--url", url]
    tokenizer = ["--tokenizer", options.tokenizer] if options.tokenizer else []
    front = await Server.start("antiphon", *command, *tokenizer, said=b"answers at")
    try:
        for streams in options.streams:
            ours: list[Batch] = []
            theirs: list[Batch] = []
            for at in range(options.rounds + 1):
                sides = [(front.url, "remote", ours), (url, model, theirs)]
                for place, name, results in sides if at % 2 else reversed(sides):
                    asked = bodies(streams, options.tokens, f"{name} {streams} {at} ")
                    batch = await run_batch(place, front.process.pid, [{**body, "model": name} for body in asked])
                    if at:  # the first round warms both up
                        results.append(batch)
            print(row(streams, ours, theirs), flush=True)
    finally:
        await front.stop()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--model", required=True)
    parser.add_argument("--tokenizer")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 4])
    options = parser.parse_args()
    print("| streams | tok/s | engine's own | ratio | TTFT p50 ms | engine's own | later by |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    asyncio.run(measure(options.url, options.model, options))


if __name__ == "__main__":
    main()

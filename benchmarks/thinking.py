"""Whether the default model keeps its thinking budget, always answers, and reads nothing twice.

    python -m benchmarks.thinking [--runs 200] [--parallel 4] [--budget 1024] [--timeout 600]

Sends mixed requests with a budget, at the model's own sampling, and prints the longest thought, how many kept the
budget, how many have an answer, and how long they took. What an answer costs to begin is told by the requests with a
long prompt: from the end of the thought to the first text, beside the time that the same prompt took to be read.
Ends with 1 when a budget was not kept or an answer is missing.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.load import HEADERS, Server

MODEL = "claude-opus-4-5-20251101"
ANSWER = 256
"""Tokens that are left for the answer where the budget is used up."""

LONG = (
    "The tide table of the harbour says: high water at six, low water at noon, and the ferry waits for neither. " * 60
)
WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "Get the current weather of a place.",
    "input_schema": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
}
REQUESTS: Sequence[dict[str, Any]] = (
    {"messages": [{"role": "user", "content": "Hello!"}]},
    {"messages": [{"role": "user", "content": "Are there infinitely many primes n with n mod 4 == 3?"}]},
    {"messages": [{"role": "user", "content": "Write a Python function that turns a string around."}]},
    {"messages": [{"role": "user", "content": "Explique pourquoi le ciel est bleu."}]},
    {"messages": [{"role": "user", "content": "List every country that you know, one a line."}]},
    {"messages": [{"role": "user", "content": "What's the weather in Paris?"}], "tools": [WEATHER]},
    {"messages": [{"role": "user", "content": f"{LONG}\n\nWhen is high water?"}], "long": True},
    {
        "system": "You are a pirate.",
        "messages": [
            {"role": "user", "content": "My name is Ada."},
            {"role": "assistant", "content": "Ahoy, Ada!"},
            {"role": "user", "content": "What is my name, and how many letters has it?"},
        ],
    },
)


@dataclass(slots=True)
class Run:
    """One reply. Times in seconds since it was asked for; None: it did not come to that."""

    long: bool
    first: float | None = None
    thought_ended: float | None = None
    answered: float | None = None
    ended: float = 0.0
    thinking_tokens: int = 0
    output_tokens: int = 0
    stop_reason: str = ""
    says: bool = False


async def run_once(session: aiohttp.ClientSession, url: str, asked: dict[str, Any], number: int, budget: int) -> Run:
    """Send one request and read its stream to the end."""
    body = {key: value for key, value in asked.items() if key != "long"}
    thinking = {"type": "enabled", "budget_tokens": budget}
    # A prefix of its own, so that no prompt is known from the run before.
    system = f"Request {number}. {asked.get('system', 'You are helpful.')}"
    body |= {"model": MODEL, "max_tokens": budget + ANSWER, "thinking": thinking, "stream": True, "system": system}
    # One sentence shows that there is an answer.
    body["stop_sequences"] = [". ", ".\n"]
    run, began = Run(asked.get("long", False)), time.perf_counter()
    async with session.post(f"{url}/v1/messages", json=body, headers=HEADERS) as reply:
        if reply.status != 200:
            raise RuntimeError(f"{url} answered {reply.status}: {await reply.text()}")
        async for line in reply.content:
            if line.startswith(b"data:"):
                note(run, json.loads(line[5:]), time.perf_counter() - began)
    run.ended = time.perf_counter() - began
    return run


def note(run: Run, event: dict[str, Any], now: float) -> None:
    """What one event says of the run."""
    match event["type"]:
        case "content_block_delta":
            kind = event["delta"]["type"]
            run.first = now if run.first is None else run.first
            if kind == "signature_delta":
                run.thought_ended = now
            elif run.thought_ended is not None and run.answered is None:
                run.answered = now
            run.says = run.says or bool(event["delta"].get("text", "").strip()) or kind == "input_json_delta"
        case "message_delta":
            usage = event["usage"]
            run.thinking_tokens = usage.get("output_tokens_details", {}).get("thinking_tokens", 0)
            run.output_tokens = usage["output_tokens"]
            run.stop_reason = event["delta"]["stop_reason"]
        case "error":
            raise RuntimeError(event["error"]["message"])
        case _:
            pass


async def run_all(url: str, runs: int, parallel: int, budget: int, patience: float) -> list[Run]:
    """All runs, so many at once; says how far it is."""
    limit, done = asyncio.Semaphore(parallel), 0

    async def one(asked: dict[str, Any], number: int) -> Run:
        nonlocal done
        async with limit, asyncio.timeout(patience):
            run = await run_once(session, url, asked, number, budget)
        done += 1
        took = f"{run.thinking_tokens:5} of thought, {run.output_tokens:5} in all, {run.ended:6.1f} s"
        print(f"{done:4}/{runs}: {took}, {run.stop_reason}", file=sys.stderr, flush=True)
        return run

    async with aiohttp.ClientSession(read_bufsize=2**20, timeout=aiohttp.ClientTimeout(total=None)) as session:
        mixed = islice(cycle(REQUESTS), runs)
        return list(await asyncio.gather(*(one(asked, number) for number, asked in enumerate(mixed))))


def report(runs: list[Run], budget: int) -> bool:
    """Print what was found; whether every promise was kept."""
    kept = sum(run.thinking_tokens <= budget for run in runs)
    says = sum(run.says for run in runs)
    thoughts = sorted(run.thinking_tokens for run in runs)
    print(f"replies                        {len(runs)}")
    print(f"longest thought                {thoughts[-1]} tokens (median {statistics.median(thoughts):.0f})")
    print(f"thinking within {budget:5}          {kept / len(runs):.1%}")
    print(f"with an answer                 {says / len(runs):.1%}")
    print(f"seconds a reply                {statistics.median(run.ended for run in runs):.1f} (median)")
    long = [run for run in runs if run.long and None not in (run.first, run.thought_ended, run.answered)]
    if long:
        reads = statistics.median(run.first or 0 for run in long)
        begins = statistics.median((run.answered or 0) - (run.thought_ended or 0) for run in long)
        print(f"a long prompt is read in       {reads:.2f} s")
        print(f"the answer behind it begins in {begins:.2f} s")
    return kept == says == len(runs)


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--parallel", type=int, default=4)
    parser.add_argument("--budget", type=int, default=1024)
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one reply")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "antiphon.toml"
        config.write_text(f"[thinking]\nkey_file = {json.dumps(str(Path(directory) / 'keys'))}\n")
        serve = ("-m", "antiphon", "serve", "--port", "0", "--config", str(config))
        server = await Server.start("antiphon", *serve, "--parallel", str(arguments.parallel))
        try:
            runs = await run_all(server.url, arguments.runs, arguments.parallel, arguments.budget, arguments.timeout)
        finally:
            await server.stop()
    if not report(runs, arguments.budget):
        raise SystemExit(1)


if __name__ == "__main__":
    asyncio.run(main())

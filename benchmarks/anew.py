"""What it brings that the built-in model is written anew: as it came and anew, measured in turns.

    python -m benchmarks.anew [--rounds 5] [--prompt 1500] [--tokens 64]

Both engines stay loaded, each as the server starts it; the one that is not asked sleeps. Prints, for reading a prompt
and for writing, with tools and plain, tokens/s as the engine times them, tokens per second of the engine's CPU time,
and the median ratio of the pairs; seconds from the start to a loaded model, and its memory then, at
its peak, and after the rounds; and how long a short reply of one kind takes beside a long one of the other. Ratios
are worth more than speeds, and on a busy machine those of CPU time more than the others. The first start writes the
files.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from antiphon.compose.engines import model_file
from antiphon.config import ModelSettings
from antiphon.dialogue.conversation import Sampling
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.llamacpp import LlamaCppEngine
from antiphon.engines.llamacpp.embedded.process import EngineProcess
from antiphon.ports.engine import Generation, Piece
from antiphon.weights import resolve
from antiphon.weights.anew import as_it_came, prepare
from antiphon.weights.progress import silent
from benchmarks.load import cpu_seconds

# Open at its end, the model would end it at once, and nobody would have to wait.
LONG = "start: /(one, two, ){60}/"
NAMES = ("as it came", "anew")


@dataclass(frozen=True)
class Speed:
    """Tokens per second, and per second of CPU time."""

    wall: float
    cpu: float


Round = dict[tuple[str, bool], dict[str, Speed]]
"""The speeds of each engine, with tools and plain."""


def processes(engine: LlamaCppEngine) -> list[int]:
    """The engine's process, and that of its second model."""
    pid = child_of(engine).pid
    return [pid, *(child.pid for child in psutil.Process(pid).children())]


def child_of(engine: LlamaCppEngine) -> EngineProcess:
    """The process of an engine that runs."""
    assert engine.process is not None
    return engine.process


async def call(
    session: aiohttp.ClientSession, engine: LlamaCppEngine, prompt: Sequence[int], tokens: int, *, tools: bool
) -> tuple[dict[str, Any], float]:
    """The engine's own timings of a reply to a prompt that is read anew, and the CPU seconds that it took."""
    child = child_of(engine)
    body: dict[str, Any] = {
        "prompt": list(prompt), "n_predict": tokens, "ignore_eos": True, "temperature": 0, "cache_prompt": False,
    }  # fmt: skip
    if not child.second:
        body["lora"] = [{"id": 0, "scale": 1.0 if tools else 0.0}]
    address = (tools and child.second) or child.address
    before = cpu_seconds(child.pid)
    headers = {"authorization": f"Bearer {child.key}"}
    async with session.post(f"{address}/completion", json=body, headers=headers) as reply:
        timings: dict[str, Any] = (await reply.json())["timings"]
    return timings, cpu_seconds(child.pid) - before


async def speeds(
    session: aiohttp.ClientSession, engine: LlamaCppEngine, prompt: Sequence[int], tokens: int, *, tools: bool
) -> dict[str, Speed]:
    """Reading a prompt, and writing behind a short one."""
    read, read_cpu = await call(session, engine, prompt, 1, tools=tools)
    wrote, write_cpu = await call(session, engine, prompt[:16], tokens, tools=tools)
    return {
        "reading": Speed(read["prompt_per_second"], len(prompt) / read_cpu),
        "writing": Speed(wrote["predicted_per_second"], tokens / write_cpu),
    }


async def beside(engine: LlamaCppEngine) -> float:
    """Seconds that a plain reply of four tokens takes, beside a long one with tools that runs already."""

    async def prompt(text: str) -> RenderedPrompt:
        segments = (Segment(text),)
        return RenderedPrompt(segments, await engine.tokenize(segments))

    greedy = Sampling(temperature=0.0)
    long = Generation(await prompt("Count."), 150, greedy, LONG)
    short = Generation(await prompt("Say yes."), 4, greedy, plain=True)
    async with aclosing(engine.generate(long)) as outputs:
        async for output in outputs:
            if isinstance(output, Piece):
                break
        began = time.monotonic()
        async with aclosing(engine.generate(short)) as said:
            async for _ in said:
                pass
        return time.monotonic() - began


def memory(engine: LlamaCppEngine) -> str:
    """What of the engine's processes lies in memory, and the most that did in each."""
    now: list[int] = []
    most: list[int] = []
    for pid in processes(engine):
        lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        found = {words[0]: int(words[1]) * 1024 // 1_000_000 for words in lines if words[0] in ("VmRSS:", "VmHWM:")}
        now.append(found["VmRSS:"])
        most.append(found["VmHWM:"])
    return f"{' + '.join(map(str, now))} MB in memory, {', '.join(map(str, most))} at most"


async def measure(wanted: argparse.Namespace) -> None:
    """Run both engines in turns and print the tables."""
    found = resolve("builtin")
    prepare(found, silent)
    engines: list[LlamaCppEngine] = []
    async with AsyncExitStack() as stack:
        connector = aiohttp.TCPConnector(force_close=True)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        for name in NAMES:
            began = time.monotonic()
            files = as_it_came(found) if name == NAMES[0] else prepare(found, silent)
            engine = LlamaCppEngine(ModelSettings("model", "builtin"), model_file(found, files))
            await engine.start()
            stack.push_async_callback(engine.aclose)
            engines.append(engine)
            seconds, step = time.monotonic() - began, child_of(engine).ready.batch
            await child_of(engine).settled(120)
            both = time.monotonic() - began
            print(f"{name}: {seconds:.1f} s to load, {both:.1f} s with all that it has, steps of {step} tokens")
            print(f"{name}: {memory(engine)}")
        prompt = [1000 + 7 * place for place in range(wanted.prompt)]
        for engine in engines:
            await speeds(session, engine, prompt[:200], 8, tools=True)
        rounds = [
            {
                (name, tools): await speeds(session, engine, prompt, wanted.tokens, tools=tools)
                for tools in (True, False)
                for name, engine in zip(NAMES, engines, strict=True)
            }
            for _ in range(wanted.rounds)
        ]
        table(rounds)
        for name, engine in zip(NAMES, engines, strict=True):
            waits = [await beside(engine) for _ in range(3)]
            seconds = statistics.median(waits)
            print(
                f"\n{name}: {seconds:.2f} s for a short reply beside a long one of the other kind, {memory(engine)}"
            )


def table(rounds: Sequence[Round]) -> None:
    """Print what is faster, and by how much."""
    came, anew = NAMES
    print(f"\n| tokens/s | {came} | {anew} | ratio (median of pairs) | ratio of CPU time |")
    print("| --- | --- | --- | --- | --- |")
    for tools in (True, False):
        for kind in ("reading", "writing"):
            print(row(f"{kind}, {'with tools' if tools else 'plain'}", rounds, kind, (came, tools), (anew, tools)))
    print(row("writing anew, plain and with tools", rounds, "writing", (anew, False), (anew, True)))


def row(label: str, rounds: Sequence[Round], kind: str, one: tuple[str, bool], other: tuple[str, bool]) -> str:
    """A line of the table: medians of both, and of their ratios."""
    pairs = [(each[one][kind], each[other][kind]) for each in rounds]
    speed = [statistics.median(pair[side].wall for pair in pairs) for side in (0, 1)]
    wall = statistics.median(after.wall / before.wall for before, after in pairs)
    cpu = statistics.median(after.cpu / before.cpu for before, after in pairs)
    return f"| {label} | {speed[0]:.0f} | {speed[1]:.0f} | {wall:.2f} | {cpu:.2f} |"


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompt", type=int, default=1500, help="tokens of the prompt")
    parser.add_argument("--tokens", type=int, default=64, help="to be written in each turn")
    asyncio.run(measure(parser.parse_args()))


main()

"""What an adapter costs: the same model with and without it, measured in turns.

    python -m benchmarks.adapter [--adapter FILE.gguf] [--model SOURCE] [--rounds 5] [--tokens 96] [--prompt 400]
        [--left-out]

Prints tokens/s of writing and of reading a prompt, as the engine itself times them, tokens per second of the engine's
CPU time (of both together), and the ratio of each pair of turns. Both engines stay loaded; the one that is not asked
sleeps. With --left-out the adapter is loaded and has no part, as in work without tools and thoughts. Ratios are worth
more than speeds, and on a busy machine those of CPU time more than the others.
"""

import argparse
import asyncio
import statistics
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from antiphon.config import ModelSettings
from antiphon.engines.llamacpp import LlamaCppEngine, ModelFile
from antiphon.weights import resolve
from benchmarks.load import cpu_seconds


@dataclass(frozen=True)
class Speed:
    """Tokens per second; `cpu`: of the engine's CPU time."""

    writing: float
    reading: float
    cpu: float


async def engine(stack: AsyncExitStack, model: ModelFile, threads: int) -> LlamaCppEngine:
    """A loaded engine with room for one conversation."""
    made = LlamaCppEngine(ModelSettings("model", "", context=2048, parallel=1, threads=threads), model)
    await made.start()
    stack.push_async_callback(made.aclose)
    return made


async def turn(
    session: aiohttp.ClientSession, engine: LlamaCppEngine, prompt: Sequence[int], tokens: int, scale: float
) -> Speed:
    """The speeds of one reply to a prompt that is read anew. `scale`: how much of an adapter has a part in it."""
    assert engine.process is not None
    body = {
        "prompt": list(prompt), "n_predict": tokens, "ignore_eos": True, "temperature": 0, "cache_prompt": False,
        "lora": [{"id": 0, "scale": scale}],
    }  # fmt: skip
    headers = {"authorization": f"Bearer {engine.process.key}"}
    before = cpu_seconds(engine.process.pid)
    async with session.post(f"{engine.process.address}/completion", json=body, headers=headers) as reply:
        timings: dict[str, Any] = (await reply.json())["timings"]
    spent = cpu_seconds(engine.process.pid) - before
    return Speed(timings["predicted_per_second"], timings["prompt_per_second"], (tokens + len(prompt)) / spent)


async def measure(wanted: argparse.Namespace) -> None:
    """Run both engines in turns and print the table."""
    found = await asyncio.to_thread(resolve, wanted.model, adapter=wanted.adapter)
    if found.adapter is None:
        raise SystemExit("There is no adapter to measure: name one with --adapter.")
    bare = ModelFile(path=found.path, name=found.name, trained_context=found.header.context_length)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        )
        both = [
            await engine(stack, model, wanted.threads) for model in (replace(bare, adapter=found.adapter.path), bare)
        ]
        scale = 0.0 if wanted.left_out else 1.0
        # No text that means anything, so that nothing is shorter for one of the two.
        prompt = [1000 + 7 * place for place in range(wanted.prompt)]
        for each in both:
            await turn(session, each, prompt, 8, scale)
        rounds = [
            [await turn(session, each, prompt, wanted.tokens, scale) for each in both] for _ in range(wanted.rounds)
        ]
    print(f"{found.adapter.path.name}: rank {found.adapter.rank}, {found.adapter.size / 1e6:.1f} MB\n")
    print("| tokens/s | with | without | ratio (median of pairs) | best / best |")
    print("| --- | --- | --- | --- | --- |")
    for kind in ("writing", "reading", "cpu"):
        pairs = [tuple(getattr(speed, kind) for speed in pair) for pair in rounds]
        ratio = statistics.median(adapted / alone for adapted, alone in pairs)
        adapted, alone = (max(pair[side] for pair in pairs) for side in (0, 1))
        print(f"| {kind} | {adapted:.0f} | {alone:.0f} | {ratio:.2f} | {adapted / alone:.2f} |")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", help="a LoRA .gguf file; default: the one that ships with the built-in model")
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=96, help="to be written in each turn")
    parser.add_argument("--prompt", type=int, default=400, help="tokens of the prompt")
    parser.add_argument("--left-out", action="store_true", help="measure work in which the adapter has no part")
    parser.add_argument("--threads", type=int, default=0)
    asyncio.run(measure(parser.parse_args()))


main()

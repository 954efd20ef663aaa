"""What constrained decoding costs on the default model: tokens/s under the grammar of 1, 10 and 40 tools, and free.

    python -m benchmarks.grammars [--rounds 8] [--tokens 150]

The prompt is the same everywhere, and the model may answer in words, so that both write the same text; the runs take
turns. Prints the median of tokens/s, its ratio to free writing, and the time to make and check the grammar anew.
"""

import argparse
import asyncio
import statistics
import time
from contextlib import aclosing
from datetime import date
from typing import Final

from tests.engines.implementations import llama_cpp
from tests.render.real_tools import REAL_TOOLS

from antiphon.dialogue.conversation import Conversation, Sampling, Text, Turn
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.ports.engine import Engine, Generation, Piece
from antiphon.service.served import ServedModel

COUNTS: Final = (0, 1, 10, 40)
ASKED: Final = Conversation((), (Turn("user", (Text("Write a long story about the sea."),)),))
GREEDY: Final = Sampling(temperature=0.0)


async def speed(engine: Engine, prompt: RenderedPrompt, grammar: str | None, tokens: int) -> float:
    """Tokens/s behind the first token."""
    began, first, written = 0.0, 0, 0
    async with aclosing(engine.generate(Generation(prompt, tokens, GREEDY, grammar))) as outputs:
        async for output in outputs:
            if isinstance(output, Piece):
                if not began:
                    began, first = time.perf_counter(), output.output_tokens
                written = output.output_tokens
    return (written - first) / (time.perf_counter() - began)


async def measure(rounds: int, tokens: int) -> None:
    """Measure and print."""
    engine = llama_cpp(2048)
    await engine.start()
    try:
        served = ServedModel.of(engine)
        segments = served.prompts.build(ASKED, today=date(2026, 2, 3))
        prompt = RenderedPrompt(segments, await engine.tokenize(segments))
        grammars: dict[int, str | None] = {0: None}
        built: dict[int, float] = {0: 0.0}
        for count in COUNTS[1:]:
            tools = tuple(REAL_TOOLS[:count])
            begun = time.perf_counter()
            grammars[count] = await served.grammars.grammar(Conversation((), ASKED.turns, tools=tools))
            built[count] = (time.perf_counter() - begun) * 1000
        speeds: dict[int, list[float]] = {count: [] for count in COUNTS}
        for turn in range(rounds):
            # Each has each place in the round: a machine that is getting warm would favour the first.
            for count in (*COUNTS[turn % len(COUNTS) :], *COUNTS[: turn % len(COUNTS)]):
                speeds[count].append(await speed(engine, prompt, grammars[count], tokens))
    finally:
        await engine.aclose()
    free = statistics.median(speeds[0])
    print("tools  tokens/s  ratio  range        grammar made in")
    for count in COUNTS:
        found = speeds[count]
        middle = statistics.median(found)
        spread = f"{min(found):5.1f}-{max(found):5.1f}"
        print(f"{count:5}  {middle:8.1f}  {middle / free:5.2f}  {spread}  {built[count]:6.0f} ms")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=150)
    given = parser.parse_args()
    asyncio.run(measure(given.rounds, given.tokens))


if __name__ == "__main__":
    main()

"""How soon a marked prefix answers that was read before, and how much an agent's loop reads twice.

    python -m benchmarks.kept [--tokens 6000] [--turns 20] [--loop 5000] [--skip-loop]

The default model, as `antiphon serve` serves it. Prints the time to the first token of a prompt behind a system
prompt of about so many tokens: cold; (a) on the next request; (b) after eight other conversations used all slots; (c)
after a restart of the server; (d) in a second conversation. Then an agent's loop of so many turns behind tools and a
system prompt: the tokens that were computed, beside those that were new. Ends with 1 where an aim is missed.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import aiohttp

from antiphon.config.settings import DEFAULT_MODEL
from benchmarks.load import HEADERS, Server

MODEL: Final = DEFAULT_MODEL
SHARE: Final = 1 / 20
MOST: Final = 0.5
EXCESS: Final = 1.05
OTHERS: Final = 8
MARK: Final = {"type": "ephemeral"}
SENTENCE: Final = "Rule {}: the harbour master notes every ship, its flag, its cargo and the hour of the tide. "
SENTENCE_TOKENS: Final = 23


def rules(tokens: int, name: str) -> str:
    """A text of about so many tokens, which shares no beginning with those of other names."""
    return f"{name}. " + "".join(SENTENCE.format(n) for n in range(tokens // SENTENCE_TOKENS))


def request(system: str, messages: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A request whose system prompt is marked."""
    told = [{"type": "text", "text": system, "cache_control": MARK}]
    asked = {"model": MODEL, "max_tokens": 4, "temperature": 0, "stream": True, "system": told, "messages": messages}
    return {**asked, **more}


async def ask(session: aiohttp.ClientSession, url: str, asked: dict[str, Any]) -> tuple[float, dict[str, int]]:
    """Seconds to the first token, and the usage that the reply opened with."""
    began, first, usage = time.perf_counter(), 0.0, dict[str, int]()
    async with session.post(f"{url}/v1/messages", json=asked, headers=HEADERS) as reply:
        if reply.status != 200:
            raise RuntimeError(f"{url} answered {reply.status}: {await reply.text()}")
        async for line in reply.content:
            if not line.startswith(b"data:"):
                continue
            event = json.loads(line[5:])
            if event["type"] == "message_start":
                usage = event["message"]["usage"]
            elif event["type"] == "content_block_delta" and not first:
                first = time.perf_counter() - began
            elif event["type"] == "error":
                raise RuntimeError(event["error"]["message"])
    return first, usage


def user(text: str) -> list[dict[str, Any]]:
    """A conversation of one question."""
    return [{"role": "user", "content": text}]


class Bench:
    """A server over one directory of kept prefixes, started as often as is asked."""

    def __init__(self, directory: Path, session: aiohttp.ClientSession) -> None:
        self._directory = directory
        self._session = session
        self._server: Server | None = None

    async def start(self) -> None:
        """Start it, again where it runs."""
        if self._server is not None:
            await self._server.stop()
        command = ["-m", "antiphon", "serve", "--port", "0", "--prompt-cache-directory", str(self._directory)]
        self._server = await Server.start("antiphon", *command)

    async def aclose(self) -> None:
        """End it."""
        if self._server is not None:
            await self._server.stop()

    async def ask(self, asked: dict[str, Any]) -> tuple[float, dict[str, int]]:
        """See `ask`."""
        assert self._server is not None
        return await ask(self._session, self._server.url, asked)


async def measure_times(bench: Bench, tokens: int) -> bool:
    """Print the times of (a) to (d); whether all of them are what is aimed at."""
    system = rules(tokens, "Harbour")
    cold, usage = await bench.ask(request(system, user("Which ships?")))
    length = usage["cache_creation_input_tokens"]
    print(f"{'cold':42}{cold:8.3f} s   {length} tokens written, {usage['cache_read_input_tokens']} read")
    good = True

    async def row(name: str, question: str) -> None:
        nonlocal good
        took, used = await bench.ask(request(system, user(question)))
        good = good and took <= min(cold * SHARE, MOST) and used["cache_read_input_tokens"] == length
        print(f"{name:42}{took:8.3f} s   1/{cold / took:.0f}, {used['cache_read_input_tokens']} read")

    await row("(a) the next request", "Which flags?")
    for n in range(OTHERS):
        await bench.ask(request(rules(120, f"Other {n}"), user("Which cargo?")))
    await row(f"(b) after {OTHERS} other conversations", "Which cargo?")
    await bench.start()
    await row("(c) after a restart", "Which hour?")
    await row("(d) a second conversation", "Who notes it?")
    return good


async def measure_loop(bench: Bench, tokens: int, turns: int) -> bool:
    """Print what an agent's loop computed; whether it is what is aimed at."""
    tool = {"name": "look", "description": rules(tokens // 2, "Tool"), "input_schema": {"type": "object"}}
    system, messages = rules(tokens // 2, "Agent"), user("Is the harbour open?")
    computed = prompt = 0
    for turn in range(turns):
        asked = request(system, messages, tools=[tool], tool_choice={"type": "none"}, cache_control=MARK)
        _, usage = await bench.ask(asked)
        computed += usage["input_tokens"] + usage["cache_creation_input_tokens"]
        prompt = usage["input_tokens"] + usage["cache_creation_input_tokens"] + usage["cache_read_input_tokens"]
        said = f"I look at pier {turn}, and at the ships there."
        messages += [
            {"role": "assistant", "content": said},
            *user(f"Pier {turn} has {turn + 3} ships, of which two leave."),
        ]
    print(f"{turns} turns: {computed} tokens computed, {prompt} in the last prompt: {computed / prompt:.3f}")
    return computed <= EXCESS * prompt


async def main() -> int:
    """Measure, and say whether the aims are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=6000)
    parser.add_argument("--loop", type=int, default=5000)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--skip-loop", action="store_true")
    given = parser.parse_args()
    timeout = aiohttp.ClientTimeout(total=None)
    with tempfile.TemporaryDirectory() as place:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            bench = Bench(Path(place), session)
            try:
                await bench.start()
                good = await measure_times(bench, given.tokens)
                if not given.skip_loop:
                    good = await measure_loop(bench, given.loop, given.turns) and good
            finally:
                await bench.aclose()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

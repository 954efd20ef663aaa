"""Two engines, as two processes have them, over one real model."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from antiphon.config import ModelSettings
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.llamacpp import LlamaCppEngine
from antiphon.engines.llamacpp.embedded.home import EmbeddedHome
from antiphon.engines.llamacpp.engine import home_of
from antiphon.engines.llamacpp.lent.attached import AttachedHome
from antiphon.engines.llamacpp.lent.sharing import Share
from antiphon.errors import EngineDied
from antiphon.ports.engine import EngineOutput
from tests.engines.implementations import LONG, WINDOW, ask, begin, closing, done, run, text
from tests.engines.shallow import shallow_file

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]

SETTINGS = ModelSettings("tiny", "builtin", context=WINDOW, parallel=2)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home() -> AsyncGenerator[EmbeddedHome]:
    """The process, as its owner has it."""
    home = home_of(SETTINGS, shallow_file())
    await home.start()
    yield home
    await home.aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engines(home: EmbeddedHome) -> AsyncGenerator[list[LlamaCppEngine]]:
    """Two engines over it."""
    made = [await attached(home) for _ in range(2)]
    yield made
    for engine in made:
        await engine.aclose()


async def attached(home: EmbeddedHome) -> LlamaCppEngine:
    """A started engine whose model runs in a process of somebody else."""
    loop = asyncio.get_running_loop()
    shares: list[Share] = []

    def to_owner(message: dict[str, Any], data: bytes) -> None:
        loop.call_soon(shares[0].hear, message, data)

    def to_engine(message: dict[str, Any], data: bytes) -> None:
        loop.call_soon(there.hear, message)

    there = AttachedHome(to_owner, home.marker)
    shares.append(Share(home, to_engine))
    engine = LlamaCppEngine(SETTINGS, shallow_file(), home=there)
    await engine.start()
    return engine


async def exhaust(outputs: AsyncGenerator[EngineOutput]) -> None:
    async for _ in outputs:
        pass


@pytest.mark.promise("workers.slots")
async def test_the_second_turn_of_a_conversation_is_not_read_anew_by_the_other_engine(engines: list[LlamaCppEngine]):
    one, other = engines
    first = await ask(one, f"{LONG} " * 20)
    reply = await run(one, first, 8)
    await run(one, await ask(one, "Count to ten. " * 30), 4)
    segments = (*first.segments, Segment(text(reply)), Segment("<|im_end|>\n<|im_start|>user\nGo on.<|im_end|>\n"))
    second = RenderedPrompt(segments, await other.tokenize(segments))
    assert done(await run(other, second, 4)).cached_tokens >= len(first.tokens)


@pytest.mark.promise("workers.one-engine")
async def test_both_engines_lose_their_streams_with_the_process_and_find_the_next_one(
    home: EmbeddedHome, engines: list[LlamaCppEngine], patience: float
):
    prompts = [await ask(engine, LONG) for engine in engines]
    assert home.child is not None
    killed = home.child.pid
    async with (
        closing(await begin(engines[0], prompts[0])) as one,
        closing(await begin(engines[1], prompts[1])) as two,
    ):
        os.kill(killed, signal.SIGKILL)
        for outputs in (one, two):
            with pytest.raises(EngineDied):
                await asyncio.wait_for(exhaust(outputs), patience)
    for engine, prompt in zip(engines, prompts, strict=True):
        assert done(await asyncio.wait_for(run(engine, prompt, 3), patience)).output_tokens == 3
        assert (await engine.health()).ready
    assert home.child is not None
    assert home.child.pid != killed

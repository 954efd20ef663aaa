"""The summarizer: bounded, and silent rather than wrong."""

import asyncio
from collections.abc import AsyncGenerator, Mapping

import pytest

from antiphon.errors import EngineDied, EngineFault, EngineUnavailable
from antiphon.ports.engine import EngineOutput, Generation
from antiphon.service.reply.summarizer import MOST_TOKENS, Summarizer
from antiphon.service.served import ServedModel
from antiphon.testing import FixedClock
from tests.service.engines import PlannedEngine


class SilentEngine(PlannedEngine):
    """Says a word, if it has one, and then nothing more."""

    async def generate(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        """Hang behind the plan's first word."""
        try:
            async for output in super().generate(work):
                yield output
                await asyncio.Event().wait()
            await asyncio.Event().wait()
        finally:
            self.closed.append(-1)


class CharacterEngine(PlannedEngine):
    """Its tokens are characters, so that it has room for so many."""

    async def tokenize(self, segments: object, *, begins: bool = True) -> tuple[int, ...]:
        """A number a character."""
        return tuple(map(ord, "".join(segment.text for segment in segments)))  # type: ignore[attr-defined]


async def retold(engine: PlannedEngine, thought: str = "I see.", patience: float = 5) -> str:
    summarizer = Summarizer(ServedModel.of(engine), FixedClock(), patience)
    return "".join([piece async for piece in summarizer.summarize(thought)])


@pytest.mark.promise("thinking.summarizer")
async def test_the_model_is_told_what_to_do_and_what_was_thought() -> None:
    engine = PlannedEngine([["It ", "saw."]], window=10_000)
    assert await retold(engine, "I see a < b.") == "It saw."
    (work,) = engine.asked
    assert work.max_tokens == MOST_TOKENS
    assert "I see a < b." in work.prompt.text
    assert work.grammar is None


FAULTS: Mapping[int, EngineFault] = {0: EngineDied("gone")}


@pytest.mark.promise("thinking.summarizer-fails-closed")
@pytest.mark.parametrize(
    ("engine", "said", "warnings"),
    [
        pytest.param(PlannedEngine([[]], window=10_000), "", 0, id="nothing to say"),
        pytest.param(PlannedEngine([[]], window=10_000, fails={0: EngineUnavailable("off")}), "", 1, id="not there"),
        pytest.param(PlannedEngine([["It"]], window=10_000, fails={0: EngineDied("x")}), "It", 1, id="dies"),
        pytest.param(SilentEngine([["It"]], window=10_000), "It", 1, id="falls silent"),
        pytest.param(PlannedEngine([["x"]], window=MOST_TOKENS), "", 1, id="no room"),
    ],
)
async def test_a_summarizer_that_fails_ends_its_account_and_says_so_in_the_log(
    engine: PlannedEngine, said: str, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert await retold(engine, patience=0.02) == said
    assert len(caplog.records) == warnings
    assert "I see." not in caplog.text
    assert len(engine.closed) >= len(engine.asked)


async def test_of_a_thought_that_is_too_long_beginning_and_end_are_retold() -> None:
    engine = CharacterEngine([["Long."]], window=2_000)
    thought = "Beginning. " + "word " * 2_000 + "End."
    assert await retold(engine, thought) == "Long."
    prompt = engine.asked[0].prompt
    assert len(prompt.tokens) <= 2_000 - MOST_TOKENS
    assert "Beginning." in prompt.text
    assert "End." in prompt.text


async def test_a_client_that_goes_away_stops_the_summarizer() -> None:
    engine = SilentEngine([["It"]], window=10_000)
    pieces = Summarizer(ServedModel.of(engine), FixedClock()).summarize("I see.")
    assert await anext(pieces) == "It"
    await pieces.aclose()
    assert -1 in engine.closed

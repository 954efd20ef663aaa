"""The model that judges: what it is asked, and what becomes of it where it does not answer."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from antiphon.dialogue.content import Text
from antiphon.dialogue.conversation import Conversation, Turn
from antiphon.errors import EngineDied
from antiphon.ports.engine import EngineOutput, Generation
from antiphon.service.guard.judge import CannotJudgeError, Judge
from antiphon.service.served import ServedModel
from antiphon.testing import FixedClock
from tests.service.engines import PlannedEngine


class SilentEngine(PlannedEngine):
    """Never says anything."""

    async def generate(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        """Hang."""
        await asyncio.Event().wait()
        async for output in super().generate(work):
            yield output


class CharacterEngine(PlannedEngine):
    """Its tokens are characters."""

    async def tokenize(self, segments: object, *, begins: bool = True) -> tuple[int, ...]:
        """A number a character."""
        return tuple(map(ord, "".join(segment.text for segment in segments)))  # type: ignore[attr-defined]


def said(*texts: str) -> Conversation:
    turns = [Turn("assistant" if at % 2 else "user", (Text(text),)) for at, text in enumerate(texts)]
    return Conversation((), tuple(turns))


async def judged(engine: PlannedEngine, conversation: Conversation, policy: str | None = None) -> bool:
    return await Judge(ServedModel.of(engine), policy, FixedClock(), patience=0.05).unsafe(conversation)


@pytest.mark.promise("guard.judge")
@pytest.mark.parametrize(("verdict", "unsafe"), [("safe", False), ("unsafe", True), ("unsafe\n", True)])
async def test_it_is_asked_by_the_owners_words_of_the_last_turn_alone(verdict: str, unsafe: bool) -> None:
    engine = PlannedEngine([[verdict]], window=10_000)
    assert await judged(engine, said("First.", "Yes?", "Second."), "No poems.") is unsafe
    (work,) = engine.asked
    assert "No poems." in work.prompt.text
    assert "Second." in work.prompt.text
    assert "First." not in work.prompt.text
    assert work.grammar is not None
    assert '"safe" | "unsafe"' in work.grammar


async def test_a_guard_model_is_asked_by_its_own_template() -> None:
    engine = PlannedEngine([["safe"]], window=10_000)
    await judged(engine, said("Hello."))
    assert "Answer with one word" not in engine.asked[0].prompt.text


async def test_of_what_it_has_no_room_for_it_judges_beginning_and_end() -> None:
    engine = CharacterEngine([["safe"]], window=500)
    await judged(engine, said("begin " + "x" * 5000 + " end"))
    text = engine.asked[0].prompt.text
    assert "begin" in text
    assert " end" in text
    assert "[…]" in text


@pytest.mark.promise("guard.judge-fails")
@pytest.mark.parametrize(
    ("engine", "why"),
    [
        pytest.param(PlannedEngine([["maybe"]], window=10_000), "it said 'maybe'", id="another word"),
        pytest.param(PlannedEngine([[]], window=10_000, fails={0: EngineDied("gone")}), "gone", id="it dies"),
        pytest.param(SilentEngine([["safe"]], window=10_000), "it was silent", id="silence"),
        pytest.param(CharacterEngine([["safe"]], window=20), "window is too small", id="no room"),
    ],
)
async def test_what_keeps_it_from_judging_is_said(engine: PlannedEngine, why: str) -> None:
    with pytest.raises(CannotJudgeError, match=why):
        await judged(engine, said("Hello."))

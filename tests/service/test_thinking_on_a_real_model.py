"""Thinking holds its promises on a real model that was never trained to think."""

from collections.abc import AsyncGenerator
from datetime import date
from typing import Any

import orjson
import pytest
import pytest_asyncio

from antiphon.dialogue.conversation import Conversation, Limits, Sampling, Text, Turn
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.dialogue.thinking import Thinking
from antiphon.ports.engine import Engine
from antiphon.request.sealed.bindings import Binding
from antiphon.request.task import Task
from antiphon.service.reply.reply import Reply
from antiphon.service.reply.stretches import Stretches
from antiphon.service.reply.telling import Sealing, Telling
from antiphon.service.reply.work import Work
from antiphon.service.served import ServedModel
from antiphon.testing import CountingEntropy
from antiphon.wire.reply import Message, OutputTokensDetails, ReplyText, ReplyThinking, Usage
from tests.engines.implementations import llama_cpp
from tests.service.works import SEALS

TODAY = date(2026, 1, 1)
SHAPE: dict[str, Any] = {
    "type": "object",
    "properties": {"sum": {"type": "integer"}},
    "required": ["sum"],
    "additionalProperties": False,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncGenerator[Engine]:
    made = llama_cpp(2048)
    await made.start()
    yield made
    await made.aclose()


async def reply(engine: Engine, thinking: Thinking, max_tokens: int, shape: dict[str, Any] | None = None) -> Message:
    served = ServedModel.of(engine)
    asked = Conversation((), (Turn("user", (Text("What is 2 + 2?"),)),), thinking=thinking, shape=shape)
    segments = served.prompts.build(asked, today=TODAY)
    prompt = RenderedPrompt(segments, await engine.tokenize(segments))
    work = Work(
        served=served,
        prompt=prompt,
        task=Task(asked, Limits(max_tokens), Sampling(temperature=1.0)),
        window=engine.card.window,
        opening=Message(model="m", id="msg_1", usage=Usage(input_tokens=len(prompt.tokens), output_tokens=0)),
        new_call_id=lambda: "toolu_1",
        grammar=await served.grammars.grammar(asked),
        telling=Telling(Sealing(SEALS, CountingEntropy(), "m", Binding()), "shown"),
    )
    return await Reply(work, Stretches(work).run()).whole()


@pytest.mark.promise("thinking.budget-enforced", "thinking.no-empty-block")
@pytest.mark.parametrize("budget", [4, 24])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_required_thought_is_there_within_its_budget_and_the_answer_after_it(
    engine: Engine, budget: int
) -> None:
    message = await reply(engine, Thinking(budget, required=True), 48)
    first = message.content[0]
    assert isinstance(first, ReplyThinking)
    assert first.thinking.strip() == first.thinking != ""
    sealed = SEALS.open(first.signature)
    assert sealed is not None
    details = message.usage.output_tokens_details
    assert isinstance(details, OutputTokensDetails)
    thought = details.thinking_tokens
    assert 0 < sealed.tokens <= thought <= budget
    assert thought <= message.usage.output_tokens <= 48
    if message.stop_reason == "max_tokens":
        assert message.usage.output_tokens == 48


@pytest.mark.promise("structured.format")
@pytest.mark.asyncio(loop_scope="module")
async def test_an_answer_of_a_given_form_keeps_to_it_after_a_thought(engine: Engine) -> None:
    message = await reply(engine, Thinking(24, required=True), 96, SHAPE)
    first, second = message.content
    assert isinstance(first, ReplyThinking)
    assert isinstance(second, ReplyText)
    if message.stop_reason == "end_turn":
        assert isinstance(orjson.loads(second.text)["sum"], int)
    else:
        assert second.text.startswith("{")

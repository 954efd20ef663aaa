"""Whatever a model writes, where it likes: the reply is a valid stream, and its counts are true."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon.dialogue.thinking import Thinking
from antiphon.dialogue.tools import Tool
from antiphon.render.families import hermes
from antiphon.request.told.thinking import Form
from antiphon.service.reply.reply import Reply
from antiphon.service.reply.stretches import Stretches
from antiphon.stream.fold import fold
from antiphon.wire.events import Event
from antiphon.wire.reply import OutputTokensDetails
from tests.service.engines import PlannedEngine
from tests.service.works import SEALS, work

FAMILY = replace(hermes.FAMILY, definitions="system", history="text")
TEMPLATE = "{{ messages[-1].content }}<think>\n</think>"
TOOL = Tool("look", "Look.", {"type": "object"})
WORDS = st.sampled_from(
    [
        "a",
        " b",
        "\n",
        " ",
        "<",
        "think>",
        "<think>",
        "</think>",
        "x</think>y",
        "<tool_call>",
        '{"name": "look", "arguments": {}}',
        "</tool_call>",
        "STOP",
    ]
)
STRETCHES = st.lists(st.lists(WORDS, max_size=8), min_size=1, max_size=5)


@pytest.mark.promise("thinking.usage", "thinking.budget-enforced", "thinking.no-empty-block", "streaming.event-order")
@given(
    plan=STRETCHES,
    budget=st.integers(1, 8),
    max_tokens=st.integers(1, 30),
    window=st.integers(1, 60),
    form=st.sampled_from(["shown", "omitted", "redacted"]),
    tools=st.booleans(),
    stops=st.sampled_from([(), ("STOP",)]),
)
# The budget is used up exactly where a thought in the answer ends, and the next one opens.
@example([["a", "a", "a", "</think>"], ["<think>", "a", "</think>", "<think>"]], 7, 8, 9, "shown", False, ())
async def test_every_reply_of_a_thinking_model_is_sound(
    plan: list[list[str]],
    budget: int,
    max_tokens: int,
    window: int,
    form: Form,
    tools: bool,
    stops: tuple[str, ...],
) -> None:
    engine = PlannedEngine([*plan, *[["a"]] * 40], window=window, template=TEMPLATE)
    asked = work(
        engine,
        Thinking(budget),
        family=FAMILY,
        form=form,
        max_tokens=max_tokens,
        stops=stops,
        tools=(TOOL,) if tools else (),
    )
    reply = Reply(asked, Stretches(asked).run())
    events: list[Event] = reply.begin()
    async for batch in reply.run():
        assert batch
        events += batch
    message = fold(events)
    details = message.usage.output_tokens_details
    assert isinstance(details, OutputTokensDetails)
    thought = details.thinking_tokens
    assert thought <= min(budget, message.usage.output_tokens)
    assert message.usage.output_tokens <= max_tokens
    assert engine.closed == list(range(len(engine.asked)))
    for block in message.content:
        told = msgspec.to_builtins(block)
        if block.type == "thinking":
            sealed = SEALS.open(block.signature)
            assert sealed is not None
            assert sealed.text.strip()
            assert sealed.tokens <= thought
            assert sealed.shows(block.thinking)
            assert bool(block.thinking) == (form == "shown")
        elif block.type == "redacted_thinking":
            assert SEALS.open_redacted(block.data) is not None
        assert "</think>" not in told.get("thinking", "")
    if message.stop_reason in ("max_tokens", "model_context_window_exceeded"):
        full = message.usage.output_tokens == max_tokens
        assert full == (message.stop_reason == "max_tokens")

"""Thinking as a stream carries it: shown, unseen, redacted, and told by its length alone."""

import msgspec
import pytest

from antiphon.dialogue.events import (
    Finish,
    ReasoningDelta,
    ReasoningEnd,
    RedactedReasoning,
    ReplyEvent,
    TextDelta,
)
from antiphon.stream.encoder import Encoder
from antiphon.stream.fold import FoldError, fold
from antiphon.wire.events import ContentBlockDelta, ContentBlockStart, ContentBlockStop, Event, ThinkingDeltaBody
from antiphon.wire.reply import Message, ReplyRedactedThinking
from tests.stream.replies import opening


def stream(*events: ReplyEvent, estimates: bool = False, message: Message | None = None) -> list[Event]:
    encoder = Encoder(message or opening(), estimates=estimates)
    begun = encoder.begin()
    return begun + [
        out for event in (*events, Finish("end_turn", 9, thinking_tokens=4)) for out in encoder.feed(event)
    ]


def blocks(events: list[Event]) -> list[object]:
    return [msgspec.to_builtins(event) for event in events if event.type.startswith("content_block")]


@pytest.mark.promise("streaming.thinking-deltas")
def test_a_thinking_block_is_opened_empty_grows_and_is_signed_before_it_stops() -> None:
    assert blocks(stream(ReasoningDelta(""), ReasoningDelta("Hm"), ReasoningEnd("sig"))) == [
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig"}},
        {"type": "content_block_stop", "index": 0},
    ]


@pytest.mark.promise("thinking.omitted")
def test_unseen_thinking_is_a_block_that_is_said_to_be_empty_and_signed() -> None:
    events = stream(ReasoningDelta(""), ReasoningDelta(""), ReasoningEnd("sig"), TextDelta("Yes."))
    deltas = [event.delta.type for event in events if isinstance(event, ContentBlockDelta) and event.index == 0]
    assert deltas == ["thinking_delta", "signature_delta"]
    assert all(
        event.delta.thinking == ""
        for event in events
        if isinstance(event, ContentBlockDelta) and isinstance(event.delta, ThinkingDeltaBody)
    )
    assert msgspec.to_builtins(fold(events).content[0]) == {"type": "thinking", "thinking": "", "signature": "sig"}


@pytest.mark.promise("thinking.redacted", "streaming.thinking-deltas")
def test_redacted_thinking_comes_whole_when_its_block_opens() -> None:
    events = stream(TextDelta("Well. "), RedactedReasoning("data"), TextDelta("Yes."))
    at = next(n for n, event in enumerate(events) if isinstance(event, ContentBlockStart) and event.index == 1)
    assert blocks(events[at : at + 2]) == [
        {"type": "content_block_start", "index": 1, "content_block": {"type": "redacted_thinking", "data": "data"}},
        {"type": "content_block_stop", "index": 1},
    ]
    assert [block.type for block in fold(events).content] == ["text", "redacted_thinking", "text"]


@pytest.mark.promise("thinking.estimated-tokens")
@pytest.mark.parametrize("estimates", [True, False])
def test_an_estimate_is_a_key_of_thinking_deltas_under_its_beta_alone(estimates: bool) -> None:
    events = stream(
        ReasoningDelta(""), ReasoningDelta("", 50), ReasoningDelta("Hm"), ReasoningEnd("s"), estimates=estimates
    )
    deltas = [
        msgspec.to_builtins(event.delta)
        for event in events
        if isinstance(event, ContentBlockDelta) and isinstance(event.delta, ThinkingDeltaBody)
    ]
    told: list[dict[str, int | None]] = (
        [{"estimated_tokens": 50}, {"estimated_tokens": None}] if estimates else [{}, {}]
    )
    assert deltas == [
        {"type": "thinking_delta", "thinking": "", **told[0]},
        {"type": "thinking_delta", "thinking": "Hm", **told[1]},
    ]


@pytest.mark.promise("thinking.usage")
def test_the_end_tells_how_many_of_the_tokens_were_thought() -> None:
    events = stream(ReasoningDelta("Hm"), ReasoningEnd("s"))
    ending = msgspec.to_builtins(events[-2])
    assert (ending["usage"]["output_tokens"], ending["usage"]["output_tokens_details"]) == (9, {"thinking_tokens": 4})
    assert ending["usage"].items() <= msgspec.to_builtins(fold(events))["usage"].items()


@pytest.mark.promise("thinking.input-transformations")
def test_what_the_model_was_not_shown_is_told_when_the_reply_opens() -> None:
    told = [{"type": "thinking_dropped", "path": "messages.1.content.0", "reason": "model_binding_mismatch"}]
    message = msgspec.structs.replace(opening(), input_transformations=told)
    events = stream(TextDelta("x"), message=message)
    assert msgspec.to_builtins(events[0])["message"]["input_transformations"] == told
    assert fold(events).input_transformations == told
    assert "input_transformations" not in msgspec.to_builtins(fold(stream(TextDelta("x"))))


def test_nothing_is_added_to_a_redacted_block() -> None:
    begun = stream()[0]
    events: list[Event] = [
        begun,
        ContentBlockStart(index=0, content_block=ReplyRedactedThinking(data="d")),
        ContentBlockDelta(index=0, delta=ThinkingDeltaBody(thinking="x")),
        ContentBlockStop(index=0),
    ]
    with pytest.raises(FoldError, match="redacted_thinking"):
        fold(events)

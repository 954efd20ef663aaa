"""The encoder keeps the stream's grammar for every reply, and the fold loses nothing."""

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from antiphon.dialogue.events import (
    CallArguments,
    CallEnd,
    CallStart,
    CiteEnd,
    CiteStart,
    Finish,
    ReasoningDelta,
    ReasoningEnd,
    RedactedReasoning,
    ReplyEvent,
    ServerAnswer,
    TextDelta,
)
from antiphon.errors import ApiError
from antiphon.stream.encoder import TRANSITIONS, Encoder, EncoderError, Phase
from antiphon.stream.fold import FoldError, fold
from antiphon.stream.sse import encode
from antiphon.wire.events import ContentBlockStart, Event, MessageDelta, MessageStop, Ping
from tests.stream.replies import opening, replies

_BLOCK_DELTAS = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "redacted_thinking": set[str](),
    "tool_use": {"input_json_delta"},
    "server_tool_use": {"input_json_delta"},
    "web_search_tool_result": set[str](),
    "web_fetch_tool_result": set[str](),
}


def encode_all(events: list[ReplyEvent]) -> list[Event]:
    encoder = Encoder(opening())
    return encoder.begin() + [out for event in events for out in encoder.feed(event)]


def assert_grammar(events: list[Event]) -> None:
    """An independent reading of the stream's grammar, by names and indexes only."""
    names = " ".join(event.type for event in events)
    rest = "(content_block_delta )*content_block_stop "
    blocks = f"(content_block_start ping {rest}(content_block_start {rest})*)?"
    assert re.fullmatch(f"message_start {blocks}message_delta message_stop", names)
    index, kind = -1, ""
    for event in events:
        dumped = msgspec.to_builtins(event)
        if event.type == "content_block_start":
            index += 1
            kind = dumped["content_block"]["type"]
        if event.type.startswith("content_block"):
            assert dumped["index"] == index
        if event.type == "content_block_delta":
            assert dumped["delta"]["type"] in _BLOCK_DELTAS[kind]


def expected_content(events: list[ReplyEvent]) -> list[tuple[str, object]]:
    """What the blocks must hold, computed from the happenings alone."""

    content: list[tuple[str, object]] = []
    joined, text, name, called_as = "", "", "", ""
    citation: dict[str, Any] = {}
    for event in events:
        if isinstance(event, TextDelta):
            text += event.text
            continue
        if isinstance(event, CiteEnd):
            content.append(("text", (text, [citation])))
            text = ""
            continue
        if text.strip():
            content.append(("text", (text, None)))
            text = ""
        # The space before a text that cites is told with it.
        text = text if isinstance(event, CiteStart) else ""
        match event:
            case CiteStart(citation=source):
                citation = source
            case ReasoningDelta(text=more) | CallArguments(partial_json=more):
                joined += more
            case ReasoningEnd(signature=signature):
                content.append(("thinking", (joined, signature)))
                joined = ""
            case RedactedReasoning(data=data):
                content.append(("redacted_thinking", data))
            case CallStart(name=called, server=server):
                name, called_as = called, "server_tool_use" if server else "tool_use"
            case ServerAnswer(call_id=call, kind=answer, content=found):
                content.append((answer, (call, found)))
            case CallEnd():
                content.append((called_as, (name, json.loads(joined or "{}"))))
                joined = ""
            case _:
                pass
    return content


_HELD = {
    "text": ("text", "citations"),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
    "tool_use": ("name", "input"),
    "server_tool_use": ("name", "input"),
    "web_search_tool_result": ("tool_use_id", "content"),
    "web_fetch_tool_result": ("tool_use_id", "content"),
}


def held(block: dict[str, Any]) -> tuple[str, object]:
    """What a finished block holds, in the form of `expected_content`."""
    values: list[Any] = [block.get(key) for key in _HELD[block["type"]]]
    return block["type"], tuple(values) if len(values) > 1 else values[0]


@pytest.mark.promise("streaming.event-order", "streaming.block-indexes")
@given(replies())
def test_every_reply_is_a_valid_stream(events: list[ReplyEvent]) -> None:
    assert_grammar(encode_all(events))


@pytest.mark.promise("streaming.fold-is-the-body")
@given(replies())
def test_the_fold_holds_everything_that_happened(events: list[ReplyEvent]) -> None:
    message = fold(encode_all(events))
    content = [held(msgspec.to_builtins(block)) for block in message.content]
    finish = events[-1]
    assert isinstance(finish, Finish)
    assert content == expected_content(events)
    assert (message.stop_reason, message.usage.output_tokens) == (finish.reason, finish.output_tokens)
    thought = message.usage.output_tokens_details
    assert (None if thought is UNSET else thought.thinking_tokens) == finish.thinking_tokens


@given(replies(), st.data())
def test_pings_change_nothing(events: list[ReplyEvent], data: st.DataObject) -> None:
    stream = encode_all(events)
    pinged = list(stream)
    for _ in range(3):
        pinged.insert(data.draw(st.integers(0, len(pinged))), Ping())
    assert fold(pinged) == fold(stream)


@given(replies(), st.integers(0, 100))
def test_a_failure_closes_the_open_block_and_says_error_last(events: list[ReplyEvent], cut: int) -> None:
    encoder = Encoder(opening())
    stream = encoder.begin()
    for event in events[: cut % len(events)]:
        stream += encoder.feed(event)
    stream += encoder.fail(ApiError("api_error", "boom"), "req_1")
    starts = sum(event.type == "content_block_start" for event in stream)
    stops = sum(event.type == "content_block_stop" for event in stream)
    assert starts == stops
    assert [event.type for event in stream].count("error") == 1
    assert msgspec.to_builtins(stream[-1]) == {
        "type": "error",
        "error": {"type": "api_error", "message": "boom"},
        "request_id": "req_1",
    }
    with pytest.raises(ApiError, match="boom"):
        fold(stream)


@pytest.mark.promise("streaming.first-ping")
def test_one_ping_comes_behind_the_first_block_s_start() -> None:
    stream = encode_all([TextDelta("a"), RedactedReasoning("d"), TextDelta("b"), Finish("end_turn", 1)])
    assert [event.type for event in stream[:4]] == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
    ]
    assert sum(isinstance(event, Ping) for event in stream) == 1
    assert not any(isinstance(event, Ping) for event in encode_all([Finish("end_turn", 1)]))


@pytest.mark.promise("streaming.citations-first")
def test_a_citation_comes_before_the_text_that_it_belongs_to() -> None:
    source = {"type": "char_location", "cited_text": "a"}
    told: list[ReplyEvent] = [
        TextDelta("So "),
        CiteStart(source),
        TextDelta("cats"),
        CiteEnd(),
        Finish("end_turn", 1),
    ]
    dumped: list[dict[str, Any]] = [msgspec.to_builtins(event) for event in encode_all(told)]
    assert [event["delta"]["type"] for event in dumped if event["type"] == "content_block_delta"] == [
        "text_delta",
        "citations_delta",
        "text_delta",
    ]
    starts = [event["content_block"] for event in dumped if event["type"] == "content_block_start"]
    assert starts == [{"type": "text", "text": ""}, {"type": "text", "text": "", "citations": []}]


@pytest.mark.promise("streaming.usage-keys")
def test_start_and_end_of_a_stream_say_their_own_part_of_the_usage() -> None:
    served = {"web_search_requests": 1, "web_fetch_requests": 0}
    plain = encode_all([Finish("end_turn", 3)])
    start, end = (msgspec.to_builtins(event) for event in plain[:2])
    common = {"input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"}
    assert set(start["message"]["usage"]) == common | {"cache_creation", "service_tier", "inference_geo"}
    assert set(end["usage"]) == common
    assert end["delta"]["container"] is None
    assert (start["message"]["container"], start["message"]["diagnostics"]) == (None, None)
    whole = msgspec.to_builtins(fold(plain))
    assert set(whole["usage"]) == common | {"cache_creation", "service_tier", "inference_geo"}
    full = encode_all([Finish("end_turn", 3, thinking_tokens=0, tool_uses=served)])
    assert set(msgspec.to_builtins(full[1])["usage"]) == common | {"output_tokens_details", "server_tool_use"}
    assert msgspec.to_builtins(fold(full))["usage"]["server_tool_use"] == served


@pytest.mark.promise("streaming.no-blank-text-block")
@pytest.mark.parametrize("blank", ["", " ", "\n\n", "\t \u2003"])
def test_blank_text_opens_no_block(blank: str) -> None:
    texts: list[ReplyEvent] = [TextDelta(blank)] if blank else []
    message = fold(encode_all([*texts, Finish("end_turn", 1)]))
    assert message.content == []


def test_leading_white_space_is_kept_when_text_follows() -> None:
    message = fold(encode_all([TextDelta(" \n"), TextDelta(" Paris"), Finish("end_turn", 3)]))
    assert [msgspec.to_builtins(block) for block in message.content] == [{"type": "text", "text": " \n Paris"}]


def test_a_second_run_of_reasoning_gets_its_own_block() -> None:
    events: list[ReplyEvent] = [
        ReasoningDelta("one"),
        ReasoningEnd("sig1"),
        TextDelta("between"),
        ReasoningDelta("two"),
        ReasoningEnd("sig2"),
        TextDelta("end"),
        Finish("end_turn", 9),
    ]
    starts = [event for event in encode_all(events) if isinstance(event, ContentBlockStart)]
    assert [(start.index, start.content_block.type) for start in starts] == [
        (0, "thinking"),
        (1, "text"),
        (2, "thinking"),
        (3, "text"),
    ]


def _samples() -> list[ReplyEvent]:
    return [
        TextDelta("x"),
        CiteStart({}),
        CiteEnd(),
        ReasoningDelta("x"),
        ReasoningEnd("s"),
        RedactedReasoning("d"),
        CallStart("toolu_1", "f"),
        CallArguments("{}"),
        CallEnd(),
        ServerAnswer("srvtoolu_1", "web_search_tool_result", []),
        Finish("end_turn", 1),
    ]


_ROADS: dict[Phase, list[ReplyEvent]] = {
    Phase.BETWEEN: [],
    Phase.TEXT: [TextDelta("x")],
    Phase.CITED: [CiteStart({})],
    Phase.REASONING: [ReasoningDelta("x")],
    Phase.CALL: [CallStart("toolu_1", "f")],
    Phase.OVER: [Finish("end_turn", 1)],
}


@pytest.mark.parametrize("phase", list(_ROADS), ids=lambda phase: phase.name)
@pytest.mark.parametrize("event", _samples(), ids=lambda event: type(event).__name__)
def test_a_pair_outside_the_table_is_an_error(phase: Phase, event: ReplyEvent) -> None:
    encoder = Encoder(opening())
    encoder.begin()
    for step in _ROADS[phase]:
        encoder.feed(step)
    assert encoder.phase is phase
    if (phase, type(event)) in TRANSITIONS:
        encoder.feed(event)
        assert encoder.phase is TRANSITIONS[phase, type(event)]
    else:
        with pytest.raises(EncoderError, match=type(event).__name__):
            encoder.feed(event)


def test_a_reply_cannot_begin_twice() -> None:
    encoder = Encoder(opening())
    encoder.begin()
    with pytest.raises(EncoderError):
        encoder.begin()


def test_a_cut_stream_is_no_reply() -> None:
    stream = encode_all([TextDelta("hello"), Finish("end_turn", 1)])
    for end in range(len(stream)):
        with pytest.raises(FoldError):
            fold(stream[:end])


@pytest.mark.promise("streaming.cumulative-usage")
def test_the_end_carries_the_whole_usage() -> None:
    *_, delta, stop = encode_all([TextDelta("hi"), Finish("stop_sequence", 5, stop_sequence="END")])
    assert isinstance(stop, MessageStop)
    assert isinstance(delta, MessageDelta)
    dumped = msgspec.to_builtins(delta)
    ending = {"stop_reason": "stop_sequence", "stop_sequence": "END", "stop_details": None, "container": None}
    assert dumped["delta"] == ending
    assert (dumped["usage"]["input_tokens"], dumped["usage"]["output_tokens"]) == (7, 5)


@pytest.mark.promise("streaming.sse-lines")
@given(replies())
def test_each_event_is_one_line_of_data_under_every_reading_of_lines(events: list[ReplyEvent]) -> None:
    for event in encode_all(events):
        text = encode(event).decode()
        lines = text.splitlines()
        assert [line.partition(":")[0] for line in lines] == ["event", "data", ""]
        assert lines[0] == f"event: {event.type}"
        assert json.loads(lines[1].removeprefix("data: ")) == msgspec.to_builtins(event)
        assert text.endswith("\n\n")

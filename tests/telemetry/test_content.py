"""What is said, as messages of parts: of any shape and any size."""

import json
from typing import Any

import pytest

from antiphon.dialogue.events import (
    CallArguments,
    CallEnd,
    CallStart,
    CodeCall,
    ReasoningDelta,
    ServerAnswer,
    TextDelta,
)
from antiphon.telemetry.content import MOST, Heard, arguments_of, input_messages, parts_of, system_instructions


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def test_blocks_become_the_parts_of_the_conventions() -> None:
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "sealed"},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "cats"}},
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "image", "source": {"data": "AAAA"}}]},
        {"type": "redacted_thinking", "data": "sealed"},
    ]
    assert parts_of(blocks) == [
        {"type": "reasoning", "content": "Hm."},
        {"type": "tool_call", "id": "toolu_1", "name": "look", "arguments": {"at": "cats"}},
        {"type": "tool_call_response", "id": "toolu_1", "response": [{"type": "image"}]},
        {"type": "redacted_thinking"},
    ]
    assert parts_of("Hi") == [{"type": "text", "content": "Hi"}]


@pytest.mark.promise("otel.private")
def test_of_a_long_conversation_the_last_messages_are_told() -> None:
    messages = [{"role": "user", "content": f"{number} {'x' * (MOST // 3)}"} for number in range(9)]
    told = input_messages({"messages": messages})
    assert [message["parts"][0]["content"].split()[0] for message in json.loads(told)] == ["7", "8"]
    assert len(told) <= MOST + 100
    assert system_instructions({"system": "x" * MOST}) is None
    assert arguments_of({"at": "x" * MOST}) is None


@pytest.mark.parametrize("depth", [300, 5000])
def test_what_is_too_deep_to_be_written_is_left_out_and_breaks_nothing(depth: int) -> None:
    deep = nested(depth)
    block = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": deep}
    messages = [{"role": "assistant", "content": [block]}, {"role": "user", "content": "Hi"}]
    assert [message["role"] for message in json.loads(input_messages({"messages": messages}))] == ["user"]
    assert arguments_of(deep) is None
    heard = Heard()
    said = '{"a":' * depth + "{}" + "}" * depth
    heard.hear([CallStart("toolu_2", "look"), CallArguments(said), CallEnd()])
    heard.hear(
        [CodeCall("toolu_3", "look", deep, "srvtoolu_1"), ServerAnswer("srvtoolu_1", "web_search_tool_result", deep)]
    )
    [reply] = json.loads(heard.messages("tool_use"))
    assert [(part["id"], part["arguments"]) for part in reply["parts"]] == [("toolu_2", said)]


def test_a_reply_is_put_down_in_parts_up_to_a_bound() -> None:
    heard = Heard()
    heard.hear([ReasoningDelta("Let"), ReasoningDelta(" me."), TextDelta("On"), TextDelta("e.")])
    heard.hear([CallStart("toolu_1", "look"), CallArguments('{"at": '), CallArguments("brea")])
    [reply] = json.loads(heard.messages("max_tokens"))
    assert reply["parts"] == [
        {"type": "reasoning", "content": "Let me."},
        {"type": "text", "content": "One."},
        {"type": "tool_call", "id": "toolu_1", "name": "look", "arguments": '{"at": brea'},
    ]
    heard = Heard()
    for _ in range(100):
        heard.hear([TextDelta("x" * 10_000)])
    assert len(heard.messages("end_turn")) < MOST + 11_000

"""What an owner's guard declines, over the whole app."""

from dataclasses import replace
from typing import Any

import pytest

from antiphon.config import ConfigError, GuardRule, GuardSettings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.testing import engine_app, scripted_app
from antiphon.testing.app import MODEL
from antiphon.testing.bridge import Bridge

SCRIPT = """
[[reply]]
match = "poem"
chunks = ["Here ", "is a ", "sec", "ret", " poem."]

[[reply]]
text = "Fine."
"""
LYNX = GuardRule("lynx", ("(?i)project lynx",), "request", "cyber", "That project is not spoken of.")
SECRET = GuardRule("secret", ("nothing", "secret"), "reply")


def body(content: Any = "Hello", **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": content}]
    return {"model": "claude-opus-4-8", "max_tokens": 60, "messages": messages, **more}


DECLINED = {"type": "refusal", "category": "cyber", "explanation": "That project is not spoken of."}
DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "On Project Lynx"}}


@pytest.mark.promise("guard.request", "stops.refusal")
@pytest.mark.parametrize(
    "content",
    [
        pytest.param("What is PROJECT LYNX?", id="words"),
        pytest.param([DOCUMENT, {"type": "text", "text": "What is this?"}], id="a document"),
    ],
)
async def test_what_a_rule_finds_in_a_request_is_declined_before_anything_is_said(content: Any) -> None:
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        whole = (await bridge.post(body(content))).json
        streamed = await bridge.post(body(content, stream=True))
    assert (whole["content"], whole["stop_reason"], whole["stop_details"]) == ([], "refusal", DECLINED)
    assert whole["usage"]["output_tokens"] == 0
    events = streamed.events
    assert [event["type"] for event in events] == ["message_start", "message_delta", "message_stop"]
    assert events[1]["delta"]["stop_details"] == DECLINED


@pytest.mark.promise("guard.request")
async def test_results_of_tools_are_read_too() -> None:
    call: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "project lynx!"}]}
    messages = [
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        reply = (await bridge.post({**body(), "messages": messages, "tools": tools})).json
    assert reply["stop_reason"] == "refusal"


async def test_what_the_model_said_before_is_not_the_users() -> None:
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "project lynx"},
        {"role": "user", "content": "Well."},
    ]
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        reply = (await bridge.post({**body(), "messages": messages})).json
    assert reply["stop_reason"] == "end_turn"


@pytest.mark.promise("guard.reply", "stops.refusal")
async def test_a_reply_ends_before_what_a_rule_finds_in_it() -> None:
    async with scripted_app(SCRIPT, guard=(SECRET,)) as bridge:
        whole = (await bridge.post(body("A poem."))).json
        streamed = (await bridge.post(body("A poem.", stream=True))).events
    async with scripted_app(SCRIPT) as bridge:
        free = (await bridge.post(body("A poem."))).json
    assert whole["stop_reason"] == "refusal"
    assert whole["stop_details"] == {"type": "refusal", "category": None, "explanation": None}
    # What had been sent when the pattern was whole stands: its own end is never seen.
    assert whole["content"] == [{"type": "text", "text": "Here is a sec"}]
    written = whole["usage"]["output_tokens"]
    assert 0 < written < free["usage"]["output_tokens"]
    said = "".join(event["delta"]["text"] for event in streamed if event["type"] == "content_block_delta")
    assert said == "Here is a sec"
    assert streamed[-2]["delta"]["stop_reason"] == "refusal"
    assert streamed[-2]["usage"]["output_tokens"] == written


@pytest.mark.promise("guard.reply")
async def test_an_answer_behind_a_thought_is_read_and_the_thought_is_not() -> None:
    script = '[[reply]]\nthinking = "A secret?"\nchunks = ["No ", "secret", " here"]\n'
    asked = body(thinking={"type": "adaptive", "display": "summarized"}, max_tokens=2000)
    async with scripted_app(script, guard=(SECRET,)) as bridge:
        whole = (await bridge.post(asked)).json
        streamed = (await bridge.post({**asked, "stream": True})).events
    assert [block["type"] for block in whole["content"]] == ["thinking", "text"]
    assert whole["content"][1]["text"].strip() == "No"
    assert whole["stop_reason"] == "refusal"
    deltas = [event["delta"] for event in streamed if event["type"] == "content_block_delta"]
    assert "".join(delta["text"] for delta in deltas if delta["type"] == "text_delta").strip() == "No"
    assert [event["type"] for event in streamed[-3:]] == ["content_block_stop", "message_delta", "message_stop"]


async def test_a_rule_for_both_sides_reads_both() -> None:
    both = GuardRule("both", ("secret|Hello",))
    async with scripted_app(SCRIPT, guard=(both,)) as bridge:
        reasons = [(await bridge.post(body(said))).json["stop_reason"] for said in ("Hello", "poem", "Well")]
    assert reasons == ["refusal", "refusal", "end_turn"]


@pytest.mark.promise("guard.off")
async def test_without_rules_nothing_is_declined(bridge: Bridge) -> None:
    assert (await bridge.post(body("project lynx"))).json["stop_reason"] == "end_turn"


@pytest.mark.promise("guard.judge")
@pytest.mark.parametrize(("verdict", "reason"), [("safe", "end_turn"), ("unsafe", "refusal")])
async def test_a_model_of_the_owners_judges_what_is_asked(verdict: str, reason: str) -> None:
    judge = ScriptedEngine("judge", f'[[reply]]\ntext = "{verdict}"\n')
    given = GuardSettings(model="judge", policy="No poems.", category="general_harms")
    async with engine_app(ScriptedEngine(MODEL, SCRIPT), judge, guard_model=given) as bridge:
        reply = (await bridge.post(body())).json
    assert reply["stop_reason"] == reason
    if reason == "refusal":
        assert reply["stop_details"]["category"] == "general_harms"


@pytest.mark.promise("guard.models")
async def test_what_is_declined_for_one_model_is_answered_by_another() -> None:
    rule, judge = replace(LYNX, models=("claude-opus-*",)), ScriptedEngine("judge", '[[reply]]\ntext = "unsafe"\n')
    given = GuardSettings(model="judge", models=("claude-haiku-*",))
    async with engine_app(ScriptedEngine(MODEL, SCRIPT), judge, guard=(rule,), guard_model=given) as bridge:

        async def reason(model: str, said: str) -> str:
            return (await bridge.post(body(said, model=model))).json["stop_reason"]

        assert await reason("claude-opus-4-8", "project lynx") == "refusal"
        assert await reason("claude-opus-4-8", "Hello") == "end_turn"
        assert await reason("claude-sonnet-4-5", "project lynx") == "end_turn"
        # By the name that stands for the one that was asked for, too.
        assert await reason("claude-haiku-4-5-20251001", "Hello") == "refusal"
        assert await reason("claude-haiku-4-5", "Hello") == "refusal"


@pytest.mark.promise("guard.judge-fails")
@pytest.mark.parametrize(("failure", "status"), [("refuse", 529), ("allow", 200)])
async def test_a_judge_that_does_not_answer_refuses_unless_the_owner_says_otherwise(
    failure: Any, status: int
) -> None:
    judge = ScriptedEngine("judge", '[[reply]]\ntext = "I cannot say."\n')
    given = GuardSettings(model="judge", failure=failure)
    async with engine_app(ScriptedEngine(MODEL, SCRIPT), judge, guard_model=given) as bridge:
        answer = await bridge.post(body())
    assert answer.status == status
    if status == 529:
        assert answer.json["error"]["type"] == "overloaded_error"


@pytest.mark.promise("guard.rules-are-checked")
async def test_a_pattern_that_is_none_keeps_the_server_from_starting() -> None:
    with pytest.raises(ConfigError, match=r"\[guard\.broken\] match: '\(' is no regular expression"):
        async with scripted_app(SCRIPT, guard=(GuardRule("broken", ("(",)),)):
            pass

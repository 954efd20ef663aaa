"""Requests that another model answers where the guard declines for the one that they name."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from antiphon.config import FallbackSettings, GuardRule
from antiphon.dialogue.events import FellBack, Finish, TextDelta
from antiphon.engines.scripted import ScriptedEngine
from antiphon.ports.engine import EngineOutput, Generation
from antiphon.service.fallbacks.sticky import LIFETIME
from antiphon.stream.encoder import Encoder
from antiphon.stream.fold import fold
from antiphon.testing import FixedClock, engine_app, scripted_app
from antiphon.testing.app import MODEL
from antiphon.testing.bridge import Bridge
from antiphon.wire.reply import Message, Usage
from tests.web.falling_back import HAIKU, HEADER, LYNX, OPUS, SCRIPT, SECRET, SONNET, Json, ask, body, entries, hop


@pytest.mark.promise("fallbacks.accepted")
async def test_where_nothing_is_declined_the_reply_is_an_ordinary_one() -> None:
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        plain = body("Hi")
        del plain["fallbacks"]
        ordinary = (await bridge.post(plain)).json
        reply = (await ask(bridge, body("Hi"))).json
        events = (await ask(bridge, body("Hi", stream=True))).events
    assert {**reply, "id": ""} == {**ordinary, "id": ""}
    assert events[0]["message"]["model"] == OPUS
    assert "iterations" not in events[-2]["usage"]


@pytest.mark.promise("fallbacks.refused")
@pytest.mark.parametrize(
    ("fallbacks", "beta", "message"),
    [
        ([{"model": HAIKU}], None, "fallbacks: Extra inputs are not permitted"),
        ([{"model": HAIKU}], "server-side-fallback-2026-05-01", "fallbacks: Extra inputs are not permitted"),
        ("default", "server-side-fallback-2026-06-01", "fallbacks: Input should be a valid array"),
        ([], HEADER, "fallbacks: List should have at least 1 item after validation, not 0"),
        ([{"model": HAIKU}] * 4, HEADER, "fallbacks: List should have at most 3 items after validation, not 4"),
        (
            [{"model": HAIKU}, {"model": "claude-haiku-4-5"}],
            HEADER,
            "fallbacks.1.model: 'claude-haiku-4-5' is named twice. Each entry must name another model.",
        ),
        ([{"model": OPUS}], HEADER, f"fallbacks.0.model: '{OPUS}' is not a valid fallback target for '{OPUS}'."),
        ([{"model": "nobody"}], HEADER, f"fallbacks.0.model: 'nobody' is not a valid fallback target for '{OPUS}'."),
        ([{"model": HAIKU, "system": "x"}], HEADER, "fallbacks.0.system: Extra inputs are not permitted"),
        (
            [{"model": HAIKU, "max_tokens": 100_000}],
            HEADER,
            f"fallbacks.0: target model '{HAIKU}' is not compatible with this request: max_tokens: 100000 > 64000, "
            f"which is the maximum allowed number of output tokens for {HAIKU}",
        ),
    ],
)
async def test_a_chain_that_is_none_is_refused_before_anything_is_asked(
    fallbacks: Any, beta: str | None, message: str
) -> None:
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        answer = await bridge.post({**body(), "fallbacks": fallbacks}, headers={"anthropic-beta": beta})
    assert (answer.status, answer.json["error"]["message"]) == (400, message)


@pytest.mark.promise("fallbacks.refused")
async def test_only_models_that_the_owner_allows_may_be_named() -> None:
    async with scripted_app(SCRIPT, fallbacks=FallbackSettings(allowed=("claude-sonnet-*",))) as bridge:
        answer = await bridge.post(body(), headers={"anthropic-beta": HEADER})
        assert "not a valid fallback target" in answer.json["error"]["message"]
        await ask(bridge, body("Hi", SONNET))
        listed = (await bridge.ask("GET", f"/v1/models/{OPUS}", headers={"anthropic-beta": HEADER})).json
    assert SONNET in listed["allowed_fallback_models"]
    assert all("sonnet" in name for name in listed["allowed_fallback_models"])
    async with scripted_app(SCRIPT, fallbacks=FallbackSettings(allowed=("x",))) as bridge:
        answer = await bridge.post(body(), headers={"anthropic-beta": HEADER})
        assert answer.json["error"]["message"] == f"fallbacks: '{OPUS}' does not support the `fallbacks` parameter."
        listed = (await bridge.ask("GET", f"/v1/models/{OPUS}", headers={"anthropic-beta": HEADER})).json
    assert listed["allowed_fallback_models"] == []


@pytest.mark.promise("fallbacks.listed")
async def test_the_models_that_may_be_named_are_listed_under_the_header_alone(bridge: Bridge) -> None:
    for path in ("/v1/models", f"/v1/models/{HAIKU}"):
        plain = (await bridge.ask("GET", path)).json
        told = (await bridge.ask("GET", path, headers={"anthropic-beta": HEADER})).json
        for model, other in zip(plain.get("data", [plain]), told.get("data", [told]), strict=True):
            assert "allowed_fallback_models" not in model
            assert model["id"] not in other["allowed_fallback_models"]
            assert {**model, "allowed_fallback_models": other["allowed_fallback_models"]} == other
            assert {OPUS, HAIKU} - {model["id"]} <= set(other["allowed_fallback_models"])


@pytest.mark.promise("fallbacks.before-output")
@pytest.mark.parametrize("marks", [False, True], ids=["plain", "with a mark"])
async def test_what_one_model_declines_the_next_one_answers(marks: bool) -> None:
    asked = body("lynx " * 800 if marks else "lynx", max_tokens=60)
    if marks:
        asked["cache_control"] = {"type": "ephemeral"}
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        whole = (await ask(bridge, asked)).json
        events = (await ask(bridge, {**asked, "stream": True})).events
    assert whole["model"] == HAIKU
    assert whole["content"] == [hop(OPUS, HAIKU), {"type": "text", "text": "Fine."}]
    assert (whole["stop_reason"], whole["stop_details"]) == ("end_turn", None)
    written = whole["usage"]["output_tokens"]
    assert entries(whole["usage"]) == [("message", OPUS, 0), ("fallback_message", HAIKU, written)]
    first, last = whole["usage"]["iterations"]
    assert first["input_tokens"] > 0
    assert {name: whole["usage"][name] for name in last if name in whole["usage"]} == {
        name: value for name, value in last.items() if name in whole["usage"]
    }
    assert [event["type"] for event in events[:4]] == [
        *("message_start", "content_block_start", "ping", "content_block_stop")
    ]
    assert events[0]["message"]["model"] == HAIKU
    assert events[1]["content_block"] == hop(OPUS, HAIKU)
    assert entries(events[-2]["usage"]) == entries(whole["usage"])


@pytest.mark.promise("fallbacks.before-output")
async def test_a_model_that_was_asked_for_by_another_name_is_told_by_it() -> None:
    async with scripted_app(SCRIPT, guard=(LYNX,), aliases={"mine": OPUS}) as bridge:
        reply = (await ask(bridge, body("lynx", "claude-haiku-4-5", model="mine"))).json
    assert reply["content"][0] == hop("mine", HAIKU)
    assert entries(reply["usage"])[0] == ("message", OPUS, 0)


@pytest.mark.promise("fallbacks.mid-output")
async def test_in_a_stream_the_next_model_goes_on_from_what_was_said() -> None:
    prompts: list[str] = []

    class Engine(ScriptedEngine):
        async def generate(self, work: Generation) -> AsyncGenerator[EngineOutput]:
            prompts.append("".join(segment.text for segment in work.prompt.segments))
            async for output in super().generate(work):
                yield output

    async with engine_app(Engine(MODEL, SCRIPT), guard=(SECRET,)) as bridge:
        events = (await ask(bridge, body("A poem.", stream=True))).events
    assert events[0]["message"]["model"] == OPUS
    starts = [event["content_block"] for event in events if event["type"] == "content_block_start"]
    assert [block["type"] for block in starts] == ["text", "fallback", "text"]
    assert starts[1] == hop(OPUS, HAIKU, "bio")
    at = next(n for n, event in enumerate(events) if event.get("content_block", {}).get("type") == "fallback")
    assert [event["type"] for event in events[at - 1 : at + 2]] == [
        *("content_block_stop", "content_block_start", "content_block_stop")
    ]
    before = "".join(event["delta"]["text"] for event in events[:at] if "text" in event.get("delta", {}))
    assert before == "Here is a sec"
    assert prompts[1].endswith("Here is a sec")
    (declined, model, wrote), (served, other, _) = entries(events[-2]["usage"])
    assert (declined, model, served, other) == ("message", OPUS, "fallback_message", HAIKU)
    assert wrote > 0
    assert events[-2]["delta"]["stop_reason"] == "end_turn"


@pytest.mark.promise("fallbacks.mid-output")
async def test_in_one_piece_nothing_of_the_declined_reply_is_told() -> None:
    async with scripted_app(SCRIPT, guard=(SECRET,)) as bridge:
        reply = (await ask(bridge, body("A poem."))).json
    assert reply["content"] == [hop(OPUS, HAIKU, "bio"), {"type": "text", "text": "Here is a secret poem."}]
    (_, _, wrote), (_, _, written) = entries(reply["usage"])
    assert 0 < wrote < written == reply["usage"]["output_tokens"]


@pytest.mark.promise("fallbacks.all-decline")
async def test_where_all_decline_the_last_refusal_is_told() -> None:
    other = GuardRule("all", ("lynx",), "request", "bio", models=(HAIKU, SONNET))
    async with scripted_app(SCRIPT, guard=(LYNX, other)) as bridge:
        whole = (await ask(bridge, body("lynx", HAIKU, SONNET))).json
        events = (await ask(bridge, body("lynx", HAIKU, SONNET, stream=True))).events
    assert (whole["stop_reason"], whole["model"]) == ("refusal", SONNET)
    assert whole["content"] == [hop(OPUS, HAIKU), hop(HAIKU, SONNET, "bio")]
    details = {"type": "refusal", "category": "bio", "explanation": None, "recommended_model": None}
    assert details.items() <= whole["stop_details"].items()
    kinds = [("message", OPUS, 0), ("message", HAIKU, 0), ("fallback_message", SONNET, 0)]
    assert entries(whole["usage"]) == kinds == entries(events[-2]["usage"])
    assert events[0]["message"]["model"] == SONNET


@pytest.mark.promise("fallbacks.default")
async def test_the_server_may_choose_who_answers() -> None:
    asked = {**body("lynx"), "fallbacks": "default"}
    async with scripted_app(SCRIPT, guard=(LYNX,), fallbacks=FallbackSettings(default=(OPUS, SONNET))) as bridge:
        assert (await ask(bridge, asked)).json["model"] == SONNET
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        assert (await ask(bridge, asked)).json["stop_reason"] == "refusal"


@pytest.mark.promise("fallbacks.sticky")
async def test_a_conversation_that_fell_back_goes_on_with_who_answered_for_an_hour() -> None:
    clock = FixedClock()
    async with scripted_app(SCRIPT, clock, guard=(LYNX,)) as bridge:
        asked = body("lynx", SONNET, HAIKU)
        first = (await ask(bridge, asked)).json
        talk = [*asked["messages"], {"role": "assistant", "content": first["content"]}]
        asked["messages"] = [*talk, {"role": "user", "content": [{"type": "text", "text": "And?"}]}]
        again = (await ask(bridge, asked)).json
        assert again["model"] == SONNET
        assert [block["type"] for block in again["content"]] == ["text"]
        assert entries(again["usage"]) == [("fallback_message", SONNET, again["usage"]["output_tokens"])]
        streamed = (await ask(bridge, {**asked, "stream": True})).events
        assert streamed[1]["content_block"]["type"] == "fallback"
        other = await ask(bridge, body("Hi", SONNET))
        assert other.json["model"] == OPUS
        clock.time += LIFETIME
        assert (await ask(bridge, asked)).json["content"][0] == hop(OPUS, SONNET)


@pytest.mark.promise("fallbacks.echo")
async def test_blocks_of_fallbacks_come_back_and_are_not_told_to_the_model(bridge: Bridge) -> None:
    said = [hop("a", "b", None), {"type": "text", "text": "Well."}]
    bare = [{"type": "text", "text": "Well."}]

    def asked(content: list[Json]) -> Json:
        talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": content}]
        return {**body(), "messages": [*talk, {"role": "user", "content": "So?"}]}

    one, other = [(await ask(bridge, asked(content))).json["usage"]["input_tokens"] for content in (said, bare)]
    assert one == other
    refused = await bridge.post({**asked(said), "fallbacks": None})
    assert (refused.status, "Input tag 'fallback'" in refused.json["error"]["message"]) == (400, True)


@pytest.mark.promise("fallbacks.echo")
async def test_a_thought_behind_a_fallback_comes_back_and_is_judged_as_ever() -> None:
    script = '[[reply]]\nthinking = "Hm."\ntext = "Fine."\n'
    thinking = {"type": "enabled", "budget_tokens": 1024}
    asked = body("lynx", HAIKU, model="claude-sonnet-4-5", max_tokens=2000, thinking=thinking)
    async with scripted_app(script, guard=(GuardRule("x", ("lynx",), "request", models=(SONNET,)),)) as bridge:
        first = (await ask(bridge, asked)).json
        assert [block["type"] for block in first["content"]] == ["fallback", "thinking", "text"]
        talk = [*asked["messages"], {"role": "assistant", "content": first["content"]}]
        again = {**asked, "messages": [*talk, {"role": "user", "content": "And?"}]}
        assert (await ask(bridge, again)).json["stop_reason"] == "end_turn"


@pytest.mark.promise("fallbacks.inherits")
async def test_an_entry_says_what_is_other_for_its_model_alone() -> None:
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        reply = (await ask(bridge, body("lynx", {"model": HAIKU, "max_tokens": 1}))).json
    assert (reply["stop_reason"], reply["usage"]["output_tokens"]) == ("max_tokens", 1)


def test_a_stream_and_its_fold_name_the_same_model() -> None:
    opening = Message(model=OPUS, id="msg_1", usage=Usage(input_tokens=1, output_tokens=0))
    encoder = Encoder(opening)
    events = encoder.begin()
    for event in (TextDelta("a"), FellBack(OPUS, HAIKU), TextDelta("b"), Finish("end_turn", 2)):
        events += encoder.feed(event)
    message = fold(events)
    assert (message.model, [block.type for block in message.content]) == (HAIKU, ["text", "fallback", "text"])

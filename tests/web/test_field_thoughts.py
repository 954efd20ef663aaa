"""What users of other servers reported of reasoning, as a client meets it here. The reports: contract/field.toml."""

from itertools import pairwise
from typing import Any

import pytest

from antiphon.config import ThinkingSettings
from antiphon.engines.scripted.engine import CHAT_TEMPLATE
from antiphon.request.told.thinking import REDACTED_TEST_TEXT
from antiphon.seals import Seals, Thought
from antiphon.testing.bridge import parse_events
from tests.web.test_field_failures import order
from tests.web.test_thinking import ADAPTIVE, INTERLEAVED, LOOK, joined, with_result
from tests.web.test_thinking import CALL as LOOKS
from tests.web.thinking_app import ThinkingApp, ask, reply, thought

NATIVE = CHAT_TEMPLATE.replace("assistant\\n'", "assistant\\n<think>\\n'") + "{# </think> #}"
"""The template of a model that was trained to think, and does so wherever it likes."""
ELSEWHERE = Seals([bytes(32)])

SIMPLE = thought("Two and two.</thinking>") + reply("Four.")
CALLS = thought("I look.</thinking>") + reply(LOOKS)
TALKS = thought("I look.</thinking>") + reply(f"One moment.\\n{LOOKS}")


def natively(first: str, then: str) -> str:
    """The script of a model that thinks the first, and then writes the other, in which it may think again."""
    return reply(first, "prompt = '<think>\\n\\Z'") + reply(then, "prompt = '</think>'")


@pytest.mark.promise("field.message-start-is-whole")
@pytest.mark.parametrize("display", ["summarized", "omitted"])
async def test_the_first_event_holds_a_whole_message(display: str) -> None:
    async with ThinkingApp(SIMPLE) as app:
        request = ask(stream=True, thinking={"type": "enabled", "budget_tokens": 2000, "display": display})
        begun, *rest = (await app.post(request)).events
        assert "message_start" not in {event["type"] for event in rest}
        message = begun["message"]
        assert message.pop("id").startswith("msg_")
        usage = message.pop("usage")
        assert message == {
            "type": "message",
            "role": "assistant",
            "model": "claude-opus-4-5-20251101",
            "content": [],
            "stop_reason": None,
            "stop_details": None,
            "stop_sequence": None,
            "container": None,
            "diagnostics": None,
        }
        assert usage["input_tokens"] > 0
        counts = ("output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        assert [usage[name] for name in counts] == [0, 0, 0]
        assert usage["cache_creation"] == {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}


KINDS_OF_DELTAS = {
    "thinking": {"thinking_delta", "signature_delta"},
    "text": {"text_delta"},
    "tool_use": {"input_json_delta"},
}


@pytest.mark.promise("field.thoughts-in-their-own-blocks")
@pytest.mark.parametrize(
    ("script", "template", "kinds"),
    [
        pytest.param(SIMPLE, None, ["thinking", "text"], id="a thought, an answer"),
        pytest.param(CALLS, None, ["thinking", "tool_use"], id="a thought, a call and no text"),
        pytest.param(TALKS, None, ["thinking", "text", "tool_use"], id="a thought, text, a call"),
        pytest.param(natively("Hm.</think>", "Four."), NATIVE, ["thinking", "text"], id="native"),
        pytest.param(
            natively("</think>", "Well. <think>Two.</think> Four."),
            NATIVE,
            ["text", "thinking", "text"],
            id="text before the thought",
        ),
        pytest.param(
            natively("One.</think>", "Well.<think>Two.</think>Four.<think>Sure?</think>Yes."),
            NATIVE,
            ["thinking", "text", "thinking", "text", "thinking", "text"],
            id="thoughts again and again",
        ),
        pytest.param(
            natively("One.</think>", f"<think>Better look.</think>{LOOKS}"),
            NATIVE,
            ["thinking", "thinking", "tool_use"],
            id="a second thought, then a call",
        ),
    ],
)
async def test_every_thought_is_a_block_that_starts_and_stops_before_the_next(
    script: str, template: str | None, kinds: list[str]
) -> None:
    async with ThinkingApp(script, template=template) as app:
        request = ask(tools=[LOOK])
        events = (await app.post({**request, "stream": True})).events
        found = order(events)
        assert [kind for _, kind in found] == kinds
        assert found[0][0] == 0
        assert all(after == before + 1 for (before, _), (after, _) in pairwise(found))
        opened = dict(found)
        for event in events:
            if event["type"] == "content_block_delta":
                assert event["delta"]["type"] in KINDS_OF_DELTAS[opened[event["index"]]]
        whole = (await app.reply(request))["content"]
        assert [block["type"] for block in whole] == kinds
        for index, block in enumerate(whole):
            if block["type"] != "tool_use":
                assert joined(events, index) == block[block["type"]]
            assert "think>" not in str(block.get("text", "")) + str(block.get("input", ""))


@pytest.mark.promise("field.reasoning-arrives")
@pytest.mark.parametrize(("template", "opening"), [(None, "thinking"), (NATIVE, "think")])
async def test_reasoning_is_told_and_no_call_suffers_from_it(template: str | None, opening: str) -> None:
    script = reply(f"Look at the sea.</{opening}>", f"prompt = '<{opening}>\\n\\Z'") + reply(
        LOOKS, f"prompt = '</{opening}>'"
    )
    async with ThinkingApp(script, template=template) as app:
        for stream in (False, True):
            answer = await app.post(ask(tools=[LOOK], stream=stream))
            if not stream:
                told, call = answer.json["content"]
                assert (told["thinking"], call["input"]) == ("Look at the sea.", {"at": "sea"})
                continue
            pieces = [event["delta"] for event in answer.events if event["type"] == "content_block_delta"]
            assert "".join(piece.get("partial_json", "") for piece in pieces) == '{"at": "sea"}'
            assert joined(answer.events, 0) == "Look at the sea."


@pytest.mark.promise("field.calls-inside-of-reasoning")
@pytest.mark.parametrize(("template", "opening"), [(None, "thinking"), (NATIVE, "think")])
@pytest.mark.parametrize("closes", [True, False])
async def test_a_call_that_the_model_makes_while_it_thinks_is_made(
    template: str | None, opening: str, closes: bool
) -> None:
    inside = f"I look: {LOOKS}" + (f"</{opening}>" if closes else "")
    script = reply(inside, f"prompt = '<{opening}>\\n\\Z'") + reply(LOOKS, f"prompt = '</{opening}>'")
    async with ThinkingApp(script, template=template) as app:
        message = await app.reply(ask(tools=[LOOK]))
        assert [block["type"] for block in message["content"]] == ["thinking", "tool_use"]
        assert message["content"][1]["input"] == {"at": "sea"}
        assert message["stop_reason"] == "tool_use"


@pytest.mark.promise("field.thoughts-in-history")
@pytest.mark.parametrize("model", ["claude-opus-4-5", "claude-sonnet-4-6", "claude-opus-4-8", "claude-sonnet-5-5"])
async def test_a_conversation_full_of_thoughts_goes_on_in_every_mode(model: str) -> None:
    script = reply("Blue, as said.", "prompt = 'turquoise'") + TALKS
    modes: list[dict[str, Any]] = [ADAPTIVE] if model != "claude-opus-4-5" else [ask()["thinking"]]
    async with ThinkingApp(script) as app:
        request = ask("Is the sea blue?", model=model, tools=[LOOK], thinking=modes[0])
        first = await app.reply(request)
        assert [block["type"] for block in first["content"]] == ["thinking", "text", "tool_use"]
        history = with_result([*request["messages"], {"role": "assistant", "content": first["content"]}])
        events = (await app.post({**request, "messages": history, "stream": True})).events
        answer = joined(events, len([event for event in events if event["type"] == "content_block_start"]) - 1)
        assert answer == "Blue, as said."
        history += [{"role": "assistant", "content": answer}, {"role": "user", "content": "Thanks!"}]
        off = [None] if model == "claude-sonnet-5-5" else [None, {"type": "disabled"}]
        for thinking in [*modes, *off]:
            again = await app.post(
                {key: value for key, value in {**request, "messages": history, "thinking": thinking}.items() if value}
            )
            assert again.status == 200, again.body


@pytest.mark.promise("field.redacted-in-history")
async def test_redacted_thoughts_in_the_history_are_taken_in_every_mode() -> None:
    async with ThinkingApp(SIMPLE) as app:
        request = ask(f"2 + 2? {REDACTED_TEST_TEXT}")
        first = await app.reply(request)
        assert first["content"][0]["type"] == "redacted_thinking"
        history = [
            *request["messages"],
            {"role": "assistant", "content": first["content"]},
            {"role": "user", "content": "Sure?"},
        ]
        for thinking in (request["thinking"], {"type": "disabled"}, None):
            assert (await app.reply(ask(history, thinking=thinking)))["content"][-1]["text"] == "Four."
            await app.count(ask(history, thinking=thinking))


@pytest.mark.promise("field.off-is-off")
@pytest.mark.parametrize("thinking", [None, {"type": "disabled"}])
async def test_a_model_that_always_thinks_does_not_where_thinking_is_off(thinking: dict[str, Any] | None) -> None:
    script = reply("Four.", "prompt = '</think>\\s*\\Z'") + reply("Hm, let me see.</think>Four.")
    async with ThinkingApp(script, template=NATIVE) as app:
        message = await app.reply(ask(thinking=thinking))
        assert message["content"] == [{"type": "text", "text": "Four."}]
        assert "output_tokens_details" not in message["usage"]


@pytest.mark.promise("field.silent-reasoning")
@pytest.mark.parametrize("silence", ["omitted", "summarized"])
async def test_a_long_silent_thought_is_bridged_by_pings(silence: str) -> None:
    script = thought("Let me see.", "hang = true\nafter_chunks = 3")
    summarizer = reply("It saw.") if silence == "summarized" else None
    async with ThinkingApp(script, summarizer, commit_after=0.01, ping_after=0.02) as app:
        request = ask(stream=True, thinking={**ask()["thinking"], "display": silence})
        async with app.bridge.open("POST", "/v1/messages", request) as exchange:
            await exchange.begin()
            seen: list[str] = []
            async for chunk in exchange.chunks():
                seen += [event["type"] for event in parse_events(chunk)]
                if seen.count("ping") >= 5:
                    break
        assert [kind for kind in seen if kind != "ping"] == ["message_start", "content_block_start"]


@pytest.mark.promise("field.thoughts-of-another-provider")
async def test_a_thought_of_another_provider_is_refused_by_the_documented_text_or_dropped() -> None:
    signature = ELSEWHERE.seal(Thought("Elsewhere.", "theirs", 3, "Elsewhere."), bytes(12))
    for theirs in (signature, "EqQBCkYIBxgCKkB" + "A" * 200, "sig"):
        block = {"type": "thinking", "thinking": "Elsewhere.", "signature": theirs}
        spoken = [block, {"type": "text", "text": "Four."}]
        history = [*ask()["messages"], {"role": "assistant", "content": spoken}, {"role": "user", "content": "Sure?"}]
        async with ThinkingApp(SIMPLE) as app:
            refused = await app.refusal(ask(history))
            assert refused == "messages.1.content.0: Invalid `signature` in `thinking` block"
        async with ThinkingApp(SIMPLE, thinking=ThinkingSettings(foreign="drop")) as app:
            assert (await app.reply(ask(history)))["content"][-1]["text"] == "Four."
            assert "Elsewhere" not in app.prompts[0]
            called: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
            open_turn = with_result([history[0], {"role": "assistant", "content": [block, called]}])
            message = await app.reply(ask(open_turn, tools=[LOOK]), INTERLEAVED)
            assert message["stop_reason"] == "end_turn"

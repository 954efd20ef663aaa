"""Extended thinking as a client meets it, on a model that writes what a script says."""

import asyncio
from typing import Any

import pytest

from antiphon.request.told.thinking import REDACTED_TEST_TEXT
from antiphon.seals import Thought
from antiphon.service.reply.telling import ESTIMATE_STEP
from antiphon.testing.app import SEALS
from antiphon.testing.bridge import WAIT, parse_events
from tests.web.thinking_app import ThinkingApp, ask, reply, thought, tokens

THOUGHT = "Let me see.\\nTwo and two are four."
TOLD = THOUGHT.replace("\\n", "\n")
WRITTEN = f"{THOUGHT}\\n</thinking>"
SCRIPT = thought(f"{WRITTEN}\\nnever read") + reply("It is four.")
COUNTED = tokens(WRITTEN.replace("\\n", "\n"))
ADAPTIVE = {"type": "adaptive"}
BINDING = "thinking-binding-controls-2026-08-01"
TOKEN_COUNT = "thinking-token-count-2026-05-13"
INTERLEAVED = "interleaved-thinking-2025-05-14"
CLEARING = "context-management-2025-06-27"
LONG = "".join(f"w{n} " for n in range(5000))


def thinks(display: str | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": 2000, **({"display": display} if display else {}), **more}


def deltas(events: list[dict[str, Any]], index: int) -> list[dict[str, Any]]:
    return [event["delta"] for event in events if event["type"] == "content_block_delta" and event["index"] == index]


def joined(events: list[dict[str, Any]], index: int) -> str:
    return "".join(delta.get("thinking", "") + delta.get("text", "") for delta in deltas(events, index))


# What is told


@pytest.mark.promise("thinking.blocks-first", "thinking.usage")
async def test_a_reply_holds_the_thought_with_its_signature_and_then_the_answer() -> None:
    async with ThinkingApp(SCRIPT) as app:
        message = await app.reply(ask())
        first, second = message["content"]
        assert (first["type"], first["thinking"]) == ("thinking", TOLD)
        assert SEALS.open(first["signature"]) is not None
        assert second == {"type": "text", "text": "It is four."}
        assert message["stop_reason"] == "end_turn"
        usage = message["usage"]
        assert usage["output_tokens_details"] == {"thinking_tokens": COUNTED}
        assert usage["output_tokens"] == COUNTED + tokens("It is four.")
        assert usage["input_tokens"] == (await app.count(ask()))["input_tokens"]
        # The answer goes on from the prompt of the thought.
        assert app.prompts[1] == f"{app.prompts[0]}{TOLD}\n</thinking>\n\n"


@pytest.mark.promise("streaming.thinking-deltas")
async def test_a_stream_says_the_thought_as_it_is_written_and_then_its_signature() -> None:
    async with ThinkingApp(SCRIPT) as app:
        events = (await app.post(ask(stream=True))).events
        assert events[1]["content_block"] == {"type": "thinking", "thinking": "", "signature": ""}
        thinking = deltas(events, 0)
        assert {delta["type"] for delta in thinking[:-1]} == {"thinking_delta"}
        assert all(set(delta) == {"type", "thinking"} for delta in thinking[:-1])
        assert len(thinking) > 5
        assert joined(events, 0) == TOLD
        assert thinking[-1]["type"] == "signature_delta"
        assert joined(events, 1) == "It is four."
        assert events[-2]["usage"]["output_tokens_details"] == {"thinking_tokens": COUNTED}


@pytest.mark.promise("thinking.omitted")
@pytest.mark.parametrize("stream", [False, True])
async def test_an_omitted_thought_is_an_empty_block_with_its_signature(stream: bool) -> None:
    async with ThinkingApp(SCRIPT) as app:
        answer = await app.post(ask(thinking=thinks("omitted"), stream=stream))
        if stream:
            empty, signed = deltas(answer.events, 0)
            assert empty == {"type": "thinking_delta", "thinking": ""}
            signature, usage = signed["signature"], answer.events[-2]["usage"]
        else:
            block = answer.json["content"][0]
            assert block["thinking"] == ""
            signature, usage = block["signature"], answer.json["usage"]
        assert "Two" not in answer.body.decode()
        sealed = SEALS.open(signature)
        assert sealed is not None
        assert sealed.text.strip() == TOLD
        assert usage["output_tokens_details"] == {"thinking_tokens": COUNTED}


@pytest.mark.promise("thinking.display-default")
@pytest.mark.parametrize(
    ("model", "display", "shown"),
    [
        ("claude-opus-4-6", None, TOLD),
        ("claude-opus-4-6", "omitted", ""),
        ("claude-opus-4-7", None, ""),
        ("claude-opus-4-7", "summarized", TOLD),
        ("claude-opus-4-7", "updates", TOLD),
    ],
)
async def test_what_is_shown_by_default_is_the_model_name_s_own(model: str, display: str | None, shown: str) -> None:
    async with ThinkingApp(SCRIPT) as app:
        thinking = {**ADAPTIVE, **({"display": display} if display else {})}
        message = await app.reply(ask(model=model, thinking=thinking), "thinking-display-updates-2026-08-18")
        assert message["content"][0]["thinking"] == shown


@pytest.mark.promise("thinking.modes")
@pytest.mark.parametrize(
    ("model", "thinking", "thought"),
    [
        ("claude-opus-4-5", None, False),
        ("claude-opus-4-5", {"type": "disabled"}, False),
        ("claude-sonnet-4-6", ADAPTIVE, True),
        ("claude-sonnet-4-6", {"type": "enabled", "budget_tokens": 1024}, True),
        ("claude-opus-5-5", None, True),
        ("claude-sonnet-5-5", {"type": "between_tools"}, False),
    ],
)
async def test_the_model_thinks_where_the_request_or_the_name_says_so(
    model: str, thinking: dict[str, Any] | None, thought: bool
) -> None:
    async with ThinkingApp(SCRIPT) as app:
        message = await app.reply(ask(model=model, thinking=thinking))
        assert [block["type"] for block in message["content"]] == (["thinking", "text"] if thought else ["text"])
        assert (
            message["usage"].get("output_tokens_details", {"thinking_tokens": 0})["thinking_tokens"] > 0
        ) == thought


@pytest.mark.promise("thinking.no-empty-block")
async def test_a_model_that_thinks_nothing_gives_no_block() -> None:
    async with ThinkingApp(thought("\\n</thinking>") + reply("Four.")) as app:
        message = await app.reply(ask())
        assert message["content"] == [{"type": "text", "text": "Four."}]
        assert message["usage"]["output_tokens_details"]["thinking_tokens"] == tokens("\n</thinking>")


@pytest.mark.promise("thinking.estimated-tokens")
async def test_under_its_beta_the_length_of_a_thought_is_told_while_it_is_omitted() -> None:
    long = "".join(f"w{n} " for n in range(200))
    async with ThinkingApp(thought(f"{long}</thinking>") + reply("Yes.")) as app:
        events = (await app.post(ask(thinking=thinks("omitted"), stream=True), TOKEN_COUNT)).events
        told = deltas(events, 0)[:-1]
        assert {delta["thinking"] for delta in told} == {""}
        estimates = [delta["estimated_tokens"] for delta in told]
        assert set(estimates) == {ESTIMATE_STEP}
        assert 200 - ESTIMATE_STEP < sum(estimates) <= events[-2]["usage"]["output_tokens_details"]["thinking_tokens"]
        shown = (await app.post(ask(stream=True), TOKEN_COUNT)).events
        assert {delta["estimated_tokens"] for delta in deltas(shown, 0)[:-1]} == {None}


# Limits


@pytest.mark.promise("thinking.budget-enforced")
async def test_a_model_that_thinks_on_and_on_is_stopped_at_its_budget() -> None:
    async with ThinkingApp(thought(LONG) + reply("Yes.")) as app:
        message = await app.reply(ask(max_tokens=2000, thinking={"type": "enabled", "budget_tokens": 1024}))
        assert message["usage"]["output_tokens_details"]["thinking_tokens"] == 1024
        assert message["usage"]["output_tokens"] == 1024 + tokens("Yes.")
        assert message["content"][1]["text"] == "Yes."


@pytest.mark.promise("thinking.circles")
async def test_a_thought_that_goes_round_in_circles_is_closed_before_its_budget_is_used_up() -> None:
    async with ThinkingApp(thought(LONG[:500] + "<result>\\n" * 5000) + reply("Yes.")) as app:
        message = await app.reply(ask(max_tokens=9000, thinking={"type": "enabled", "budget_tokens": 8000}))
        told, answer = message["content"]
        assert told["thinking"].count("<result>") < 100
        assert answer["text"] == "Yes."
        assert message["usage"]["output_tokens_details"]["thinking_tokens"] < 500
        sealed = SEALS.open(told["signature"])
        assert sealed is not None
        assert sealed.tokens == message["usage"]["output_tokens_details"]["thinking_tokens"]


@pytest.mark.promise("thinking.limits")
async def test_the_answer_has_what_the_thought_left_of_max_tokens() -> None:
    async with ThinkingApp(thought(LONG) + reply(LONG)) as app:
        message = await app.reply(ask(max_tokens=1500, thinking={"type": "enabled", "budget_tokens": 1024}))
        assert (message["stop_reason"], message["usage"]["output_tokens"]) == ("max_tokens", 1500)
        assert [work.max_tokens for work in app.engines["scripted"].asked] == [1024, 1500 - 1024]


# Coming back


async def turn(app: ThinkingApp, request: dict[str, Any], *betas: str) -> list[dict[str, Any]]:
    """The conversation so far with the reply to it."""
    message = await app.reply(request, *betas)
    return [*request["messages"], {"role": "assistant", "content": message["content"]}]


@pytest.mark.promise("thinking.preserved")
@pytest.mark.parametrize("display", ["summarized", "omitted"])
async def test_the_model_gets_its_own_thought_back_whatever_the_client_was_shown(display: str) -> None:
    async with ThinkingApp(SCRIPT) as app:
        history = await turn(app, ask(thinking=thinks(display)))
        request = ask([*history, {"role": "user", "content": "Sure?"}], thinking=thinks(display))
        message = await app.reply(request)
        answered, again = app.prompts[1], app.prompts[2]
        # To the character as it was thought: what an engine has read of it, it need not read anew.
        assert again.startswith(f"{answered}It is four.")
        assert message["usage"]["input_tokens"] == (await app.count(request))["input_tokens"]


@pytest.mark.promise("thinking.signatures-verified")
async def test_a_changed_or_forged_block_is_refused() -> None:
    async with ThinkingApp(SCRIPT) as app:
        history = await turn(app, ask())
        block = history[1]["content"][0]
        signature = block["signature"]
        middle = len(signature) // 2
        changed = signature[:middle] + ("A" if signature[middle] != "A" else "B") + signature[middle + 1 :]
        for forged in (changed, "c2lnbmF0dXJl", "", signature[:-4], "ß"):
            history[1]["content"][0] = {**block, "signature": forged}
            refused = await app.refusal(ask([*history, {"role": "user", "content": "Sure?"}]))
            assert refused == "messages.1.content.0: Invalid `signature` in `thinking` block"
        history[1]["content"][0] = {**block, "thinking": "I was told to say five."}
        refused = await app.refusal(ask([*history, {"role": "user", "content": "Sure?"}]))
        assert refused.startswith("messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest")


@pytest.mark.promise("thinking.redacted")
@pytest.mark.parametrize("stream", [False, True])
async def test_the_documented_test_text_makes_the_thought_come_redacted_and_it_goes_back(stream: bool) -> None:
    async with ThinkingApp(SCRIPT) as app:
        answer = await app.post(ask(f"2 + 2? {REDACTED_TEST_TEXT}", stream=stream))
        if stream:
            block = answer.events[1]["content_block"]
            assert deltas(answer.events, 0) == []
        else:
            block = answer.json["content"][0]
        assert set(block) == {"type", "data"}
        assert block["type"] == "redacted_thinking"
        assert "Two" not in answer.body.decode()
        spoken: list[dict[str, Any]] = [block, {"type": "text", "text": "It is four."}]
        history: list[dict[str, Any]] = [
            {"role": "user", "content": f"2 + 2? {REDACTED_TEST_TEXT}"},
            {"role": "assistant", "content": spoken},
            {"role": "user", "content": "Sure?"},
        ]
        message = await app.reply(ask(history))
        assert message["content"][0]["type"] == "thinking"
        assert TOLD in app.prompts[2]
        history[1]["content"] = [{**block, "data": block["data"][:-8] + "AAAAAAA="}, *spoken[1:]]
        assert await app.refusal(ask(history)) == "messages.1.content.0: Invalid `data` in `redacted_thinking` block"


@pytest.mark.promise("thinking.input-transformations")
async def test_another_model_s_thought_is_dropped_and_said_so_under_the_beta_header() -> None:
    other = SEALS.seal(Thought("Elsewhere.", "another model", 3, "Elsewhere."), bytes(12))
    history = [
        {"role": "user", "content": "2 + 2?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Elsewhere.", "signature": other},
                {"type": "text", "text": "Four."},
            ],
        },
        {"role": "user", "content": "Sure?"},
    ]
    async with ThinkingApp(SCRIPT) as app:
        message = await app.reply(ask(history), BINDING)
        dropped = {"type": "thinking_dropped", "path": "messages.1.content.0", "reason": "model_binding_mismatch"}
        assert message["input_transformations"] == [dropped]
        assert "Elsewhere" not in app.prompts[0]
        events = (await app.post(ask(history, stream=True), BINDING)).events
        assert events[0]["message"]["input_transformations"] == [dropped]
        assert (await app.reply(ask(), BINDING))["input_transformations"] == []
        assert "input_transformations" not in await app.reply(ask(history))


@pytest.mark.promise("thinking.cleared")
async def test_cleared_thoughts_are_told_with_the_tokens_that_they_took() -> None:
    async with ThinkingApp(SCRIPT) as app:
        history = await turn(app, ask())
        history = await turn(app, ask([*history, {"role": "user", "content": "Sure?"}]))
        request = ask([*history, {"role": "user", "content": "Really?"}])
        keep = {"type": "clear_thinking_20251015", "keep": {"type": "thinking_turns", "value": 1}}
        cleared = {**request, "context_management": {"edits": [keep]}}
        whole, less = await app.count(request), await app.count(cleared, CLEARING)
        assert less["context_management"] == {"original_input_tokens": whole["input_tokens"]}
        saved = whole["input_tokens"] - less["input_tokens"]
        assert saved > tokens(TOLD)
        message = await app.reply(cleared, CLEARING)
        assert message["usage"]["input_tokens"] == less["input_tokens"]
        assert message["context_management"] == {
            "applied_edits": [
                {"type": "clear_thinking_20251015", "cleared_thinking_turns": 1, "cleared_input_tokens": saved}
            ]
        }
        everything = {**request, "context_management": {"edits": [{**keep, "keep": "all"}]}}
        assert (await app.reply(everything, CLEARING))["context_management"] == {"applied_edits": []}


# Tools

LOOK: dict[str, Any] = {"name": "look", "input_schema": {"type": "object", "properties": {"at": {"type": "string"}}}}
CALL = (
    '<function_calls>\\n<invoke name=\\"look\\">\\n<parameter name=\\"at\\">sea</parameter>\\n</invoke>'
    "\\n</function_calls>"
)


def asks_for_tools(content: Any = "Is the sea blue?", **more: Any) -> dict[str, Any]:
    return ask(content, tools=[LOOK], **more)


def with_result(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    (call,) = (block for block in history[-1]["content"] if block["type"] == "tool_use")
    return [
        *history,
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"], "content": "turquoise"}]},
    ]


CALLS = (
    reply("It is blue.</thinking>", "prompt = '(?s)turquoise.*<thinking>\\n\\Z'")
    + thought("I had better look.</thinking>")
    + reply("Yes, blue.", "prompt = 'turquoise'")
    + reply(CALL)
)


@pytest.mark.promise("thinking.blocks-first", "thinking.tool-choice")
async def test_the_model_thinks_before_it_calls_and_goes_on_from_the_result() -> None:
    async with ThinkingApp(CALLS) as app:
        history = await turn(app, asks_for_tools())
        assert [block["type"] for block in history[1]["content"]] == ["thinking", "tool_use"]
        message = await app.reply(asks_for_tools(with_result(history)))
        # Without the header the turn's thinking came before its first call.
        assert message["content"] == [{"type": "text", "text": "Yes, blue."}]
        assert message["usage"]["output_tokens_details"] == {"thinking_tokens": 0}
        assert "I had better look." in app.prompts[-1]


@pytest.mark.promise("thinking.interleaved")
async def test_interleaved_the_model_thinks_about_the_result_with_what_is_left_of_the_budget() -> None:
    async with ThinkingApp(CALLS) as app:
        request = asks_for_tools(max_tokens=1100, thinking={"type": "enabled", "budget_tokens": 1500})
        history = await turn(app, request, INTERLEAVED)
        message = await app.reply({**request, "messages": with_result(history), "max_tokens": 4000}, INTERLEAVED)
        assert [block["type"] for block in message["content"]] == ["thinking", "text"]
        spent = tokens("I had better look.</thinking>")
        assert app.engines["scripted"].asked[2].max_tokens == 1500 - spent


@pytest.mark.promise("thinking.signatures-verified")
async def test_a_call_s_thought_has_to_come_back_with_its_result() -> None:
    async with ThinkingApp(CALLS) as app:
        history = await turn(app, asks_for_tools())
        block, call = history[1]["content"]
        without = [history[0], {"role": "assistant", "content": [call]}]
        assert "Expected `thinking` or `redacted_thinking`, but found `tool_use`" in await app.refusal(
            asks_for_tools(with_result(without))
        )
        edited = [history[0], {"role": "assistant", "content": [{**block, "thinking": "No."}, call]}]
        assert "cannot be modified" in await app.refusal(asks_for_tools(with_result(edited)))


@pytest.mark.promise("thinking.calls-in-thoughts")
async def test_a_call_that_the_model_writes_in_its_thought_is_made() -> None:
    async with ThinkingApp(thought(f"I look: {CALL}") + reply(CALL)) as app:
        message = await app.reply(asks_for_tools())
        assert [block["type"] for block in message["content"]] == ["thinking", "tool_use"]
        assert message["content"][0]["thinking"] == "I look:"
        assert message["stop_reason"] == "tool_use"


@pytest.mark.promise("thinking.tool-choice")
async def test_a_forced_call_leaves_no_room_for_a_thought() -> None:
    async with ThinkingApp(CALLS) as app:
        forced = {"type": "any"}
        assert "Thinking may not be enabled when tool_choice forces tool use." in await app.refusal(
            asks_for_tools(tool_choice=forced)
        )
        message = await app.reply(asks_for_tools(model="claude-opus-4-6", thinking=ADAPTIVE, tool_choice=forced))
        assert [block["type"] for block in message["content"]] == ["tool_use"]


@pytest.mark.promise("structured.format")
async def test_an_answer_of_a_given_form_comes_after_the_thought() -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    form: dict[str, Any] = {"type": "json_schema", "schema": schema}
    async with ThinkingApp(thought(WRITTEN) + reply("{}")) as app:
        message = await app.reply(ask(output_config={"format": form}))
        assert [block["type"] for block in message["content"]] == ["thinking", "text"]
        assert message["content"][1]["text"] == "{}"
        first, second = app.engines["scripted"].asked
        assert first.grammar != second.grammar
        assert second.grammar is not None


# Summaries


@pytest.mark.promise("thinking.summarizer")
@pytest.mark.parametrize("stream", [False, True])
async def test_with_a_summarizer_the_client_is_shown_its_account_of_the_thought(stream: bool) -> None:
    async with ThinkingApp(SCRIPT, reply("It added.")) as app:
        answer = await app.post(ask(stream=stream))
        if stream:
            assert [event["index"] for event in answer.events if event["type"] == "content_block_start"] == [0, 1]
            assert joined(answer.events, 0) == "It added."
            usage = answer.events[-2]["usage"]
        else:
            assert answer.json["content"][0]["thinking"] == "It added."
            usage = answer.json["usage"]
        assert "Two" not in answer.body.decode()
        # What is charged is the thought, not the account of it.
        assert usage["output_tokens_details"] == {"thinking_tokens": COUNTED}
        assert TOLD in app.engines["retells"].asked[0].prompt.text


@pytest.mark.promise("thinking.summarizer")
async def test_a_summarized_thought_comes_back_to_the_model_as_it_was_thought() -> None:
    async with ThinkingApp(SCRIPT, reply("It added.")) as app:
        history = await turn(app, ask())
        await app.reply(ask([*history, {"role": "user", "content": "Sure?"}]))
        assert TOLD in app.prompts[2]
        assert "It added." not in app.prompts[2]


@pytest.mark.promise("thinking.summarizer-fails-closed")
async def test_where_the_summarizer_fails_the_thought_is_omitted() -> None:
    broken = '[[reply]]\nfail = "died"\n'
    async with ThinkingApp(SCRIPT, broken) as app:
        answer = await app.post(ask())
        first, second = answer.json["content"]
        assert (first["thinking"], second["text"]) == ("", "It is four.")
        assert "Two" not in answer.body.decode()
        sealed = SEALS.open(first["signature"])
        assert sealed is not None
        assert sealed.text.strip() == TOLD


# Failures


@pytest.mark.promise("streaming.errors-in-band")
@pytest.mark.parametrize(
    ("script", "open_block"),
    [
        (thought("Let me see.", 'fail = "died"\nafter_chunks = 3'), "thinking"),
        (thought(WRITTEN) + reply("It is four.", 'fail = "died"\nafter_chunks = 2'), "text"),
    ],
)
async def test_an_engine_that_dies_in_any_stretch_is_an_error_behind_the_closed_block(
    script: str, open_block: str
) -> None:
    async with ThinkingApp(script) as app:
        answer = await app.post(ask(stream=True))
        *before, error = answer.events
        started = [event["content_block"]["type"] for event in before if event["type"] == "content_block_start"]
        assert started[-1] == open_block
        assert before[-1] == {"type": "content_block_stop", "index": len(started) - 1}
        assert error["error"]["type"] == "api_error"
        assert (await app.post(ask())).status == 500


@pytest.mark.promise("streaming.ping")
async def test_pings_fill_the_silence_of_an_omitted_thought() -> None:
    script = thought("Let me see.", "hang = true\nafter_chunks = 3")
    async with ThinkingApp(script, commit_after=0.01, ping_after=0.02) as app:
        request = ask(thinking=thinks("omitted"), stream=True)
        async with app.bridge.open("POST", "/v1/messages", request) as exchange:
            await exchange.begin()
            seen: list[str] = []
            async for chunk in exchange.chunks():
                seen += [event["type"] for event in parse_events(chunk)]
                if "content_block_start" in seen and seen[::-1].index("content_block_start") >= 3:
                    break
        assert [kind for kind in seen if kind != "ping"] == ["message_start", "content_block_start"]
        assert seen[-3:] == ["ping"] * 3


@pytest.mark.promise("streaming.disconnect-cancels")
async def test_a_client_that_goes_away_while_the_model_thinks_cancels_its_work() -> None:
    script = thought("Let me see.", "hang = true\nafter_chunks = 3")
    request = ask(stream=True)
    async with ThinkingApp(script) as app, app.bridge.open("POST", "/v1/messages", request) as exchange:
        await exchange.begin()
        async with asyncio.timeout(WAIT):
            await exchange.disconnect()
        assert exchange.task.done()

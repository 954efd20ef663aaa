"""Summaries in place of a conversation, as a client asks for them and sends them back."""

from typing import Any

import pytest

from antiphon.wire.headers import KNOWN_BETAS
from tests.web.thinking_app import ThinkingApp, ask, reply, thought, tokens

Json = dict[str, Any]

ON_DEMAND, AT_THRESHOLD = "compact-2026-09-04", "compact-2026-01-12"
INLINE = "inline-tools-2026-09-15"
OPUS = "claude-opus-4-8"
BOUND = "claude-opus-5-5"
ASKED = 'match = "write a summary of this whole conversation"'
WORDS = "They build a recipe app. Entities: Recipe, Step."
SUMMARY = reply(WORDS, ASKED)
ANSWER = reply("An answer.")
HISTORY: list[Json] = [
    {"role": "user", "content": "Name the entities."},
    {"role": "assistant", "content": "Recipe and Step."},
    {"role": "user", "content": "Now the fields."},
]
TOOL: Json = {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}
LATE: Json = {"name": "late", "description": "Comes late.", "input_schema": {"type": "object", "properties": {}}}


def request(messages: list[Json] | None = None, **more: Any) -> Json:
    """A plain request to a model that can summarize."""
    return ask(HISTORY if messages is None else messages, **{"model": OPUS, "thinking": None, **more})


def summarize(messages: list[Json] | None = None, **more: Any) -> Json:
    """A request for a summary."""
    return request(messages, **{"compaction": {"type": "summarize"}, **more})


@pytest.mark.promise("compaction.on-demand")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_summary_is_the_whole_reply(stream: bool) -> None:
    async with ThinkingApp(SUMMARY + ANSWER) as app:
        if stream:
            answer = await app.post(summarize(stream=True), ON_DEMAND)
            assert [event["type"] for event in answer.events if event["type"] != "ping"] == [
                "message_start",
                "content_block_start",
                "content_block_stop",
                "message_delta",
                "message_stop",
            ]
            by_type = {event["type"]: event for event in answer.events}
            block = by_type["content_block_start"]["content_block"]
            stop, usage = by_type["message_delta"]["delta"]["stop_reason"], by_type["message_delta"]["usage"]
        else:
            message = await app.reply(summarize(), ON_DEMAND)
            [block] = message["content"]
            stop, usage = message["stop_reason"], message["usage"]
        assert (block["type"], block["content"], stop) == ("compaction", WORDS, "compaction")
        assert block.keys() == {"type", "content", "signature"}
        assert (usage["input_tokens"], usage["output_tokens"]) == (0, 0)
        [spent] = usage["iterations"]
        assert (spent["type"], spent["output_tokens"]) == ("compaction", tokens(WORDS))
        assert spent["input_tokens"] == len(app.engines["scripted"].asked[0].prompt.tokens)


@pytest.mark.promise("compaction.same-prefix")
async def test_the_conversation_is_told_as_always_before_the_summary_is_asked_for() -> None:
    messages = HISTORY[:2]
    async with ThinkingApp(SUMMARY + ANSWER) as app:
        await app.reply(request([*messages, {"role": "user", "content": "More."}], tools=[TOOL]), ON_DEMAND)
        await app.reply(summarize(messages, tools=[TOOL]), ON_DEMAND)
        one, two = app.prompts
        shared = one[: one.index("More.")]
        assert two.startswith(shared)
        assert app.engines["scripted"].asked[1].grammar is not None


@pytest.mark.promise("compaction.own-instructions")
async def test_own_instructions_take_the_place_of_the_servers() -> None:
    async with ThinkingApp(reply("Kept.", 'match = "Keep the names"') + SUMMARY) as app:
        own = {"type": "summarize", "instructions": "Keep the names."}
        assert (await app.reply(summarize(compaction=own), ON_DEMAND))["content"][0]["content"] == "Kept."
        blank = {"type": "summarize", "instructions": "  \n"}
        assert (await app.reply(summarize(compaction=blank), ON_DEMAND))["content"][0]["content"] == WORDS
        assert "write a summary" not in app.prompts[0]


@pytest.mark.promise("compaction.on-demand")
async def test_a_summary_of_a_model_that_thinks_has_no_thinking() -> None:
    async with ThinkingApp(thought("Hm.") + SUMMARY) as app:
        asked = summarize(thinking={"type": "adaptive"})
        assert [block["type"] for block in (await app.reply(asked, ON_DEMAND))["content"]] == ["compaction"]


@pytest.mark.promise("compaction.no-summary")
@pytest.mark.parametrize(
    ("script", "more", "reason"),
    [
        (SUMMARY, {"max_tokens": 3}, "max_tokens"),
        (reply("  ", ASKED), {}, "end_turn"),
        (f"[model]\nwindow = {{window}}\n{SUMMARY}", {}, "model_context_window_exceeded"),
    ],
)
async def test_where_no_summary_comes_about_the_reply_is_empty(script: str, more: Json, reason: str) -> None:
    if "{window}" in script:
        async with ThinkingApp(SUMMARY) as app:
            count = await app.count(request(), ON_DEMAND)
        script = script.replace("{window}", str(count["input_tokens"] + 5))
    async with ThinkingApp(script) as app:
        message = await app.reply(summarize(**more), ON_DEMAND)
        assert (message["content"], message["stop_reason"]) == ([], reason)
        [spent] = message["usage"]["iterations"]
        assert (spent["input_tokens"] == 0) == (reason == "model_context_window_exceeded")


@pytest.mark.promise("compaction.replay")
@pytest.mark.parametrize("role", ["assistant", "user"])
async def test_the_summary_stands_for_what_was_said(role: str) -> None:
    async with ThinkingApp(SUMMARY + ANSWER) as app:
        [block] = (await app.reply(summarize(), ON_DEMAND))["content"]
        marked = {**block, "cache_control": {"type": "ephemeral"}}
        behind = [{"type": "text", "text": "Go on."}] if role == "user" else []
        replayed = [{"role": role, "content": [marked, *behind]}]
        if role == "assistant":
            replayed += [
                {"role": "assistant", "content": "title, servings"},
                {"role": "user", "content": "And Ingredient?"},
            ]
        message = await app.reply(request(replayed), ON_DEMAND)
        assert message["content"][0]["text"] == "An answer."
        told = app.prompts[-1]
        assert WORDS in told
        assert "Now the fields." not in told
        assert ("title, servings" in told) == (role == "assistant")


@pytest.mark.promise("compaction.replay")
async def test_the_summary_alone_is_enough_to_go_on_from() -> None:
    async with ThinkingApp(SUMMARY + ANSWER) as app:
        replayed = [{"role": "assistant", "content": (await app.reply(summarize(), ON_DEMAND))["content"]}]
        assert (await app.reply(request(replayed), ON_DEMAND))["stop_reason"] == "end_turn"
        again = await app.reply(summarize(replayed), ON_DEMAND)
        assert again["stop_reason"] == "compaction"
        assert f"<summary>\n{WORDS}" in app.prompts[-1]


@pytest.mark.promise("compaction.seal")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"content": "They build a shop."}, "compaction_content_mismatch"),
        ({"signature": "c2ln"}, "compaction_signature_invalid"),
        (
            {"tool_changes": [{"type": "tool_removal", "tool": {"type": "tool_reference", "name": "look"}}]},
            "compaction_tool_changes_mismatch",
        ),
    ],
)
async def test_a_changed_summary_is_refused(change: Json, code: str) -> None:
    async with ThinkingApp(SUMMARY + ANSWER) as app:
        [block] = (await app.reply(summarize(), ON_DEMAND))["content"]
        replayed = [{"role": "assistant", "content": [{**block, **change}]}, {"role": "user", "content": "Go on."}]
        answer = await app.post(request(replayed, tools=[TOOL]), ON_DEMAND, INLINE)
        assert (answer.status, answer.json["error"]["details"]) == (400, {"error_code": code})
        assert answer.json["error"]["message"].startswith("messages.0.content.0: ")


@pytest.mark.promise("compaction.seal")
async def test_the_seal_of_a_thought_is_none_of_a_summary() -> None:
    async with ThinkingApp(thought("Hm.") + SUMMARY + ANSWER) as app:
        thinks = await app.reply(ask(HISTORY, model="claude-opus-4-6"))
        signature = thinks["content"][0]["signature"]
        block = {"type": "compaction", "content": "Hm.", "signature": signature}
        answer = await app.post(request([{"role": "user", "content": [block]}]), ON_DEMAND)
        assert answer.json["error"]["details"] == {"error_code": "compaction_signature_invalid"}


@pytest.mark.promise("compaction.count")
async def test_a_count_passes_over_the_parameter_and_reads_the_block() -> None:
    async with ThinkingApp(SUMMARY + ANSWER) as app:
        assert await app.count(summarize(), ON_DEMAND) == await app.count(request(), ON_DEMAND)
        replayed = [
            {"role": "assistant", "content": (await app.reply(summarize(), ON_DEMAND))["content"]},
            {"role": "user", "content": "Go on."},
        ]
        counted = await app.count(request(replayed), ON_DEMAND)
        message = await app.reply(request(replayed), ON_DEMAND)
        assert counted["input_tokens"] == message["usage"]["input_tokens"]


@pytest.mark.promise("compaction.kept-thoughts")
@pytest.mark.parametrize(("keeps", "dropped"), [(True, 0), (False, 1)])
async def test_thoughts_behind_the_summary_stay_bound_to_what_it_stands_for(keeps: bool, dropped: int) -> None:
    thinking = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
    script = thought("Let me see.") + SUMMARY + ANSWER
    async with ThinkingApp(script) as app:
        betas = (ON_DEMAND, "thinking-binding-controls-2026-08-01")
        first = await app.reply(ask(HISTORY, model=BOUND, thinking=thinking), *betas)
        assert first["content"][0]["type"] == "thinking"
        summarized = HISTORY if keeps else HISTORY[:1]
        summary = await app.reply(summarize(summarized, model=BOUND, thinking=thinking), *betas)
        replayed: list[Json] = [
            {"role": "assistant", "content": summary["content"]},
            {"role": "assistant", "content": first["content"]},
            {"role": "user", "content": "And then?"},
        ]
        message = await app.reply(ask(replayed, model=BOUND, thinking=thinking), *betas)
        assert len(message["input_transformations"]) == dropped


@pytest.mark.promise("compaction.tools")
async def test_changes_of_tools_outlive_the_messages_that_made_them() -> None:
    addition = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": LATE}}
    removal = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "look"}}
    call = '<function_calls>\\n<invoke name=\\"late\\">\\n</invoke>\\n</function_calls>'
    async with ThinkingApp(SUMMARY + reply(call)) as app:
        changed = [*HISTORY, {"role": "system", "content": [removal, addition]}]
        [block] = (await app.reply(summarize(changed, tools=[TOOL]), ON_DEMAND, INLINE))["content"]
        by_value = {"type": "tool_definition", "definition": {**LATE, "type": "custom"}}
        assert block["tool_changes"] == [removal, {"type": "tool_addition", "tool": by_value}]
        replayed = [{"role": "assistant", "content": [block]}, {"role": "user", "content": "Go on."}]
        message = await app.reply(request(replayed, tools=[TOOL]), ON_DEMAND, INLINE)
        assert [block["name"] for block in message["content"]] == ["late"]
        assert "Comes late." in app.prompts[-1]
        forced = request(replayed, tools=[TOOL], tool_choice={"type": "tool", "name": "look"})
        assert await app.refusal(forced, ON_DEMAND, INLINE) == "Tool 'look' not found in provided tools"


@pytest.mark.promise("compaction.tools")
async def test_tools_that_were_found_before_the_summary_are_still_there() -> None:
    deferred = {**LATE, "defer_loading": True}
    found: list[Json] = [
        {"role": "user", "content": "Find it."},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}]},
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "content": [{"type": "tool_reference", "tool_name": "late"}],
                }
            ],
        },
    ]
    async with ThinkingApp(SUMMARY + ANSWER) as app:
        tools = [TOOL, deferred]
        summary = await app.reply(summarize(found, tools=tools), ON_DEMAND)
        assert "tool_changes" not in summary["content"][0]
        replayed = [{"role": "assistant", "content": summary["content"]}, {"role": "user", "content": "Go on."}]
        await app.reply(request(replayed, tools=tools), ON_DEMAND)
        assert "Comes late." in app.prompts[-1]


# At a threshold

LONG = "word " * 30_000
EDIT = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 50_000}}
LONG_HISTORY: list[Json] = [
    {"role": "user", "content": LONG},
    {"role": "assistant", "content": LONG},
    {"role": "user", "content": "Now the fields."},
]


def managed(messages: list[Json], **more: Any) -> Json:
    return request(messages, context_management={"edits": [{**EDIT, **more.pop("edit", {})}]}, **more)


@pytest.mark.promise("compaction.threshold")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_long_conversation_is_summarized_and_then_answered(stream: bool) -> None:
    async with ThinkingApp(SUMMARY + ANSWER) as app:
        if stream:
            answer = await app.post(managed(LONG_HISTORY, stream=True), AT_THRESHOLD)
            events = [event for event in answer.events if event["type"] != "ping"]
            assert events[1]["content_block"] == {"type": "compaction", "content": None}
            delta = {"type": "compaction_delta", "content": WORDS, "encrypted_content": None}
            assert events[2]["delta"] == delta
            ended = next(event for event in events if event["type"] == "message_delta")
            usage, edits = ended["usage"], ended["context_management"]
        else:
            message = await app.reply(managed(LONG_HISTORY), AT_THRESHOLD)
            assert message["content"] == [
                {"type": "compaction", "content": WORDS},
                {"type": "text", "text": "An answer."},
            ]
            assert message["stop_reason"] == "end_turn"
            usage, edits = message["usage"], message["context_management"]
        assert edits == {"applied_edits": []}
        asked = app.engines["scripted"].asked
        assert [(one["type"], one["input_tokens"]) for one in usage["iterations"]] == [
            ("compaction", len(asked[0].prompt.tokens)),
            ("message", len(asked[1].prompt.tokens)),
        ]
        assert usage["input_tokens"] == len(asked[1].prompt.tokens) < 1000
        assert usage["output_tokens"] == tokens("An answer.")


@pytest.mark.promise("compaction.threshold-pause")
async def test_a_reply_can_pause_behind_the_summary() -> None:
    async with ThinkingApp(SUMMARY + ANSWER) as app:
        paused = await app.reply(managed(LONG_HISTORY, edit={"pause_after_compaction": True}), AT_THRESHOLD)
        assert (paused["content"], paused["stop_reason"]) == (
            [{"type": "compaction", "content": WORDS}],
            "compaction",
        )
        assert (paused["usage"]["input_tokens"], paused["usage"]["output_tokens"]) == (0, 0)
        assert [one["type"] for one in paused["usage"]["iterations"]] == ["compaction"]
        message = await app.reply(
            managed([*LONG_HISTORY, {"role": "assistant", "content": paused["content"]}]), AT_THRESHOLD
        )
        assert [block["type"] for block in message["content"]] == ["text"]
        assert [one["type"] for one in message["usage"]["iterations"]] == ["message"]


@pytest.mark.promise("compaction.threshold-replay")
@pytest.mark.parametrize("whole", [True, False])
async def test_what_stands_before_the_last_summary_is_passed_over(whole: bool) -> None:
    async with ThinkingApp(SUMMARY + ANSWER) as app:
        first = await app.reply(managed(LONG_HISTORY), AT_THRESHOLD)
        before = LONG_HISTORY if whole else []
        behind = [{"role": "assistant", "content": first["content"]}, {"role": "user", "content": "Go on."}]
        message = await app.reply(managed([*before, *behind]), AT_THRESHOLD)
        assert [block["type"] for block in message["content"]] == ["text"]
        assert app.prompts[-1].startswith(app.prompts[-2])
        assert "word word" not in app.prompts[-1]


@pytest.mark.promise("compaction.threshold")
async def test_a_summary_that_fails_changes_nothing() -> None:
    async with ThinkingApp(reply(" ", ASKED) + ANSWER) as app:
        message = await app.reply(managed(LONG_HISTORY, edit={"pause_after_compaction": True}), AT_THRESHOLD)
        assert message["content"][0] == {"type": "compaction", "content": None}
        assert message["content"][1]["text"] == "An answer."
        replayed = [*LONG_HISTORY[:1], {"role": "assistant", "content": message["content"]}, HISTORY[2]]
        await app.count(managed(replayed), AT_THRESHOLD)
        again = await app.reply(managed(replayed, edit={"trigger": None}), AT_THRESHOLD)
        assert [block["type"] for block in again["content"]] == ["text"]
        assert "word word" in app.prompts[-1]


@pytest.mark.promise("compaction.threshold")
async def test_an_engine_with_little_room_is_relieved_before_it_is_full() -> None:
    async with ThinkingApp(f"[model]\nwindow = 2000\n{SUMMARY}{ANSWER}") as app:
        history = [{"role": "user", "content": "word " * 1600}]
        message = await app.reply(managed(history, max_tokens=100), AT_THRESHOLD)
        assert [block["type"] for block in message["content"]] == ["compaction", "text"]


def test_the_headers_are_known() -> None:
    assert {ON_DEMAND, AT_THRESHOLD, INLINE} <= KNOWN_BETAS

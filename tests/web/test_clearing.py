"""Old results of tools leave the prompt when it grows long: `clear_tool_uses_20250919`, as a client meets it."""

from typing import Any

import pytest

from antiphon.request.told.clearing import CLEARED, SAVE_FIRST
from antiphon.request.told.memory import PROTOCOL
from tests.service.server_tools import ScriptedTool
from tests.web.searching_app import app as searching_app
from tests.web.searching_app import ask as search_for
from tests.web.searching_app import says, search
from tests.web.thinking_app import ThinkingApp, ask, reply

Json = dict[str, Any]

CLEARING = "context-management-2025-06-27"
SAID = reply("Done.")
LOOK: Json = {"name": "look", "input_schema": {"type": "object", "properties": {"at": {"type": "string"}}}}
FIND: Json = {**LOOK, "name": "find"}
MEMORY: Json = {"type": "memory_20250818", "name": "memory"}
BULK = "There are many words about this place. " * 40


def use(n: int, name: str = "look", found: Any = None) -> list[Json]:
    """A call and its result, each with words that are found again in a prompt."""
    return [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": {"at": f"place{n}"}}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": f"toolu_{n}", "content": found or f"sight{n} {BULK}"}],
        },
    ]


def long(*uses: list[Json], tools: Any = (LOOK, FIND), **edit: Any) -> Json:
    """A request with these uses of tools behind a question, and one edit, if any is given."""
    messages = [{"role": "user", "content": "Look around."}, *(message for one in uses for message in one)]
    edits = {"context_management": {"edits": [{"type": "clear_tool_uses_20250919", **edit}]}} if edit else {}
    return ask(messages, thinking=None, tools=list(tools), **edits)


def more_than(tokens: int) -> Json:
    return {"type": "input_tokens", "value": tokens}


def uses(number: int) -> Json:
    return {"type": "tool_uses", "value": number}


SIX = [use(n) for n in range(1, 7)]


def shown(prompt: str, what: str = "sight") -> list[int]:
    """The numbers of the uses whose results (`place`: inputs) the prompt has."""
    return [n for n in range(1, 10) if f"{what}{n}" in prompt]


@pytest.mark.promise("context.clear-tool-uses", "context.clears-count")
async def test_results_but_the_last_three_leave_a_prompt_over_the_trigger_and_usage_falls_by_what_is_told() -> None:
    async with ThinkingApp(SAID) as served:
        whole = await served.reply(long(*SIX), CLEARING)
        request = long(*SIX, trigger=more_than(500))
        message = await served.reply(request, CLEARING)
        counted = await served.count(request, CLEARING)
        [entry] = message["context_management"]["applied_edits"]
        assert (entry["type"], entry["cleared_tool_uses"]) == ("clear_tool_uses_20250919", 3)
        before, after = whole["usage"]["input_tokens"], message["usage"]["input_tokens"]
        assert before - after == entry["cleared_input_tokens"] > 0
        assert counted == {"input_tokens": after, "context_management": {"original_input_tokens": before}}
        prompt = served.prompts[-1]
        assert (shown(prompt), shown(prompt, "place")) == ([4, 5, 6], [1, 2, 3, 4, 5, 6])
        assert prompt.count(CLEARED) == 3


@pytest.mark.promise("context.clears-streamed")
async def test_a_stream_tells_of_the_edit_at_its_end_only() -> None:
    async with ThinkingApp(SAID) as served:
        answer = await served.post({**long(*SIX, trigger=more_than(500)), "stream": True}, CLEARING)
        start = answer.events[0]["message"]
        [delta] = [event for event in answer.events if event["type"] == "message_delta"]
        assert start["context_management"] is None
        assert delta["context_management"]["applied_edits"][0]["cleared_tool_uses"] == 3
        assert "context_management" not in delta["delta"]


@pytest.mark.promise("context.clears-not-below")
async def test_below_the_trigger_nothing_is_cleared_and_nothing_told() -> None:
    async with ThinkingApp(SAID) as served:
        # Without a trigger, a hundred thousand tokens.
        for trigger in ({}, {"trigger": more_than(50_000)}, {"trigger": uses(6)}):
            message = await served.reply(long(*SIX, keep=uses(1), **trigger), CLEARING)
            assert message["context_management"] == {"applied_edits": []}
            assert shown(served.prompts[-1]) == [1, 2, 3, 4, 5, 6]


@pytest.mark.promise("context.clears-by-uses")
async def test_the_trigger_counts_tool_uses_too() -> None:
    async with ThinkingApp(SAID) as served:
        message = await served.reply(long(*SIX, trigger=uses(5), keep=uses(2)), CLEARING)
        assert message["context_management"]["applied_edits"][0]["cleared_tool_uses"] == 4
        assert shown(served.prompts[-1]) == [5, 6]
        await served.reply(long(*SIX, trigger=uses(5), keep=uses(0)), CLEARING)
        assert shown(served.prompts[-1]) == []


@pytest.mark.promise("context.clears-not-excluded")
async def test_an_excluded_tool_keeps_its_results() -> None:
    async with ThinkingApp(SAID) as served:
        mixed = [use(n, "find" if n % 2 else "look") for n in range(1, 7)]
        message = await served.reply(long(*mixed, trigger=uses(1), keep=uses(1), exclude_tools=["find"]), CLEARING)
        assert message["context_management"]["applied_edits"][0]["cleared_tool_uses"] == 2
        assert shown(served.prompts[-1]) == [1, 3, 5, 6]


@pytest.mark.promise("context.clears-at-least")
async def test_an_edit_that_would_clear_too_little_is_not_made() -> None:
    async with ThinkingApp(SAID) as served:
        request = long(*SIX, trigger=uses(1))
        spared = (await served.reply(request, CLEARING))["context_management"]["applied_edits"][0][
            "cleared_input_tokens"
        ]
        for least, made in ((spared, True), (spared + 1, False)):
            message = await served.reply(long(*SIX, trigger=uses(1), clear_at_least=more_than(least)), CLEARING)
            assert bool(message["context_management"]["applied_edits"]) is made
            assert shown(served.prompts[-1]) == ([4, 5, 6] if made else [1, 2, 3, 4, 5, 6])


@pytest.mark.promise("context.clears-inputs")
async def test_inputs_go_too_where_the_edit_says_so_of_all_tools_or_of_some() -> None:
    async with ThinkingApp(SAID) as served:
        mixed = [use(n, "find" if n % 2 else "look") for n in range(1, 7)]
        for inputs, left in (
            (True, [5, 6]),
            (["find"], [2, 4, 5, 6]),
            (False, [1, 2, 3, 4, 5, 6]),
            (None, [1, 2, 3, 4, 5, 6]),
        ):
            await served.reply(long(*mixed, trigger=uses(1), keep=uses(2), clear_tool_inputs=inputs), CLEARING)
            assert shown(served.prompts[-1], "place") == left
            assert shown(served.prompts[-1]) == [5, 6]


@pytest.mark.promise("context.clears-pairs")
async def test_calls_stay_beside_their_results_and_pictures_and_references_go_or_stay() -> None:
    async with ThinkingApp(SAID) as served:
        deferred = {**FIND, "name": "later", "defer_loading": True}
        found = use(1, found=[{"type": "tool_reference", "tool_name": "later"}])
        request = long(found, *SIX[1:], tools=(LOOK, deferred), trigger=uses(1))
        message = await served.reply(request, CLEARING)
        assert message["stop_reason"] == "end_turn"
        prompt = served.prompts[-1]
        # The tool that a cleared result had found may still be called.
        assert "later" in prompt
        places = [prompt.index(f"place{n}") for n in range(1, 7)]
        results = [i for i in range(len(prompt)) if prompt.startswith(CLEARED, i)] + [
            prompt.index(f"sight{n}") for n in (4, 5, 6)
        ]
        assert sorted(places + results) == [at for pair in zip(places, results, strict=True) for at in pair]


@pytest.mark.promise("context.clears-behind-its-header")
async def test_without_its_header_the_setting_is_no_setting() -> None:
    async with ThinkingApp(SAID) as served:
        assert (
            await served.refusal(long(*SIX, trigger=uses(1))) == "context_management: Extra inputs are not permitted"
        )


@pytest.mark.promise("context.clears-with-thinking")
async def test_thoughts_are_cleared_first_and_each_edit_tells_its_own_tokens() -> None:
    script = reply("Let me see.</thinking>", "prompt = '<thinking>\\\\n\\\\Z'") + SAID
    async with ThinkingApp(script) as served:
        first = await served.reply(ask("Think."), CLEARING)
        messages = [
            {"role": "user", "content": "Think."},
            {"role": "assistant", "content": first["content"]},
            {"role": "user", "content": "Look around."},
            *(message for one in SIX for message in one),
            {"role": "assistant", "content": "Seen."},
            {"role": "user", "content": "And?"},
        ]
        request = ask(messages, tools=[LOOK])
        thoughts = {"type": "clear_thinking_20251015", "keep": {"type": "thinking_turns", "value": 1}}
        results = {"type": "clear_tool_uses_20250919", "trigger": uses(1)}
        whole = await served.count(request, CLEARING)
        both = {**request, "context_management": {"edits": [thoughts, results]}}
        message = await served.reply(both, CLEARING)
        entries = message["context_management"]["applied_edits"]
        spared = sum(entry["cleared_input_tokens"] for entry in entries)
        assert message["usage"]["input_tokens"] == whole["input_tokens"] - spared
        assert entries[-1]["type"] == "clear_tool_uses_20250919"
        wrong = {**request, "context_management": {"edits": [results, thoughts]}}
        assert (await served.refusal(wrong, CLEARING)).startswith(
            "context_management: `clear_thinking_20251015` must be the first strategy"
        )


@pytest.mark.promise("context.clears-within-the-window")
async def test_a_conversation_that_fits_only_when_it_is_cleared_is_answered() -> None:
    async with ThinkingApp(SAID) as served:
        huge = [use(n, found=f"sight{n} " + BULK * 150) for n in range(1, 7)]
        assert (await served.refusal(long(*huge), CLEARING)).startswith("prompt is too long")
        message = await served.reply(long(*huge, trigger=more_than(1000), keep=uses(1)), CLEARING)
        assert message["context_management"]["applied_edits"][0]["cleared_tool_uses"] == 5


@pytest.mark.promise("context.clears-server-results")
async def test_what_server_tools_found_is_cleared_in_a_later_round_of_one_reply_and_told_at_its_end() -> None:
    rules = (
        says("Cats purr.", prompt="All about three"),
        says(search("three"), prompt="All about two"),
        says(search("two"), prompt="All about one"),
        says(search("one"), "Tell me"),
    )
    async with searching_app(*rules, tools=[ScriptedTool()]) as served:
        edit = {"type": "clear_tool_uses_20250919", "trigger": uses(2), "keep": uses(1)}
        request = {**search_for(), "context_management": {"edits": [edit]}}
        message = await served.reply(request, CLEARING)
        assert message["stop_reason"] == "end_turn"
        [entry] = message["context_management"]["applied_edits"]
        assert entry["cleared_tool_uses"] == 2
        last = served.engines["scripted"].asked[-1].prompt.text
        assert last.count(CLEARED) == 2


@pytest.mark.promise("memory.protocol")
async def test_a_model_with_a_memory_is_told_to_look_there_first_and_the_count_has_it() -> None:
    async with ThinkingApp(SAID) as served:
        without = await served.count(long(*SIX))
        counted = await served.count(long(*SIX, tools=(LOOK, FIND, MEMORY)))
        message = await served.reply(long(*SIX, tools=(LOOK, FIND, MEMORY)))
        assert served.prompts[-1].count(PROTOCOL) == 1
        assert message["usage"]["input_tokens"] == counted["input_tokens"] > without["input_tokens"]


@pytest.mark.promise("memory.warned-before-clearing")
async def test_a_model_with_a_memory_is_warned_just_before_results_are_cleared() -> None:
    async with ThinkingApp(SAID) as served:
        tools = (LOOK, FIND, MEMORY)
        whole = (await served.count(long(*SIX, tools=tools)))["input_tokens"]
        # trigger, tools -> whether the model is warned
        for trigger, given, warned in (
            (whole, tools, True),
            (whole * 10 // 9 - 1, tools, True),
            (whole * 12 // 10, tools, False),
            (whole - 1, tools, False),
            (whole, (LOOK, FIND), False),
        ):
            request = long(*SIX, tools=given, trigger=more_than(trigger))
            message = await served.reply(request, CLEARING)
            counted = await served.count(request, CLEARING)
            assert (SAVE_FIRST in served.prompts[-1]) is warned, trigger
            assert counted["input_tokens"] == message["usage"]["input_tokens"]

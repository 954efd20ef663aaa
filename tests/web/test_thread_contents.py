"""What conversations hold, continued in threads: the model is told the same as of the whole conversation."""

from typing import Any

import pytest

from antiphon.config import TurnLimits
from tests.web.searching_app import LOOK, SEARCH, invoke, says, search, section
from tests.web.searching_app import app as searching
from tests.web.searching_app import ask as ask_to_search
from tests.web.thinking_app import ThinkingApp, ask, reply, thought
from tests.web.threads import CREATE, THREADS, Json, go_on, in_a_thread, in_full, said, user

CLEARING, INLINE = "context-management-2025-06-27", "inline-tools-2026-09-15"
ON_DEMAND, AT_THRESHOLD = "compact-2026-09-04", "compact-2026-01-12"
OPUS, BOUND = "claude-opus-4-8", "claude-opus-5-5"
TOOL: Json = {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}
CALL = '<function_calls>\\n<invoke name=\\"look\\">\\n</invoke>\\n</function_calls>'
TASK = (
    thought("Let me look first.", "times = 1") + thought("So it is done.") + reply(CALL, "times = 2") + reply("Done.")
)


def result(message: Json, words: str = "A cat.") -> Json:
    """What the client's tool found."""
    [id_] = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
    return user([{"type": "tool_result", "tool_use_id": id_, "content": words}])


async def tool_loop(app: ThinkingApp, request: Json, *betas: str, threaded: bool) -> list[Json]:
    """Three steps of a task, in a thread or without one."""
    thread = (THREADS,) if threaded else ()
    replies = [await app.reply({**request, **(CREATE if threaded else {})}, *thread, *betas)]
    messages: list[Json] = list(request["messages"])
    while replies[-1]["stop_reason"] == "tool_use":
        new = result(replies[-1])
        messages += [said(replies[-1]), new]
        again = go_on(replies[-1], request, new) if threaded else {**request, "messages": messages}
        replies.append(await app.reply(again, *thread, *betas))
    return replies


@pytest.mark.promise("threads.inside", "threads.as-if-whole")
@pytest.mark.parametrize(
    "thinking",
    [
        {"model": "claude-opus-4-5-20251101", "thinking": {"type": "enabled", "budget_tokens": 2000}},
        {"model": OPUS, "thinking": {"type": "adaptive", "display": "omitted"}},
        {"model": BOUND, "thinking": {"type": "adaptive"}},
    ],
    ids=["shown", "omitted", "bound to what was before"],
)
async def test_thoughts_go_on_through_the_steps_of_a_task(thinking: Json) -> None:
    request = ask(tools=[TOOL], **thinking)
    async with ThinkingApp(TASK) as one:
        whole = await tool_loop(one, request, threaded=False)
    async with ThinkingApp(TASK) as other:
        threaded = await tool_loop(other, request, threaded=True)
    assert len(whole) == 3
    assert "thinking" in [block["type"] for message in whole for block in message["content"]]
    assert other.prompts == one.prompts
    assert threaded == whole


@pytest.mark.promise("threads.inside")
async def test_edits_of_the_context_are_made_in_a_thread_as_anywhere() -> None:
    keep = {"type": "clear_thinking_20251015", "keep": {"type": "thinking_turns", "value": 1}}
    request = ask(model="claude-opus-4-6", context_management={"edits": [keep]})
    script = "".join(thought(f"Thought {n}.", "times = 1") for n in range(3)) + reply("Yes.")
    turns = [[user("And?")], [user("And now?")]]
    async with ThinkingApp(script) as one:
        whole = await in_full(one, request, turns, CLEARING)
    async with ThinkingApp(script) as other:
        threaded = await in_a_thread(other, request, turns, CLEARING)
    assert whole[-1]["context_management"]["applied_edits"]
    assert other.prompts == one.prompts
    assert threaded == whole


@pytest.mark.promise("threads.pause-turn", "threads.inside")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_paused_turn_goes_on_with_no_messages(stream: bool) -> None:
    rounds = (
        says("Both purr.", "All about dogs"),
        says(f"And dogs?\n\n{search('dogs')}", "All about cats"),
        says(f"Let me look.\n\n{search('cats')}", "Tell me"),
    )
    limits: dict[str, Any] = {"turn": TurnLimits(rounds=1)}
    async with searching(*rounds, **limits) as one:
        whole = await in_full(one, ask_to_search(), [[], []])
    assert [message["stop_reason"] for message in whole] == ["pause_turn", "pause_turn", "end_turn"]
    async with searching(*rounds, **limits) as other:
        last = await other.reply({**ask_to_search(), **CREATE}, THREADS)
        for _ in range(2):
            again = await other.post(go_on(last, ask_to_search(), stream=stream), THREADS)
            last = again.events[0]["message"] if stream else again.json
        assert again.status == 200
    assert other.prompts == one.prompts


@pytest.mark.promise("threads.inside")
async def test_a_call_of_a_server_s_tool_that_waits_beside_a_client_s_goes_on() -> None:
    rules = (
        says("Both.", "All about cats"),
        says("Both.", "seen"),
        says(section(invoke("look"), invoke(query="cats")), "Tell me"),
    )
    request = ask_to_search(tools=[SEARCH, LOOK])
    async with searching(*rules) as one:
        whole = await tool_loop(one, request, threaded=False)
    async with searching(*rules) as other:
        threaded = await tool_loop(other, request, threaded=True)
    assert [message["stop_reason"] for message in whole] == ["tool_use", "end_turn"]
    assert other.prompts == one.prompts
    assert threaded == whole


SUMMARY = reply("They count.", 'match = "write a summary of this whole conversation"')


@pytest.mark.promise("threads.inside")
async def test_a_summary_that_was_asked_for_stands_for_its_thread() -> None:
    request = ask([user("One."), {"role": "assistant", "content": "Two."}, user("Three.")], model=OPUS, thinking=None)
    async with ThinkingApp(SUMMARY + reply("An answer.")) as app:
        first = await app.reply({**request, **CREATE}, THREADS, ON_DEMAND)
        summary = await app.reply(go_on(first, request, compaction={"type": "summarize"}), THREADS, ON_DEMAND)
        assert summary["stop_reason"] == "compaction"
        await app.reply(go_on(summary, request, user("Four.")), THREADS, ON_DEMAND)
        threaded = app.prompts[-1]
        await app.reply({**request, "messages": [said(summary), user("Four.")]}, ON_DEMAND)
        assert app.prompts[-1] == threaded
    assert "They count." in threaded
    assert "Two." not in threaded


@pytest.mark.promise("threads.inside")
async def test_a_summary_at_a_threshold_stands_for_its_thread() -> None:
    edit = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 50_000}}
    request = ask(model=OPUS, thinking=None, max_tokens=100, context_management={"edits": [edit]})
    long = user("word " * 1600)
    # Three quarters of a small window stand for the trigger.
    script = "[model]\nwindow = 2000\n" + SUMMARY + reply("An answer.")
    async with ThinkingApp(script) as one:
        whole = await in_full(one, request, [[long], [user("More.")]], AT_THRESHOLD)
    async with ThinkingApp(script) as other:
        threaded = await in_a_thread(other, request, [[long], [user("More.")]], AT_THRESHOLD)
    assert [block["type"] for block in whole[1]["content"]] == ["compaction", "text"]
    assert other.prompts == one.prompts
    assert threaded == whole


@pytest.mark.promise("threads.inside")
async def test_a_tool_that_is_added_on_the_way_stays_added() -> None:
    late = {"name": "late", "description": "Comes late.", "input_schema": {"type": "object", "properties": {}}}
    adding = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": late}}
    request = ask(model=OPUS, thinking=None, tools=[TOOL])
    turns = [[user("Go on."), {"role": "system", "content": [adding]}], [user("And?")]]
    async with ThinkingApp(reply("Yes.")) as one:
        whole = await in_full(one, request, turns, INLINE)
    async with ThinkingApp(reply("Yes.")) as other:
        threaded = await in_a_thread(other, request, turns, INLINE)
    assert "Comes late." in one.prompts[-1]
    assert other.prompts == one.prompts
    assert threaded == whole

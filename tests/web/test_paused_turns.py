"""Turns that pause, and go on when they are sent back: as they are, changed, or with other tools."""

from typing import Any

import pytest

from antiphon.config import TurnLimits
from antiphon.ports.server_tools import ServerCall, ServerResult
from antiphon.seals import Seals
from antiphon.testing import FixedClock
from tests.service.server_tools import ScriptedTool, finds
from tests.web.searching_app import LOOK, SEARCH, app, ask, invoke, kinds, resend, says, search, section
from tests.web.thinking_app import ThinkingApp

Json = dict[str, Any]

ROUNDS = (
    says("Both purr.", "All about dogs"),
    says(f"And dogs?\n\n{search('dogs')}", "All about cats"),
    says(f"Let me look.\n\n{search('cats')}", "Tell me"),
)
PAIR = ["server_tool_use", "web_search_tool_result"]


def limited(**limits: Any) -> dict[str, Any]:
    return {"turn": TurnLimits(**limits)}


@pytest.mark.promise(
    "stops.pause-turn", "server-tools.pause-turn", "server-tools.pause-and-resume", "field.pause-turn"
)
@pytest.mark.parametrize("merged", [False, True])
async def test_a_turn_pauses_after_its_rounds_and_goes_on_from_the_same_prompt(merged: bool) -> None:
    async with app(*ROUNDS) as served:
        whole = await served.reply(ask())
        prompts = served.prompts
    async with app(*ROUNDS, **limited(rounds=1)) as served:
        first = await served.reply(ask())
        assert (kinds(first), first["stop_reason"]) == (["text", *PAIR], "pause_turn")
        second = await served.reply(resend(ask(), first))
        assert (kinds(second), second["stop_reason"]) == (["text", *PAIR], "pause_turn")
        again = resend(ask(), first, second)
        if merged:
            again = resend(ask(), {"content": first["content"] + second["content"]})
        third = await served.reply(again)
        assert (kinds(third), third["stop_reason"]) == (["text"], "end_turn")
        assert [block["type"] for reply in (first, second, third) for block in reply["content"]] == kinds(whole)
        assert served.prompts == prompts


@pytest.mark.promise("server-tools.pause-and-resume")
@pytest.mark.parametrize("model", ["claude-opus-4-6", "claude-opus-5-5"])
async def test_thoughts_of_a_paused_turn_go_on_as_one_turn(model: str) -> None:
    opened = "<thinking>\\n\\Z"
    rules = (
        says("I know both.", "All about dogs", prompt=opened),
        says("Dogs next.", "All about cats", prompt=opened),
        says("Cats first.", "Tell me", prompt=opened),
        *ROUNDS,
    )
    thinking = {
        "type": "adaptive",
        "display": "summarized",
        "block_binding": {"prefix_mismatch_behavior": "error"},
    }
    request = ask(model=model, max_tokens=4000, thinking=thinking)
    beta = "thinking-binding-controls-2026-08-01"
    async with app(*rules) as served:
        whole = await served.reply(request, beta)
        prompts = served.prompts
    assert [block["thinking"] for block in whole["content"] if block["type"] == "thinking"] == [
        "Cats first.",
        "Dogs next.",
        "I know both.",
    ]
    async with app(*rules, **limited(rounds=1)) as served:
        replies: list[Json] = []
        for _ in range(3):
            replies.append(await served.reply(resend(request, *replies), beta))
        assert [reply["stop_reason"] for reply in replies] == ["pause_turn", "pause_turn", "end_turn"]
        assert [kind for reply in replies for kind in kinds(reply)] == kinds(whole)
        assert served.prompts == prompts
        # The whole turn comes back in one piece.
        told = resend(request, {"content": [block for reply in replies for block in reply["content"]]})
        told["messages"].append({"role": "user", "content": "Thanks."})
        assert (await served.reply(told, beta))["stop_reason"] in ("end_turn", "pause_turn")


@pytest.mark.promise("server-tools.pause-turn")
async def test_a_turn_pauses_when_its_time_is_over() -> None:
    clock = FixedClock()

    async def takes_long(call: ServerCall) -> ServerResult:
        clock.time += 61
        return await finds(call)

    async with app(*ROUNDS, tools=[ScriptedTool(takes_long)], clock=clock, **limited(turn_seconds=60.0)) as served:
        first = await served.reply(ask())
        assert (kinds(first), first["stop_reason"]) == (["text", *PAIR], "pause_turn")


@pytest.mark.promise("server-tools.pause-turn")
async def test_no_turn_pauses_while_a_client_tool_waits() -> None:
    rules = (says(section(invoke("look"), invoke(query="b")), "Tell me"),)
    async with app(*rules, **limited(rounds=1)) as served:
        message = await served.reply(ask(tools=[SEARCH, LOOK]))
        assert message["stop_reason"] == "tool_use"


@pytest.mark.promise("server-tools.pause-and-resume")
async def test_a_changed_turn_goes_on_as_it_is_sent() -> None:
    async with app(
        says("Short: cats purr.", "All about cats", prompt="I looked\\."), *ROUNDS, **limited(rounds=1)
    ) as served:
        first = await served.reply(ask())
        changed = [{"type": "text", "text": "I looked."}, *first["content"][1:]]
        message = await served.reply(resend(ask(), {"content": changed}))
        assert message["content"][0]["text"] == "Short: cats purr."
        # The user may also break in.
        told = resend(ask(), first)
        told["messages"].append({"role": "user", "content": "Stop, thanks."})
        await served.reply(told)
        assert served.prompts[-1].index("All about cats") < served.prompts[-1].index("Stop, thanks.")


@pytest.mark.promise("server-tools.pause-and-resume")
async def test_a_turn_goes_on_with_other_tools_and_without_any() -> None:
    async with app(*ROUNDS, **limited(rounds=1)) as served:
        first = await served.reply(ask())
        for tools in ([SEARCH, LOOK], [LOOK], None):
            message = await served.reply(resend(ask(tools=tools), first))
            assert message["stop_reason"] in ("pause_turn", "end_turn")
            assert "All about cats" in served.prompts[-1]


@pytest.mark.promise("server-tools.waiting-calls")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_without_its_result_is_run_first(stream: bool) -> None:
    tool = ScriptedTool()
    call = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "cats"}}
    said = {"content": [{"type": "text", "text": "Let me look."}, call]}
    async with app(says("Cats purr.", "All about"), tools=[tool]) as served:
        request = resend(ask(), said)
        if stream:
            answer = await served.post({**request, "stream": True})
            opened = [event["content_block"] for event in answer.events if event["type"] == "content_block_start"]
            assert [block["type"] for block in opened] == ["web_search_tool_result", "text"]
            return
        message = await served.reply(request)
        assert kinds(message) == ["web_search_tool_result", "text"]
        assert message["content"][0]["tool_use_id"] == "srvtoolu_1"
        assert [call.input for call in tool.calls] == [{"query": "cats"}]
        [work] = served.engines["scripted"].asked
        assert message["usage"]["input_tokens"] == len(work.prompt.tokens)
        assert (await served.count(request))["input_tokens"] < len(work.prompt.tokens)


async def test_a_call_without_its_result_needs_its_tool() -> None:
    call: Json = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    own = {"name": "web_search", "input_schema": {"type": "object"}}
    async with app(says("Hm.")) as served:
        for tools in ([LOOK], [own]):
            refusal = await served.refusal(resend(ask(tools=tools), {"content": [call]}))
            assert refusal.endswith(
                "`web_search` tool use with id `srvtoolu_1` was found without a corresponding "
                "`web_search_tool_result` block but no `web_search` tool was provided"
            )


@pytest.mark.promise("server-tools.sealed-results")
async def test_what_was_found_comes_back_sealed_or_not_at_all() -> None:
    async with app(*ROUNDS, **limited(rounds=1)) as served:
        first = await served.reply(ask())
        place = "messages.1.content.2.web_search_tool_result.content.0"
        error = f"{place}: Invalid `encrypted_content` in `web_search_result` block"
        for change in (
            {"encrypted_content": "Zm9yZ2Vk"},
            {"url": "https://elsewhere.example/"},
            {"title": "Another"},
            {"encrypted_content": first["content"][2]["content"][0]["encrypted_content"][:-4] + "AAA="},
        ):
            forged = [
                *first["content"][:2],
                {**first["content"][2], "content": [{**first["content"][2]["content"][0], **change}]},
            ]
            assert await served.refusal(resend(ask(), {"content": forged})) == error


@pytest.mark.promise("server-tools.sealed-results")
async def test_a_server_with_another_key_refuses_what_it_cannot_open_or_leaves_it_out() -> None:
    async with app(*ROUNDS, **limited(rounds=1)) as served:
        first = await served.reply(ask())
    other = Seals([bytes(range(1, 33))])
    async with ThinkingApp("".join(ROUNDS), seals=other, runs=[ScriptedTool()]) as served:
        assert "encrypted_content" in await served.refusal(resend(ask(), first))


@pytest.mark.promise("server-tools.citations-in-history")
async def test_citations_of_earlier_text_are_taken_and_not_told() -> None:
    cited = {
        "type": "web_search_result_location",
        "cited_text": "Never told.",
        "url": "https://a.example/",
        "title": "A page",
        "encrypted_index": "anything",
    }
    said = [{"type": "text", "text": "Cats purr.", "citations": [cited]}]
    messages = [*ask()["messages"], {"role": "assistant", "content": said}, {"role": "user", "content": "More."}]
    async with app(says("Yes.", "More")) as served:
        await served.reply(ask(messages))
        assert "Cats purr." in served.prompts[0]
        assert "Never told." not in served.prompts[0]


async def test_a_text_behind_a_result_is_what_the_model_goes_on_from() -> None:
    async with app(says("purr.", prompt="Cats\\Z"), *ROUNDS, **limited(rounds=1)) as served:
        first = await served.reply(ask())
        message = await served.reply(
            resend(ask(), {"content": [*first["content"], {"type": "text", "text": "Cats"}]})
        )
        assert message["content"][0]["text"] == "purr."

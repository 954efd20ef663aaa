"""A server tool that the API does not have, added by the server's owner."""

from typing import Any

import pytest

from antiphon.config import TurnLimits
from antiphon.dialogue.tools import Call
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.render.families import FAMILIES
from antiphon.render.families.syntax import Family
from antiphon.render.prompt.calls import write_calls
from antiphon.wire.base import MOST_NESTED
from tests.render.families.cases import HERE
from tests.service.server_tools import ScriptedTool
from tests.web.searching_app import SEARCH, app, ask, invoke, kinds, resend, says, section
from tests.web.thinking_app import ThinkingApp

Json = dict[str, Any]

DICE: Json = {"type": "dice_20261127", "name": "dice", "sides": 20}
PAIR = ["server_tool_use", "dice_tool_result"]
ROLL = section(invoke("dice", count="2"))


async def rolls(call: ServerCall) -> ServerResult:
    if call.input["count"] > 2:
        raise ToolProblem("too_many_dice")
    return ServerResult({"type": "dice_result", "rolls": [call.settings["sides"], 3]})


def dice() -> ScriptedTool:
    schema = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}
    return ScriptedTool(rolls, "dice", ("dice_",), "dice_tool_result", "dice_tool_result_error", schema)


@pytest.mark.promise("server-tools.own")
async def test_a_tool_of_the_owners_own_runs_like_any_other() -> None:
    async with app(says("A 20 and a 3.", "20, 3"), says(ROLL, "Roll"), tools=[dice(), ScriptedTool()]) as served:
        request = ask("Roll!", tools=[SEARCH, DICE])
        message = await served.reply(request)
        assert kinds(message) == [*PAIR, "text"]
        assert message["content"][0]["name"] == "dice"
        assert message["content"][1] == {
            "type": "dice_tool_result",
            "tool_use_id": message["content"][0]["id"],
            "content": {"type": "dice_result", "rolls": [20, 3]},
            "caller": {"type": "direct"},
        }
        assert message["usage"]["server_tool_use"] == {"web_search_requests": 0, "web_fetch_requests": 0}
        again = resend(request, message)
        again["messages"].append({"role": "user", "content": "Thanks."})
        assert (await served.reply(again))["stop_reason"] == "end_turn"
        assert (await served.count(again))["input_tokens"] > 0


@pytest.mark.promise("server-tools.own")
async def test_its_errors_reach_the_model_and_its_turns_pause() -> None:
    three = section(invoke("dice", count="3"))
    rules = (says("Too many.", "too_many_dice"), says(three, "Roll"))
    async with app(*rules, tools=[dice()], turn=TurnLimits(rounds=1)) as served:
        request = ask("Roll!", tools=[DICE])
        first = await served.reply(request)
        assert (kinds(first), first["stop_reason"]) == (PAIR, "pause_turn")
        assert first["content"][1]["content"] == {"type": "dice_tool_result_error", "error_code": "too_many_dice"}
        second = await served.reply(resend(request, first))
        assert second["content"][0]["text"] == "Too many."
        waiting = {"content": first["content"][:1]}
        third = await served.reply(resend(request, waiting))
        assert kinds(third) == ["dice_tool_result", "text"]
        refusal = await served.refusal(resend(ask("Roll!", tools=None), waiting))
        assert refusal.endswith("corresponding `dice_tool_result` block but no `dice` tool was provided")
        orphan = {"content": first["content"][1:]}
        assert "unexpected `tool_use_id` found in `dice_tool_result` blocks" in await served.refusal(
            resend(request, orphan)
        )
        misplaced = ask([{"role": "user", "content": first["content"][1:]}], tools=[DICE])
        assert "`dice_tool_result` blocks can only be in `assistant` messages" in await served.refusal(misplaced)


@pytest.mark.promise("server-tools.own")
async def test_without_the_tool_its_words_are_unknown() -> None:
    async with app(says("Hm.")) as served:
        assert "dice_20261127" in await served.refusal(ask("Roll!", tools=[DICE]))
        call: Json = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "dice", "input": {}}
        assert "server_tool_use.name: Input should be" in await served.refusal(
            resend(ask("Roll!"), {"content": [call]})
        )
    async with app(says("Hm."), tools=[dice()]) as served:
        nameless = {key: value for key, value in DICE.items() if key != "name"}
        assert "name" in await served.refusal(ask("Roll!", tools=[nameless]))


BOX: Json = {"type": "box_20261128", "name": "box"}
ANY_INPUT: Json = {"type": "object", "properties": {"what": {"type": "array"}}}
TEMPLATES = {path.stem: path.read_text(encoding="utf-8") for path in (HERE / "templates").glob("*.jinja")}
TOLD = [family for family in FAMILIES if family.name in TEMPLATES]


async def packs(call: ServerCall) -> ServerResult:
    return ServerResult({"type": "box_result", "packed": True})


def boxes(levels: int, tool: ScriptedTool, family: Family) -> ThinkingApp:
    """An app whose model calls the tool once, with so many lists in each other."""
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    call = write_calls(family.syntax, [Call("toolu_1", "box", {"what": value})], [tool.told({})])
    return ThinkingApp(says(call, times=1) + says("Well."), template=TEMPLATES[family.name], runs=[tool])


@pytest.mark.promise("server-tools.broken-input")
@pytest.mark.parametrize("family", TOLD, ids=lambda family: family.name)
@pytest.mark.parametrize(
    ("levels", "runs"), [(90, True), (MOST_NESTED - 1, False), (MOST_NESTED, False), (300, False)]
)
async def test_input_nested_too_deep_is_not_run_and_the_conversation_goes_on(
    family: Family, levels: int, runs: bool
) -> None:
    tool = ScriptedTool(packs, "box", ("box_",), "box_tool_result", "box_tool_result_error", ANY_INPUT)
    async with boxes(levels, tool, family) as served:
        request = ask("Pack!", tools=[BOX], model="scripted")
        message = await served.reply(request)
        assert kinds(message) == ["server_tool_use", "box_tool_result", "text"]
        error = {"type": "box_tool_result_error", "error_code": "invalid_tool_input"}
        assert message["content"][1]["content"] == ({"type": "box_result", "packed": True} if runs else error)
        assert len(tool.calls) == runs
        again = resend(request, message)
        again["messages"].append({"role": "user", "content": "Well?"})
        assert kinds(await served.reply(again)) == ["text"]

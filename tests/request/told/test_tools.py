"""Tools, calls and results on their way to the neutral conversation."""

from typing import Any

import orjson
import pytest

from antiphon.dialogue.conversation import Conversation, Reasoning, Text, Turn
from antiphon.dialogue.tools import Call, Choice, Result
from antiphon.request.intake import parse_create
from tests.request.requests import TOOL, Json, assistant, body, call, context, result, text, told_of, user

OTHER: Json = {"name": "get_place", "description": "Where we are.", "input_schema": {"type": "object"}}

LATER: Json = {**OTHER, "name": "later", "defer_loading": True}

FORM: Json = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}


def lowered(*messages: Json, **more: Any) -> Conversation:
    headers = context("advanced-tool-use-2025-11-20", "structured-outputs-2025-11-13")
    return told_of(parse_create(orjson.dumps(body(*messages, **more)), headers), headers)


def names(conversation: Conversation) -> list[str]:
    return [tool.name for tool in conversation.tools]


def test_tools_keep_their_order_and_what_the_client_says_of_them() -> None:
    tool = {**TOOL, "description": "The time.", "strict": True, "input_examples": [{"zone": "UTC"}]}
    first, second = lowered(tools=[tool, OTHER]).tools
    assert (first.name, first.description, first.strict) == ("get_time", "The time.", True)
    assert (first.schema, first.examples) == (TOOL["input_schema"], ({"zone": "UTC"},))
    assert (second.name, second.description, second.strict) == ("get_place", "Where we are.", False)


@pytest.mark.promise("adapter.plain-is-the-base")
@pytest.mark.parametrize(
    ("messages", "more", "plain"),
    [
        pytest.param((user("Hi"),), {}, True, id="talk"),
        pytest.param((user("Hi"), assistant("Hello."), user("Bye")), {"system": "Be brief."}, True, id="more talk"),
        pytest.param((user("Hi"),), {"tools": []}, True, id="no tools"),
        pytest.param((user("Hi"),), {"tools": [TOOL]}, False, id="tools"),
        pytest.param(
            (user("Hi"),), {"tools": [TOOL], "tool_choice": {"type": "none"}}, False, id="tools that may not be called"
        ),
        pytest.param(
            (user("Hi"), assistant([call("a")]), user([result("a")])), {"tools": [TOOL]}, False, id="calls and results"
        ),
        pytest.param(
            (user("Hi"),), {"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024}}, False,
            id="a thought to come",
        ),
    ],
)  # fmt: skip
def test_a_conversation_is_plain_that_has_neither_tools_nor_thoughts(messages: Any, more: Json, plain: bool) -> None:
    assert lowered(*messages, **more).plain == plain


@pytest.mark.promise("adapter.plain-is-the-base")
@pytest.mark.parametrize("part", [Call("a", "get_time", {}), Result("a", "get_time", "12"), Reasoning("Hm.")])
def test_tools_and_thoughts_of_earlier_turns_count(part: Any) -> None:
    assert Conversation((), (Turn("user", (Text("Hi"),)),)).plain
    assert not Conversation((), (Turn("user", (Text("Hi"), part)),)).plain


@pytest.mark.promise("tools.typed")
def test_the_api_s_own_client_tools_come_with_a_schema() -> None:
    (tool,) = lowered(tools=[{"type": "bash_20250124", "name": "bash"}]).tools
    assert tool.name == "bash"
    assert "command" in tool.schema["properties"]
    assert tool.description


@pytest.mark.promise("tool-choice.auto-and-none")
@pytest.mark.parametrize(
    ("asked", "choice"),
    [
        (None, Choice("auto")),
        ({"type": "auto"}, Choice("auto")),
        ({"type": "auto", "disable_parallel_tool_use": True}, Choice("auto", parallel=False)),
        ({"type": "any", "disable_parallel_tool_use": False}, Choice("any")),
        ({"type": "tool", "name": "get_time"}, Choice("tool", "get_time")),
        (
            {"type": "tool", "name": "get_time", "disable_parallel_tool_use": True},
            Choice("tool", "get_time", parallel=False),
        ),
        ({"type": "none"}, Choice("none")),
    ],
)
def test_the_choice_is_the_request_s(asked: Json | None, choice: Choice) -> None:
    more = {} if asked is None else {"tool_choice": asked}
    assert lowered(tools=[TOOL], **more).choice == choice


def test_calls_and_results_keep_their_places_among_the_texts() -> None:
    conversation = lowered(
        user("a"),
        assistant([text("b"), call("toolu_1", input={"zone": "x"}), call("toolu_2")]),
        user([result("toolu_2", "two", is_error=True), result("toolu_1"), text("c")]),
        tools=[TOOL],
    )
    assert conversation.turns[1:] == (
        Turn("assistant", (Text("b"), Call("toolu_1", "get_time", {"zone": "x"}), Call("toolu_2", "get_time", {}))),
        Turn(
            "user",
            (
                Result("toolu_2", "get_time", "two", is_error=True),
                Result("toolu_1", "get_time", "noon"),
                Text("c"),
            ),
        ),
    )


@pytest.mark.promise("tool-results.blocks")
@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("plain", "plain"),
        ("", ""),
        (None, ""),
        ([], ""),
        ([text("one"), text("two")], "one\ntwo"),
    ],
)
def test_a_result_is_told_with_all_its_text(content: Any, told: str) -> None:
    block = result("toolu_1", content)
    if content is None:
        del block["content"]
    conversation = lowered(user(), assistant([call("toolu_1")]), user([block]), tools=[TOOL])
    assert conversation.turns[-1].parts == (Result("toolu_1", "get_time", told),)


@pytest.mark.promise("tools.deferred")
def test_a_deferred_tool_is_there_once_a_result_has_found_it() -> None:
    tools = [TOOL, LATER]
    assert names(lowered(tools=tools)) == ["get_time"]
    found = [{"type": "tool_reference", "tool_name": "later"}]
    conversation = lowered(user(), assistant([call("toolu_1")]), user([result("toolu_1", found)]), tools=tools)
    assert names(conversation) == ["get_time", "later"]
    assert [tool.deferred for tool in conversation.tools] == [False, True]
    assert conversation.turns[-1].parts == (Result("toolu_1", "get_time", "", found=("later",)),)


def test_a_deferred_tool_that_must_be_called_is_there() -> None:
    assert names(lowered(tools=[TOOL, LATER], tool_choice={"type": "tool", "name": "later"})) == ["get_time", "later"]


@pytest.mark.parametrize(
    "more",
    [
        {"output_config": {"format": {"type": "json_schema", "schema": FORM}}},
        {"output_format": {"type": "json_schema", "schema": FORM}},
    ],
    ids=["output_config", "output_format"],
)
def test_the_form_of_the_answer_is_the_request_s(more: Json) -> None:
    assert lowered(**more).shape == FORM
    assert lowered().shape is None

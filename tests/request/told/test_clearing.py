"""Which results an edit takes out of a conversation, and what it leaves."""

from typing import Any

import orjson
import pytest

from antiphon.dialogue.conversation import Conversation
from antiphon.dialogue.tools import Call, Result
from antiphon.request.case import Case
from antiphon.request.intake import parse_create
from antiphon.request.told.clearing import CLEARED, clear, clearing_edits, is_due
from antiphon.wire.request import CreateMessage
from tests.request.requests import Json, assistant, body, call, context, local, result, told_of, tool, user

CLEARING = "context-management-2025-06-27"


def parsed(request: Json) -> CreateMessage:
    return parse_create(orjson.dumps(request), context(CLEARING))


def edited(*messages: Json, tools: Any, **edit: Any) -> tuple[Conversation | None, Conversation, int]:
    """What an edit leaves of a conversation, the conversation, and how many uses were cleared."""
    settings = {"edits": [{"type": "clear_tool_uses_20250919", **edit}]}
    request = parsed(body(user(), *messages, tools=tools, context_management=settings))
    case = Case(request, local(), context(CLEARING))
    whole = told_of(request, context(CLEARING), local())
    [found] = clearing_edits(case)
    cleared = clear(found, case, whole)
    return (None, whole, 0) if cleared is None else (cleared.conversation, whole, cleared.uses)


def parts(conversation: Conversation | None, kind: type[Any]) -> list[Any]:
    assert conversation is not None
    return [part for turn in conversation.turns for part in turn.parts if isinstance(part, kind)]


TWO = (
    assistant([call("toolu_1", "a"), call("toolu_2", "a")]),
    user([result("toolu_1"), result("toolu_2", is_error=True)]),
)
KEEP_NONE = {"type": "tool_uses", "value": 0}


@pytest.mark.promise("context.clear-tool-uses")
def test_three_uses_are_kept_by_default_and_what_a_cleared_one_says_besides_its_content_stays() -> None:
    left, _, uses = edited(*TWO, tools=[tool("a")])
    assert (left, uses) == (None, 0)
    left, whole, uses = edited(*TWO, tools=[tool("a")], keep=KEEP_NONE)
    assert uses == 2
    assert [(one.text, one.is_error, one.parts) for one in parts(left, Result)] == [
        (CLEARED, False, ()),
        (CLEARED, True, ()),
    ]
    assert [one.call_id for one in parts(left, Result)] == [one.call_id for one in parts(whole, Result)]


@pytest.mark.promise("context.clears-inputs")
def test_the_inputs_of_the_named_tools_go() -> None:
    told = [{**call("toolu_1", "a"), "input": {"x": 1}}, {**call("toolu_2", "b"), "input": {"x": 2}}]
    messages = (assistant(told), user([result("toolu_1"), result("toolu_2")]))
    left, _, _ = edited(*messages, tools=[tool("a"), tool("b")], keep=KEEP_NONE, clear_tool_inputs=["b"])
    assert [one.input for one in parts(left, Call)] == [{"x": 1}, {}]


@pytest.mark.promise("context.clears-not-excluded")
def test_a_toolset_is_excluded_by_its_own_name_and_by_that_of_a_member() -> None:
    computer: Json = {"type": "computer_toolset_20260801"}
    used = {**call("toolu_1", "screenshot"), "toolset_name": "computer"}
    messages = (assistant([used]), user([result("toolu_1")]))
    for excluded, cleared in ((["computer"], 0), (["screenshot"], 0), (["other"], 1)):
        assert edited(*messages, tools=[computer], keep=KEEP_NONE, exclude_tools=excluded)[2] == cleared


def test_the_trigger_is_passed_and_not_only_reached() -> None:
    request = parsed(
        body(user(), *TWO, tools=[tool("a")], context_management={"edits": [{"type": "clear_tool_uses_20250919"}]})
    )
    case = Case(request, local(), context(CLEARING))
    [edit] = clearing_edits(case)
    told = told_of(request, context(CLEARING), local())
    assert [is_due(edit, told, tokens) for tokens in (100_000, 100_001)] == [False, True]

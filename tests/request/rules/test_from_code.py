"""Calls that code has made, and tools that it may call: what a request may say of them."""

from collections.abc import Callable

import orjson
import pytest

from antiphon.ports.server_tools import ServerTools
from antiphon.request.case import Case, Issue
from antiphon.request.intake import parse_create
from antiphon.request.rules import from_code
from tests.request.requests import Json, assistant, body, call, context, image, local, result, server_call, tool, user

CELLS = {"type": "code_execution_20260521", "name": "code_execution"}
BY_CODE = {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}
CODE = server_call("srvtoolu_1", "code_execution")
FOR_CODE = tool("a", allowed_callers=["code_execution_20260120"])


def judged(rule: Callable[[Case], Issue | None], request: Json, *, calls_from_code: bool = True) -> str | None:
    tools = ServerTools(calls_from_code=calls_from_code)
    parsed = parse_create(orjson.dumps(request), context())
    issue = rule(Case(parsed, local(), context(), server_tools=tools))
    return None if issue is None else issue.message


@pytest.mark.promise("programmatic-calling.answers-only")
def test_the_code_of_a_call_stands_before_it() -> None:
    called = call("toolu_1", caller=BY_CODE)
    rule = from_code.calls_have_their_code
    assert judged(rule, body(user(), assistant([CODE, called]))) is None
    assert judged(rule, body(user(), assistant([call("toolu_1", caller={"type": "direct"})]))) is None
    refused = "messages.1.content.0: source tool `srvtoolu_1` not found for tool use block `toolu_1`"
    assert judged(rule, body(user(), assistant([called]))) == refused
    assert judged(rule, body(user(), assistant([called, CODE]))) == refused


@pytest.mark.promise("programmatic-calling.answers-only")
def test_code_is_answered_with_text_and_a_model_with_anything() -> None:
    by_code, direct = call("toolu_1", caller=BY_CODE), call("toolu_2")
    rule = from_code.results_for_code_are_text

    def answers(*given: Json) -> Json:
        return body(user(), assistant([CODE, by_code, direct]), user(list(given)))

    assert judged(rule, answers(result("toolu_1"), result("toolu_2", [image()]))) is None
    assert judged(rule, answers(result("toolu_2"), result("toolu_1", [{"type": "text", "text": "a"}, image()]))) == (
        "messages.2.content.1.tool_result.content.1: results of tools that code has called support text only"
    )


@pytest.mark.promise("programmatic-calling.refused")
def test_one_call_at_a_time_is_refused_only_where_code_could_call() -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    both = tool("a", allowed_callers=["direct", "code_execution_20260120"])
    assert judged(from_code.tools_for_code, body(tools=[both], tool_choice=choice)) is None
    assert str(judged(from_code.tools_for_code, body(tools=[both, CELLS], tool_choice=choice))).startswith(
        "tool_choice.disable_parallel_tool_use: true is not supported"
    )
    named = {"type": "tool", "name": "a"}
    assert judged(from_code.tools_for_code, body(tools=[both, CELLS], tool_choice=named)) is None


@pytest.mark.promise("programmatic-calling.refused")
def test_a_tool_for_code_alone_needs_code_that_can_call_it() -> None:
    assert judged(from_code.unbuilt, body(tools=[FOR_CODE, CELLS])) is None
    assert judged(from_code.unbuilt, body(tools=[FOR_CODE])) == (
        "tools.0.allowed_callers: calls from code need the tool code_execution_20260120, or a newer one"
    )
    yet = "tools.0.allowed_callers: calls from code are not supported by this server yet."
    assert judged(from_code.unbuilt, body(tools=[FOR_CODE, CELLS]), calls_from_code=False) == yet
    search = {"type": "web_search_20260209", "name": "web_search", "allowed_callers": ["code_execution_20260120"]}
    assert judged(from_code.unbuilt, body(tools=[search, CELLS])) == yet

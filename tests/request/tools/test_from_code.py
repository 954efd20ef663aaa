"""Tools as the code finds them, and what it is answered."""

import orjson
import pytest

from antiphon.dialogue.tools import Tool
from antiphon.ports.server_tools import ServerTools
from antiphon.request.case import Case
from antiphon.request.intake import parse_create
from antiphon.request.tools.from_code import answers_for, called_from_code, functions_of, resumes_code, told_tools
from antiphon.request.tools.server_calls import waiting
from tests.request.requests import Json, assistant, body, call, context, local, result, server_call, tool, user

CELLS = {"type": "code_execution_20260120", "name": "code_execution"}
BY_CODE = {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}
CODE = server_call("srvtoolu_1", "code_execution")


def case_of(request: Json, *, calls_from_code: bool = True) -> Case:
    parsed = parse_create(orjson.dumps(request), context())
    return Case(parsed, local(), context(), server_tools=ServerTools(calls_from_code=calls_from_code))


def told(*names: str) -> list[tuple[Tool, str]]:
    return [(Tool(name, f"Does {name}.", {"type": "object"}), f"tools.{n}") for n, name in enumerate(names)]


NAMES = ("code_execution", "read-file", "read_file", "class", "2nd", "plain")


def definitions() -> list[Json]:
    made = [tool(name, allowed_callers=["code_execution_20260521"]) for name in NAMES[1:-1]]
    return [CELLS, *made, tool("plain")]


@pytest.mark.promise("programmatic-calling.direct-only")
def test_each_tool_for_code_is_a_function_with_a_name_of_its_own() -> None:
    case = case_of(body(tools=definitions()))
    assert functions_of(case, told(*NAMES)) == {
        "read_file": "read-file",
        "read_file_": "read_file",
        "_class": "class",
        "_2nd": "2nd",
    }
    assert functions_of(case_of(body(tools=definitions()), calls_from_code=False), told(*NAMES)) == {}
    assert functions_of(case_of(body(tools=definitions()[1:])), told(*NAMES[1:])) == {}


@pytest.mark.promise("programmatic-calling.direct-only")
def test_the_model_hears_of_functions_where_it_hears_of_code() -> None:
    (code, _), (plain, _) = told_tools(case_of(body(tools=definitions())), told(*NAMES))
    assert plain.name == "plain"
    assert "async def read_file_(input: dict) -> str\nDoes read_file." in code.description
    assert "plain" not in code.description
    gone = [(Tool("a", "", {}, withdrawn=True), "tools.1")]
    alone = case_of(body(tools=[CELLS, tool("a", allowed_callers=["code_execution_20260120"])]))
    assert functions_of(alone, gone) == {}


@pytest.mark.promise("programmatic-calling.loop")
def test_code_that_has_called_goes_on_with_the_last_answers_alone() -> None:
    one, two = call("toolu_1", caller=BY_CODE), call("toolu_2", caller=BY_CODE)
    texts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    case = case_of(
        body(
            user(),
            assistant([CODE, one]),
            user([result("toolu_1", "first")]),
            assistant([two, call("toolu_3")]),
            user([result("toolu_2", texts), result("toolu_3", "direct")]),
            tools=[CELLS],
        )
    )
    assert called_from_code(case) == {"toolu_1": "srvtoolu_1", "toolu_2": "srvtoolu_1"}
    answers = answers_for(case, "srvtoolu_1")
    assert (answers.texts, answers.begun) == ({"toolu_2": "a\nb"}, True)
    assert answers_for(case, "srvtoolu_2").begun is False
    assert resumes_code(case, waiting(case))
    assert not resumes_code(case, ())

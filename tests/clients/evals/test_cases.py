"""The files of cases: what a line may hold, and which cases are taken."""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from antiphon.clients.evals.cases import (
    CHAT,
    SOURCES,
    Call,
    CasesError,
    Passage,
    Search,
    choose,
    read_chat,
    read_sources,
    read_tools,
)
from antiphon.clients.evals.scoring import Reply, judge

CASES = Path(__file__).with_name("cases.jsonl")

SOUND: Mapping[str, Any] = {
    "id": "a",
    "category": "single",
    "request": {"tools": [{"name": "t"}], "messages": [{"role": "user", "content": "Hi"}]},
    "expect": {"calls": [{"name": "t", "input": {"x": 1}}], "says": ["y"]},
}


def line(**changed: Any) -> str:
    return json.dumps({key: value for key, value in {**SOUND, **changed}.items() if value is not None})


@pytest.mark.promise("eval.cases")
def test_a_case_is_a_request_with_what_is_right():
    (case,) = read_tools(line(), "x.jsonl")
    assert (case.id, case.category, case.calls, case.says) == ("a", "single", (Call("t", {"x": 1}),), ("y",))
    assert case.request == SOUND["request"]


def test_a_request_with_an_empty_list_of_tools_is_one_without_tools():
    (case,) = read_tools(line(request={"tools": [], "messages": [{"role": "user", "content": "Hi"}]}), "x")
    assert case.request.keys() == {"messages"}


def test_a_line_may_hold_the_line_ends_of_other_scripts_and_lines_may_be_empty():
    text = f"\n{line()}\n\n" + line(id="b").replace("Hi", "a\u2028b") + "\n"
    assert [case.id for case in read_tools(text, "x")] == ["a", "b"]


@pytest.mark.promise("eval.cases")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "x.jsonl: there are no cases in it", id="empty"),
        pytest.param("\n{", "x.jsonl, line 2: this is not JSON", id="no JSON"),
        pytest.param("[]", "line 1: this must be an object", id="list"),
        pytest.param(line(id=None), "'id' must be a text", id="no id"),
        pytest.param(line(more=1), r"unknown key 'more' \(allowed: id, category, request, expect\)", id="key"),
        pytest.param(f"{line()}\n{line()}", "line 2: there is another case a", id="twice"),
        pytest.param(line(request={"tools": []}), "line 1, request: 'messages' must be a list", id="no messages"),
        pytest.param(line(request={**SOUND["request"], "model": "m"}), "unknown key 'model'", id="model"),
        pytest.param(line(expect={}), "line 1, expect: 'calls' must be a list", id="no calls"),
        pytest.param(line(expect={"calls": [{"name": "t"}]}), "line 1, expect, calls: 'input'", id="no input"),
        pytest.param(line(expect={"calls": [], "says": []}), "'says' must be a list of texts", id="says nothing"),
    ],
)
def test_a_wrong_line_is_named_with_its_number(text: str, words: str):
    with pytest.raises(CasesError, match=words):
        read_tools(text, "x.jsonl")


def test_cases_are_taken_by_category_and_evenly():
    cases = read_tools("\n".join(line(id=str(n), category="ab"[n // 5]) for n in range(10)), "x")
    assert [case.id for case in choose(cases, (), 5)] == ["0", "2", "4", "6", "8"]
    assert [case.id for case in choose(cases, ("b",), 2)] == ["5", "7"]
    assert choose(cases, (), 11) == cases
    with pytest.raises(CasesError, match=r"no category 'c' \(there are: a, b\)"):
        choose(cases, ("a", "c"), None)


def test_the_questions_that_ship_are_sound_and_no_fact_is_told_by_its_question():
    questions = read_chat(files("antiphon.clients.evals").joinpath(CHAT.file).read_text("utf-8"), CHAT.file)
    assert len(questions) >= 40
    facts = [case for case in questions if case.category == "facts"]
    told = [case.id for case in facts if judge(case, Reply(text=case.request["messages"][0]["content"])).is_right]
    assert told == []


def test_the_cases_of_the_tests_cover_what_is_measured():
    cases = read_tools(CASES.read_text("utf-8"), CASES.name)
    assert {case.category for case in cases} == {"single", "several", "none", "ask", "result"}


ASKED: Mapping[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}
CITING: Mapping[str, Any] = {"cites": [{"source": 1, "text": "Yes."}], "says": ["yes"]}
FINDING: Mapping[str, Any] = {"finds": "get_weather", "calls": ""}


@pytest.mark.promise("eval.cases")
def test_a_case_of_sources_says_what_must_be_cited_or_found():
    text = (
        f"{line(request=ASKED, expect=CITING)}\n{line(id='b', deferred=30, request=SOUND['request'], expect=FINDING)}"
    )
    citing, finding = read_sources(text, "x.jsonl")
    assert (citing.cites, citing.says, citing.search, citing.calls) == ((Passage(1, "Yes."),), ("yes",), None, None)
    assert (finding.cites, finding.search, finding.calls) == ((), Search("get_weather", ""), None)
    own, *deferred = finding.request["tools"]
    assert (own, len(deferred)) == ({"name": "t"}, 30)
    assert all(tool["defer_loading"] is True for tool in deferred)


@pytest.mark.promise("eval.cases")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(line(request=ASKED, expect={"cites": []}), "'cites' must name what must be cited", id="nothing"),
        pytest.param(line(request=SOUND["request"], expect=CITING), "unknown key 'tools'", id="tools"),
        pytest.param(
            line(request=ASKED, expect={"cites": [{"source": -1, "text": "a"}]}),
            "expect, cites: 'source' must be a whole number from 0 on",
            id="source",
        ),
        pytest.param(
            line(deferred=True, request=SOUND["request"], expect=FINDING), "'deferred' must be a whole", id="count"
        ),
        pytest.param(
            line(deferred=3, request=SOUND["request"], expect={"finds": "a"}), "'calls' must be a text", id="no call"
        ),
    ],
)
def test_a_wrong_line_of_sources_is_named_too(text: str, words: str):
    with pytest.raises(CasesError, match=words):
        read_sources(text, "x.jsonl")


def test_the_cases_of_sources_that_ship_are_sound():
    cases = read_sources(files("antiphon.clients.evals").joinpath(SOURCES.file).read_text("utf-8"), SOURCES.file)
    assert len(cases) >= 20
    for case in cases:
        if case.search is not None:
            loaded = {tool["name"] for tool in case.request["tools"] if not tool.get("defer_loading")}
            deferred = {tool["name"] for tool in case.request["tools"]} - loaded
            assert len(deferred) >= 30
            assert {case.search.finds} - {""} <= deferred, case.id
            assert {case.search.calls} - {"", case.search.finds} <= loaded, case.id
            continue
        *sources, question = case.request["messages"][0]["content"]
        (wanted,) = case.cites
        assert [wanted.text in json.dumps(one, ensure_ascii=False) for one in sources].index(True) == wanted.source
        assert judge(case, Reply(text=wanted.text)).verdict["answer"], case.id
        assert not judge(case, Reply(text=question["text"])).verdict["answer"], case.id

"""What counts as right."""

from typing import Any

import pytest

from antiphon.clients.evals.cases import Call, Case, Passage, Search
from antiphon.clients.evals.scoring import METRICS, TOTAL, Reply, Score, judge, tally

PARIS = Call("weather", {"city": "Paris", "days": 2})

ROME = Call("weather", {"city": "Rome"})

CLOCK = Call("clock", {})


def case(*calls: Call, says: tuple[str, ...] = (), category: str = "c", words: bool = False) -> Case:
    return Case("id", category, {}, calls, says, whole_words=words)


def verdict(case: Case, *calls: Call, text: str = "", error: str = "") -> tuple[bool | None, ...]:
    """Decision, tool, arguments, answer; None where a metric does not apply."""
    judged = judge(case, Reply(calls, text, error)).verdict
    return tuple(judged.get(metric) for metric in METRICS)


@pytest.mark.promise("eval.scores")
@pytest.mark.parametrize(
    ("wanted", "called", "right"),
    [
        pytest.param((PARIS,), (PARIS,), (True, True, True, None), id="the call"),
        pytest.param((PARIS, CLOCK), (CLOCK, PARIS), (True, True, True, None), id="another order"),
        pytest.param((PARIS,), (ROME,), (True, True, False, None), id="other arguments"),
        pytest.param((PARIS,), (CLOCK,), (True, False, False, None), id="another tool"),
        pytest.param((PARIS,), (PARIS, PARIS), (True, False, False, None), id="twice"),
        pytest.param((PARIS, PARIS), (PARIS,), (True, False, False, None), id="once of twice"),
        pytest.param((PARIS,), (), (False, False, False, None), id="no call"),
        pytest.param((), (), (True, None, None, None), id="rightly nothing"),
        pytest.param((), (PARIS,), (False, None, None, None), id="wrongly something"),
    ],
)
def test_calls_are_compared_as_a_multiset(wanted: tuple[Call, ...], called: tuple[Call, ...], right: object):
    assert verdict(case(*wanted), *called) == right


@pytest.mark.promise("eval.scores")
@pytest.mark.parametrize(
    ("wanted", "given", "equal"),
    [
        (2, 2.0, True),
        (2, "2", False),
        (1, True, False),
        (0, False, False),
        (True, True, True),
        (None, None, True),
        (None, False, False),
        ("Paris", "paris", False),
        ("Paris", "Paris ", False),
        ([1, 2], [1.0, 2.0], True),
        ([1, 2], [2, 1], False),
        ([], {}, False),
        ({"a": [True], "b": {}}, {"b": {}, "a": [True]}, True),
        ({"a": [True]}, {"a": [1]}, False),
        ({"a": 1}, {"a": 1, "b": None}, False),
    ],
)
def test_arguments_are_equal_when_they_are_the_same_json(wanted: Any, given: Any, equal: bool):
    assert verdict(case(Call("t", {"x": wanted})), Call("t", {"x": given}))[2] is equal


@pytest.mark.promise("eval.scores")
@pytest.mark.parametrize(
    ("says", "text", "words", "right"),
    [
        (("which city", "where"), "Which CITY do you mean?", False, True),
        (("which city", "where"), "Sure.", False, False),
        (("4",), "That is 14.", False, True),
        (("4",), "That is 14.", True, False),
        (("4", "four"), "2 + 2 = 4.", True, True),
        (("H2O",), "(h2o)", True, True),
    ],
)
def test_an_answer_has_one_of_the_accepted_texts(says: tuple[str, ...], text: str, words: bool, right: bool):
    assert verdict(case(says=says, words=words), text=text) == (True, None, None, right)


@pytest.mark.promise("eval.scores")
def test_what_could_not_be_asked_is_wrong_in_everything_that_would_have_been_looked_at():
    assert verdict(case(PARIS, says=("x",)), error="500") == (False, False, False, False)
    assert verdict(case(), error="500") == (False, None, None, None)


def test_a_question_without_tools_is_judged_by_its_answer_alone():
    assert judge(Case("id", "c", {}, None, ("Paris",)), Reply(text="Paris.")).verdict == {"answer": True}


OAK, POND = Passage(0, "The tree is an oak."), Passage(1, "No dogs.")


@pytest.mark.promise("eval.sources")
@pytest.mark.parametrize(
    ("cited", "right"),
    [
        pytest.param((OAK, POND), (True, True), id="what was wanted"),
        pytest.param((POND, Passage(0, "The tree is an oak. "), OAK), (True, True), id="again, in another order"),
        pytest.param((OAK,), (True, False), id="not all"),
        pytest.param((OAK, POND, Passage(1, "Entry is free.")), (True, False), id="more"),
        pytest.param((OAK, Passage(0, "No dogs.")), (True, False), id="the words of another document"),
        pytest.param((OAK, Passage(1, "No dogs. Entry is free.")), (True, False), id="too wide"),
        pytest.param((), (False, False), id="nothing"),
    ],
)
def test_citations_are_right_when_they_are_the_passages_wanted_and_no_others(
    cited: tuple[Passage, ...], right: tuple[bool, bool]
):
    judged = judge(Case("id", "c", {}, None, cites=(OAK, POND)), Reply(cites=cited)).verdict
    assert judged == {"cites": right[0], "place": right[1]}


@pytest.mark.promise("eval.sources")
@pytest.mark.parametrize(
    ("wanted", "reply", "right"),
    [
        pytest.param(Search("a", "a"), Reply((Call("a", {}),), searches=1, found=("b", "a")), (True, True, True), id="all"),
        pytest.param(Search("a", "a"), Reply((Call("b", {}),), searches=2, found=("b", "a")), (True, True, False), id="another called"),
        pytest.param(Search("a", "a"), Reply((Call("a", {}), Call("b", {})), searches=1, found=("b",)), (True, False, False), id="both called"),
        pytest.param(Search("a", "a"), Reply(searches=1), (True, False, False), id="nothing found"),
        pytest.param(Search("a", "a"), Reply(text="No."), (False, False, False), id="no search"),
        pytest.param(Search("a", "a"), Reply(error="500"), (False, False, False), id="error"),
        pytest.param(Search("", "c"), Reply((Call("c", {}),)), (True, None, True), id="rightly no search"),
        pytest.param(Search("", ""), Reply((Call("c", {}),), searches=1), (False, None, False), id="wrongly all"),
        pytest.param(Search("", ""), Reply(text="Hello."), (True, None, True), id="rightly nothing"),
    ],
)  # fmt: skip
def test_a_search_is_right_when_it_has_to_be_made_and_finds_the_tool_that_is_called(
    wanted: Search, reply: Reply, right: object
):
    judged = judge(Case("id", "c", {}, None, search=wanted), reply).verdict
    assert tuple(judged.get(metric) for metric in ("search", "found", "called")) == right


def test_scores_are_counted_by_category_and_in_all():
    outcomes = [
        judge(case(PARIS, category="one"), Reply((PARIS,))),
        judge(case(PARIS, category="one"), Reply()),
        judge(case(category="two"), Reply()),
    ]
    assert tally(outcomes) == {
        "one": {"decision": Score(1, 2), "tool": Score(1, 2), "arguments": Score(1, 2)},
        "two": {"decision": Score(1, 1)},
        TOTAL: {"decision": Score(2, 3), "tool": Score(1, 2), "arguments": Score(1, 2)},
    }

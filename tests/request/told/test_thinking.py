"""How much a reply may think: the budgets, and when there is none."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialogue.thinking import OFF, Thinking
from antiphon.profiles import Profile
from antiphon.request.told.thinking import ANSWER, BETWEEN_TOOLS, BUDGETS, LEAST, Occasion, plan
from antiphon.wire.settings import ThinkingAdaptive, ThinkingBetweenTools, ThinkingDisabled, ThinkingEnabled
from tests.profiles.builtin import builtin_catalogue

CATALOGUE = builtin_catalogue().with_local("tiny", "Tiny", 500_000, "2026-11-01T00:00:00Z")

ADAPTIVE = ThinkingAdaptive(type="adaptive")

BETWEEN = ThinkingBetweenTools(type="between_tools")

DISABLED = ThinkingDisabled(type="disabled")


def enabled(budget: int) -> ThinkingEnabled:
    return ThinkingEnabled(type="enabled", budget_tokens=budget)


def profile(name: str) -> Profile:
    found = CATALOGUE.resolve(name)
    assert found is not None
    return found


def planned(
    asked: Any, name: str = "tiny", *, effort: Any = None, thinker: Any = "universal", **more: Any
) -> Thinking:
    settings: dict[str, Any] = {"max_tokens": 16_000, **more}
    occasion = Occasion(**settings)
    return plan(asked, profile(name), occasion, effort=effort, thinker=thinker)


@pytest.mark.promise("thinking.budget-planned")
@pytest.mark.parametrize(("budget", "max_tokens"), [(1024, 1025), (1024, 64_000), (10_000, 16_000), (15_999, 16_000)])
def test_a_budget_below_max_tokens_is_kept_to_the_token(budget: int, max_tokens: int):
    for header in (False, True):
        thinking = planned(enabled(budget), max_tokens=max_tokens, header=header, tools=header)
        assert (thinking.budget, thinking.required) == (budget, True)


@pytest.mark.promise("thinking.budget-planned")
def test_without_interleaving_a_turn_thinks_before_its_first_call_only():
    assert planned(enabled(2000), continues=True) == OFF
    assert planned(enabled(2000), continues=True, tools=True) == OFF
    assert planned(enabled(2000), continues=True, header=True) == OFF, "the header takes tools to act"
    assert planned(enabled(2000), "claude-opus-4-6", continues=True, tools=True, header=True) == OFF


@pytest.mark.promise("thinking.interleaved")
@pytest.mark.parametrize(
    ("budget", "spent", "max_tokens", "left"),
    [
        (2000, 0, 16_000, 2000),
        (2000, 500, 16_000, 1500),
        (2000, 2000 - LEAST, 16_000, LEAST),
        # what is left is too little to think with, or more than nothing was left
        (2000, 2000 - LEAST + 1, 16_000, 0),
        (2000, 2000, 16_000, 0),
        (2000, 9000, 16_000, 0),
        # the reply keeps room for its answer: half, and never more than is enough
        (10_000, 500, 4000, 4000 - ANSWER),
        (10_000, 500, 1000, 500),
        (10_000, 500, 200, 0),
    ],
)
def test_interleaved_the_budget_is_one_for_the_whole_turn(budget: int, spent: int, max_tokens: int, left: int):
    thinking = planned(
        enabled(budget),
        "claude-sonnet-4-6",
        max_tokens=max_tokens,
        spent=spent,
        continues=True,
        tools=True,
        header=True,
    )
    assert (thinking.budget, thinking.required) == (left, False)


@pytest.mark.promise("thinking.interleaved")
@pytest.mark.parametrize(("max_tokens", "budget"), [(4096, 4096 - ANSWER), (500, 250), (2, 1), (1, 1)])
def test_a_budget_beyond_max_tokens_leaves_room_for_the_answer(max_tokens: int, budget: int):
    thinking = planned(enabled(10_000), "claude-opus-4-5", max_tokens=max_tokens, tools=True, header=True)
    assert (thinking.budget, thinking.required) == (budget, True)


@pytest.mark.promise("thinking.effort-budgets")
@pytest.mark.parametrize("thinker", BUDGETS)
@pytest.mark.parametrize("effort", ["low", "medium", "high", "xhigh", "max"])
def test_adaptive_thinking_is_as_long_as_the_effort_and_the_thinker_say(thinker: Any, effort: Any):
    most = BUDGETS[thinker][effort]
    thinking = planned(ADAPTIVE, effort=effort, thinker=thinker, max_tokens=500_000)
    assert thinking == (Thinking(most, effort=effort) if most else OFF)
    assert planned(ADAPTIVE, effort=effort, thinker=thinker, max_tokens=3000).budget == min(most, 3000 - ANSWER)


@pytest.mark.promise("thinking.effort-budgets")
def test_more_effort_is_never_less_thought():
    for table in BUDGETS.values():
        assert list(table) == ["low", "medium", "high", "xhigh", "max"]
        assert list(table.values()) == sorted(table.values())


@pytest.mark.promise("thinking.effort-budgets")
@pytest.mark.parametrize(
    ("name", "level"), [("tiny", "high"), ("claude-opus-5-5", "medium"), ("claude-opus-5", "high")]
)
def test_the_effort_that_is_not_named_is_the_model_s_default(name: str, level: Any):
    assert planned(ADAPTIVE, name) == Thinking(BUDGETS["universal"][level], effort=level)


@pytest.mark.parametrize(
    ("max_tokens", "budget"), [(1, 0), (64, 0), (2 * LEAST - 2, 0), (2 * LEAST, LEAST), (600, 300), (1024, 512)]
)
def test_a_short_reply_thinks_half_of_it_or_not_at_all(max_tokens: int, budget: int):
    assert planned(ADAPTIVE, max_tokens=max_tokens).budget == budget


@pytest.mark.promise("thinking.default-modes")
@pytest.mark.parametrize("name", [each.id for each in CATALOGUE.all()])
def test_a_silent_request_thinks_where_the_model_does_by_default(name: str):
    rules = profile(name)
    expected = OFF if rules.thinking_default == "off" else planned(ADAPTIVE, name)
    assert planned(None, name) == expected
    assert (planned(None, name) == OFF) == (rules.thinking_default == "off")


@pytest.mark.promise("thinking.default-modes")
@pytest.mark.parametrize("asked", [enabled(1024), ADAPTIVE, BETWEEN, None])
def test_nothing_is_thought_where_nothing_is_written_or_a_call_is_forced(asked: Any):
    for name in ("tiny", "claude-opus-5", "claude-sonnet-5-5"):
        assert planned(asked, name, max_tokens=0) == OFF
        assert planned(asked, name, forced=True, tools=True) == OFF


@pytest.mark.promise("thinking.default-modes")
def test_thinking_that_is_turned_off_stays_off():
    for name in ("tiny", "claude-opus-5"):
        assert planned(DISABLED, name, effort="max", thinker="native") == OFF


@pytest.mark.promise("thinking.interleaved")
@pytest.mark.parametrize("name", ["claude-opus-4-8", "claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-5", "tiny"])
def test_adaptive_thinking_goes_on_behind_results_without_a_header(name: str):
    first, behind = planned(ADAPTIVE, name, tools=True), planned(ADAPTIVE, name, continues=True, tools=True)
    assert behind == first
    assert behind.budget > 0


def test_a_model_that_does_not_interleave_does_not_think_behind_results():
    quiet = replace(profile("claude-opus-4-8"), interleaving="none")
    assert plan(ADAPTIVE, quiet, Occasion(max_tokens=4000, tools=True, header=True, continues=True)) == OFF
    assert plan(ADAPTIVE, quiet, Occasion(max_tokens=4000, tools=True)).budget > 0


@pytest.mark.promise("thinking.between-tools")
@pytest.mark.parametrize("thinker", BUDGETS)
def test_between_tools_there_is_a_short_word_behind_results_and_nothing_before_the_answer(thinker: Any):
    assert planned(BETWEEN, "claude-sonnet-5-5", tools=True, thinker=thinker) == OFF
    behind = planned(BETWEEN, "claude-sonnet-5-5", tools=True, continues=True, thinker=thinker)
    assert (behind.budget, behind.required) == (BETWEEN_TOOLS, False)
    assert planned(BETWEEN, "claude-sonnet-5-5", tools=True, continues=True, max_tokens=100) == OFF


@pytest.mark.parametrize("asked", [enabled(5000), ADAPTIVE])
def test_a_count_is_planned_like_a_reply_of_any_length(asked: Any):
    assert planned(asked, max_tokens=None) == planned(asked, max_tokens=500_000)


@given(
    asked=st.one_of(st.integers(1024, 200_000).map(enabled), st.sampled_from([ADAPTIVE, BETWEEN, DISABLED, None])),
    name=st.sampled_from([each.id for each in CATALOGUE.all()]),
    effort=st.sampled_from([None, "low", "medium", "high", "xhigh", "max"]),
    thinker=st.sampled_from(["native", "universal"]),
    max_tokens=st.integers(0, 200_000),
    spent=st.integers(0, 300_000),
    flags=st.fixed_dictionaries({key: st.booleans() for key in ("tools", "forced", "continues", "header")}),
)
@pytest.mark.promise("thinking.budget-planned")
def test_no_plan_goes_beyond_the_client_s_budget_or_takes_a_reply_its_answer(
    asked: Any, name: str, effort: Any, thinker: Any, max_tokens: int, spent: int, flags: dict[str, bool]
):
    thinking = planned(asked, name, effort=effort, thinker=thinker, max_tokens=max_tokens, spent=spent, **flags)
    assert thinking.budget >= 0
    assert thinking.budget > 0 or thinking == OFF
    manual = isinstance(asked, ThinkingEnabled)
    if manual:
        assert thinking.budget <= asked.budget_tokens
        assert not flags["continues"] or thinking.budget <= max(0, asked.budget_tokens - spent)
    # The ladder lets no other budget reach the end of the reply.
    if not manual or asked.budget_tokens < max_tokens:
        assert thinking.budget < max(max_tokens, 1)
    assert not thinking.required or (manual and not flags["continues"])

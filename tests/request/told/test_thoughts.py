"""Which thoughts the model is told again, and what a request's own edit takes away."""

from typing import Any

import orjson
import pytest

from antiphon.dialogue.conversation import Conversation, Reasoning, Text
from antiphon.dialogue.thinking import OFF, Thinking
from antiphon.dialogue.tools import Call, Result
from antiphon.request.case import Case
from antiphon.request.intake import parse_count, parse_create
from antiphon.request.told.thinking import BUDGETS
from antiphon.request.told.thoughts import applied_edits, kept
from tests.request.requests import (
    CATALOGUE,
    TOOL,
    Json,
    assistant,
    body,
    call,
    context,
    result,
    system,
    text,
    told_of,
    user,
)
from tests.request.sealing import hidden, sealed, taken

CLEARING = "context-management-2025-06-27"

INTERLEAVED = "interleaved-thinking-2025-05-14"

TURN_CONFIG = "mid-conversation-output-config-2026-07-01"

BETAS = (CLEARING, INTERLEAVED, TURN_CONFIG)

KEEPS, STRIPS = "claude-opus-4-5", "claude-haiku-4-5"

ENABLED: Json = {"type": "enabled", "budget_tokens": 2000}

LAST_ONE: Json = {"type": "thinking_turns", "value": 1}


def asked(*messages: Json, model: str = KEEPS, thinking: Json | None = ENABLED, **more: Any) -> Json:
    settings = {} if thinking is None else {"thinking": thinking}
    return {**body(*messages, max_tokens=5000, **settings, **more), "model": model}


def clears(keep: Any = None) -> Json:
    edit = {"type": "clear_thinking_20251015", **({} if keep is None else {"keep": keep})}
    return {"context_management": {"edits": [edit]}}


def lowered(request: Json, **more: Any) -> Conversation:
    profile = CATALOGUE.resolve(request["model"])
    assert profile is not None
    parsed = (parse_create if "max_tokens" in request else parse_count)(orjson.dumps(request), context(*BETAS))
    return told_of(parsed, context(*BETAS), profile, thoughts=taken(request, *BETAS), **more)


def reasoned(request: Json, **more: Any) -> list[str]:
    turns = lowered(request, **more).turns
    return [part.text for turn in turns for part in turn.parts if isinstance(part, Reasoning)]


def cleared(request: Json) -> int:
    profile = CATALOGUE.resolve(request["model"])
    assert profile is not None
    parsed = parse_create(orjson.dumps(request), context(*BETAS))
    return kept(Case(parsed, profile, context(*BETAS)), taken(request, *BETAS)).cleared


def three_turns(*, going: bool) -> list[Json]:
    """Turns `a` (two thoughts around a call), `b` and `c` (open where `going`), and one without thought between."""
    first = [
        assistant([sealed("a1"), call("toolu_1")]),
        user([result("toolu_1")]),
        assistant([sealed("a2"), text("a")]),
    ]
    plain = [user(), assistant("plain"), user(), assistant([hidden("b"), text("b")]), user()]
    last = assistant([sealed("c"), call("toolu_2") if going else text("c")])
    return [user(), *first, *plain, last, user([result("toolu_2")] if going else "go on")]


# model, edit, whether the last turn goes on → the thoughts that are told, the turns that the edit cleared
KEPT: list[tuple[str, Json, bool, list[str], int]] = [
    (KEEPS, {}, True, ["a1", "a2", "b", "c"], 0),
    (KEEPS, {}, False, ["a1", "a2", "b", "c"], 0),
    (STRIPS, {}, True, ["c"], 0),
    (STRIPS, {}, False, [], 0),
    (KEEPS, clears(), False, ["a1", "a2", "b", "c"], 0),
    (STRIPS, clears(), False, ["c"], 2),
    (STRIPS, clears(), True, ["c"], 2),
    (STRIPS, clears("all"), False, ["a1", "a2", "b", "c"], 0),
    (STRIPS, clears({"type": "all"}), True, ["a1", "a2", "b", "c"], 0),
    (KEEPS, clears("all"), True, ["a1", "a2", "b", "c"], 0),
    (KEEPS, clears(LAST_ONE), False, ["c"], 2),
    (KEEPS, clears(LAST_ONE), True, ["c"], 2),
    (KEEPS, clears({**LAST_ONE, "value": 2}), True, ["b", "c"], 1),
    (STRIPS, clears({**LAST_ONE, "value": 2}), False, ["b", "c"], 1),
    (KEEPS, clears({**LAST_ONE, "value": 3}), False, ["a1", "a2", "b", "c"], 0),
    (KEEPS, clears({**LAST_ONE, "value": 9}), False, ["a1", "a2", "b", "c"], 0),
]


@pytest.mark.promise("thinking.kept-by-model")
@pytest.mark.parametrize(("model", "edit", "going", "told", "turns"), KEPT)
def test_a_model_is_told_the_thoughts_that_it_keeps(model: str, edit: Json, going: bool, told: list[str], turns: int):
    request = asked(*three_turns(going=going), model=model, tools=[TOOL], **edit)
    assert reasoned(request) == told
    assert cleared(request) == turns


@pytest.mark.promise("context.clear-thinking")
def test_without_its_edit_the_conversation_holds_every_thought_and_measures_what_was_cleared():
    everything = ["a1", "a2", "b", "c"]
    for model in (KEEPS, STRIPS):
        request = asked(*three_turns(going=False), model=model, **clears(LAST_ONE))
        assert reasoned(request, clearing=False) == everything
    # A model that keeps none of its own accord clears nothing for the client.
    assert reasoned(asked(*three_turns(going=False), model=STRIPS), clearing=False) == []


@pytest.mark.promise("context.clear-thinking")
def test_an_applied_edit_says_how_many_turns_and_tokens_it_cleared():
    assert applied_edits(2, 900) == [
        {"type": "clear_thinking_20251015", "cleared_thinking_turns": 2, "cleared_input_tokens": 900}
    ]
    assert applied_edits(0, 0) == []


@pytest.mark.promise("thinking.kept-by-model")
def test_the_open_turn_keeps_its_thoughts_whatever_the_edit_says():
    messages = [
        user(),
        assistant([sealed("one"), call("toolu_1")]),
        user([result("toolu_1")]),
        assistant([sealed("two"), call("toolu_2")]),
        user([result("toolu_2")]),
    ]
    for model in (KEEPS, STRIPS):
        assert reasoned(asked(*messages, model=model, tools=[TOOL], **clears(LAST_ONE))) == ["one", "two"]


def test_turns_whose_thoughts_were_dropped_are_no_turns_with_thoughts():
    messages = [
        *[user(), assistant([sealed("mine"), text("a")])],
        *[user(), assistant([sealed("theirs", model="reader"), text("b")]), user()],
    ]
    request = asked(*messages, **clears(LAST_ONE))
    assert reasoned(request) == ["mine"]
    assert cleared(request) == 0


@pytest.mark.promise("thinking.told-in-place")
def test_thoughts_stand_where_they_were_thought():
    request = asked(
        user("q"),
        assistant([sealed("one", shown=""), hidden("two"), text("well"), sealed("three"), call("toolu_1")]),
        user([result("toolu_1")]),
        model="tiny",
        tools=[TOOL],
    )
    assert lowered(request).turns[1].parts == (
        Reasoning("one"),
        Reasoning("two"),
        Text("well"),
        Reasoning("three"),
        Call("toolu_1", "get_time", {}),
    )
    assert lowered(request).turns[2].parts == (Result("toolu_1", "get_time", "noon"),)


@pytest.mark.promise("thinking.off-ignores")
@pytest.mark.parametrize("thinking", [None, {"type": "disabled"}])
def test_with_thinking_off_no_thought_is_told(thinking: Json | None):
    conversation = lowered(asked(*three_turns(going=True), thinking=thinking, tools=[TOOL]))
    assert conversation.thinking == OFF
    assert not any(isinstance(part, Reasoning) for turn in conversation.turns for part in turn.parts)


@pytest.mark.promise("thinking.budget-planned")
@pytest.mark.parametrize(
    ("request_", "thinking"),
    [
        (asked(user()), Thinking(2000, required=True, effort="high")),
        (asked(user(), thinking=None), OFF),
        (asked(user(), thinking=None, model="claude-opus-5"), Thinking(512, effort="high")),
        (asked(user(), thinking={"type": "adaptive"}, model="claude-opus-4-8"), Thinking(512, effort="high")),
        (
            asked(user(), thinking={"type": "adaptive"}, model="tiny", output_config={"effort": "max"}),
            Thinking(2048, effort="max"),
        ),
        # the effort that is in effect is the last one that was named
        (
            asked(
                user(),
                system([], output_config={"effort": "medium"}),
                thinking={"type": "adaptive"},
                model="tiny",
                output_config={"effort": "max"},
            ),
            Thinking(256, effort="medium"),
        ),
        # a call is forced, a reply has begun: nothing is thought before it
        (
            asked(user(), thinking={"type": "adaptive"}, model="tiny", tools=[TOOL], tool_choice={"type": "any"}),
            OFF,
        ),
        (asked(user(), assistant("The answer is"), thinking=None, model="tiny"), OFF),
        # a form does not keep the model from thinking first
        (
            asked(
                user(),
                output_config={
                    "format": {"type": "json_schema", "schema": {"type": "object", "additionalProperties": False}}
                },
            ),
            Thinking(2000, required=True, effort="high"),
        ),
    ],
)
def test_a_conversation_says_how_its_reply_thinks(request_: Json, thinking: Thinking):
    assert lowered(request_).thinking == thinking


@pytest.mark.promise("thinking.interleaved")
def test_behind_results_the_rest_of_the_turn_s_budget_is_left():
    messages = [user(), assistant([sealed("a", tokens=600), call("toolu_1")]), user([result("toolu_1")])]
    assert lowered(asked(*messages, tools=[TOOL])).thinking == Thinking(1400, effort="high")
    # Without tools in the request nothing is interleaved, and the turn has thought.
    assert lowered(asked(*messages)).thinking == OFF
    assert lowered(asked(*messages, user("And?"), tools=[TOOL])).thinking == Thinking(2000, True, "high")


def test_the_budget_is_that_of_the_thinker():
    request = asked(user(), thinking={"type": "adaptive"}, model="tiny", output_config={"effort": "low"})
    assert lowered(request).thinking == OFF
    assert lowered(request, thinker="native").thinking == Thinking(BUDGETS["native"]["low"], effort="low")


def test_a_count_and_a_reply_see_the_same_thoughts():
    request = asked(*three_turns(going=True), tools=[TOOL])
    counted = {key: value for key, value in request.items() if key != "max_tokens"}
    assert lowered(counted) == lowered(request)

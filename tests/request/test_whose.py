"""Which conversation a request goes on with, and for whom."""

from typing import Any

import orjson
import pytest

from antiphon.request.intake import parse_create
from antiphon.request.whose import Whose, whose
from antiphon.wire.base import WireContext
from tests.request.requests import Json, asked, assistant, body, image, text, user

TOOL: Json = {"name": "get_time", "input_schema": {"type": "object"}}
SYSTEM = "You tell stories."


def of(*messages: Json, session: str = "", tenant: str = "wrkspc_1", **more: Any) -> Whose:
    context = WireContext(session=session, tenant=tenant)
    request = parse_create(orjson.dumps(body(*messages, **more)), context)
    return whose(asked(request, context))


def test_a_conversation_keeps_its_name_as_it_grows():
    first = of(user("Tell me of the sea."), system=SYSTEM, tools=[TOOL])
    for more in ([], [user("And then?")], [user("And then?"), assistant("It rained."), user("Oh.")]):
        turns = [user("Tell me of the sea."), assistant("Once,"), *more] if more else [user("Tell me of the sea.")]
        assert of(*turns, system=SYSTEM, tools=[TOOL], max_tokens=7, temperature=0.3) == first


def test_how_its_beginning_is_written_makes_no_difference():
    marked = text("Hello", cache_control={"type": "ephemeral"})
    assert of(user([marked]), system=[text(SYSTEM)]) == of(user("Hello"), system=SYSTEM)


def test_the_line_of_an_agents_accounting_makes_no_difference():
    line = "x-anthropic-billing-header: cc_version=2.1; cch=%s;\n" + SYSTEM
    assert of(user(), system=line % "a1b2c") == of(user(), system=line % "d3e4f") == of(user(), system=SYSTEM)


@pytest.mark.parametrize(
    "other",
    [
        {"messages": [user("Another beginning.")]},
        {"system": "You tell jokes."},
        {"tools": []},
        {"tenant": "wrkspc_2"},
        {"messages": [user([text("Hello"), image()])]},
    ],
    ids=["first words", "system prompt", "tools", "tenant", "a picture"],
)
def test_conversations_that_begin_otherwise_have_other_names(other: Json):
    usual: Json = {"messages": [user("Hello")], "system": SYSTEM, "tools": [TOOL], "tenant": "wrkspc_1"}
    one, two = ({**usual, **changed} for changed in ({}, other))
    assert of(*one.pop("messages"), **one).conversation != of(*two.pop("messages"), **two).conversation


def test_texts_are_not_run_together():
    assert of(user([text("ab"), text("c")])) != of(user([text("a"), text("bc")]))


def test_a_named_session_outlives_its_first_words_and_holds_several_conversations():
    first = of(user("Hello"), session="s1", system=SYSTEM)
    assert of(user("A summary of what was said."), session="s1", system=SYSTEM) == first
    assert of(user("Hello"), session="s2", system=SYSTEM) != first
    assert of(user("Hello"), session="s1", system="You are its helper.") != first


def test_names_say_nothing_of_tenants_and_tell_them_apart():
    one, other = of(user(), tenant="wrkspc_1"), of(user(), tenant="wrkspc_2")
    assert one.tenant != other.tenant
    assert "wrkspc" not in one.tenant + one.conversation
    assert of(user("Another"), tenant="wrkspc_1").tenant == one.tenant
    assert of(user(), tenant="").tenant == ""

"""A conversation with calls and results, told to a model of each family through a template of that family's format."""

from dataclasses import replace
from datetime import date
from typing import Final

import pytest

from antiphon.dialogue.conversation import Conversation, Text, Turn
from antiphon.dialogue.tools import Call, Result
from antiphon.ports.engine import ModelCard
from antiphon.render.families.syntax import Family
from antiphon.render.prompt.builder import PromptBuilder
from antiphon.render.prompt.calls import nine_characters
from tests.render.families.cases import HERE, NATIVE, TOOLS

CONVERSATION: Final = Conversation(
    system=(Text("Be brief."),),
    tools=TOOLS[:2],
    turns=(
        Turn("user", (Text("Weather in both capitals?"),)),
        Turn(
            "assistant",
            (
                Text("Let me look that up."),
                Call("toolu_01Paris", "get_weather", {"city": "Paris"}),
                Call("toolu_02Oslo", "get_weather", {"city": "Oslo", "unit": "celsius"}),
            ),
        ),
        Turn(
            "user",
            (
                Result("toolu_01Paris", "get_weather", '{"sky": "rain & wind"}'),
                Result("toolu_02Oslo", "get_weather", "no such city", is_error=True),
            ),
        ),
        Turn("assistant", (Text("Rain in Paris."),)),
        Turn("user", (Text("And the time?"),)),
        Turn("assistant", (Call("toolu_03Time", "get_time", {}),)),
        Turn("user", (Result("toolu_03Time", "get_time", "09:30"), Text("Answer in words."))),
    ),
)
IN_ORDER: Final = (
    "both capitals?",
    "Let me look that up.",
    "get_weather",
    "Paris",
    "rain & wind",
    "Rain in Paris.",
    "And the time?",
    "get_time",
    "09:30",
    "in words.",
)
ANYWHERE: Final = ("Be brief.", "Oslo", "no such city")


def prompt(family: Family, conversation: Conversation = CONVERSATION) -> str:
    template = (HERE / "templates" / f"{family.name}.jinja").read_text(encoding="utf-8")
    card = ModelCard("m", "m", 4096, chat_template=template, bos_token="<s>", eos_token="</s>")
    segments = PromptBuilder(card).build(conversation, today=date(2026, 2, 3))
    return "".join(segment.text for segment in segments)


@pytest.mark.promise("tools.native-history")
@pytest.mark.parametrize("family", NATIVE, ids=lambda family: family.name)
def test_calls_and_results_are_told_as_the_template_tells_them(family: Family):
    golden = (HERE / "prompts" / f"{family.name}.txt").read_bytes().decode()
    assert prompt(family) + "\n" == golden


@pytest.mark.promise("tools.nothing-lost-in-history")
@pytest.mark.parametrize("family", NATIVE, ids=lambda family: family.name)
def test_no_part_of_the_history_is_lost_or_moved(family: Family):
    text = prompt(family).replace("\\u0026", "&")
    assert [part for part in ANYWHERE if part not in text] == []
    at = 0
    for part in IN_ORDER:
        at = text.index(part, at) + 1


def with_ids(*ids: str) -> Conversation:
    turns: list[Turn] = []
    for id_, tool, said in zip(ids, ("get_weather", "get_time"), ("rain", "09:30"), strict=True):
        inputs = {"city": "Paris"} if tool == "get_weather" else {}
        turns += [
            Turn("user", (Text(tool),)),
            Turn("assistant", (Call(id_, tool, inputs),)),
            Turn("user", (Result(id_, tool, said),)),
        ]
    return replace(CONVERSATION, turns=(*turns, Turn("assistant", (Text("So."),)), Turn("user", (Text("Go on."),))))


@pytest.mark.promise("tool-results.ids-by-turn")
@pytest.mark.parametrize("family", NATIVE, ids=lambda family: family.name)
def test_an_id_that_two_turns_use_tells_each_result_as_that_of_its_own_call(family: Family):
    apart = prompt(family, with_ids("toolu_one", "toolu_two"))
    again = prompt(family, with_ids("toolu_one", "toolu_one"))
    if family.call_ids == "numbered" or "toolu_one" not in again:
        names = {nine_characters(one) for one in ("toolu_one", "toolu_two")}
        for name in names:
            apart, again = apart.replace(name, "ID"), again.replace(name, "ID")
    assert again == apart.replace("toolu_two", "toolu_one")


@pytest.mark.promise("tools.family-by-name")
@pytest.mark.parametrize("family", NATIVE, ids=lambda family: family.name)
def test_a_family_that_the_owner_named_is_told_on_a_template_without_tools(family: Family):
    template = "{% for message in messages %}[{{ message.role }}]{{ message.content }}{% endfor %}[assistant]"
    builder = PromptBuilder(ModelCard("m", "m", 4096, chat_template=template), family)
    text = "".join(segment.text for segment in builder.build(CONVERSATION, today=date(2026, 2, 3)))
    assert builder.family.syntax == family.syntax
    assert "The weather of a city, now." in text
    at = 0
    for part in IN_ORDER:
        at = text.index(part, at) + 1

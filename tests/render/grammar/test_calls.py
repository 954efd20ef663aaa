"""Grammars allow calls of known tools with inputs that fit, and nothing else that would be read as a call."""

from typing import Any

import jsonschema
import orjson
import pytest

from antiphon.dialogue.conversation import Conversation, Text, Turn
from antiphon.dialogue.events import CallArguments, CallStart, ReplyEvent
from antiphon.dialogue.tools import Choice, Tool
from antiphon.render.families import FAMILIES, UNIVERSAL
from antiphon.render.families.syntax import Family
from antiphon.render.grammar.reply import GrammarError, reply_grammar
from tests.render.real_tools import REAL_TOOLS
from tests.render.tool_cases import CLOCK, OPEN, TOOLS, WEATHER, read, text_of
from tests.render.walk import accepts, walk

CASES = (
    *TOOLS,
    Tool(
        "bounded",
        "",
        {
            "type": "object",
            "properties": {
                "code": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$", "maxLength": 8},
                "some": {"type": "string", "minLength": 2, "maxLength": 4},
                "count": {"type": "integer", "minimum": 3, "maximum": 12},
                "either": {"anyOf": [{"type": "string", "enum": ["all", "none"]}, {"type": "null"}]},
                "level": {"enum": [1, 2, "high"]},
                "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}, "maxItems": 2},
                "when": {"type": "string", "format": "date"},
                "number": {"type": ["string", "number"]},
                "many": {
                    "anyOf": [{"type": "string", "maxLength": 5}, {"type": "array", "items": {"type": "boolean"}}]
                },
            },
            "required": ["code", "some", "count", "either", "level", "tags", "when", "number", "many"],
            "additionalProperties": False,
        },
    ),
    Tool("map", "", {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1}),
)

ENOUGH = 5
"""Walks of which one came to its end."""

CHOICES = {
    "any": Choice("any"),
    "one of any": Choice("any", parallel=False),
    "tool": Choice("tool", "bounded"),
    "one tool": Choice("tool", "bounded", parallel=False),
}


def grammar(
    choice: Choice, tools: tuple[Tool, ...] = TOOLS, family: Family = UNIVERSAL, shape: dict[str, Any] | None = None
) -> str:
    turn = Turn("user", (Text("a"),))
    made = reply_grammar(family, Conversation((), (turn,), None, tools, choice, shape), {})
    assert made is not None
    return made


def calls_of(events: list[ReplyEvent]) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, list[str]]] = []
    for event in events:
        match event:
            case CallStart(name=name):
                found.append((name, []))
            case CallArguments(partial_json=piece):
                found[-1][1].append(piece)
            case _:
                pass
    return [(name, orjson.loads("".join(pieces))) for name, pieces in found]


def check(events: list[ReplyEvent], tools: tuple[Tool, ...]) -> None:
    """Every call is of a known tool, and its input satisfies the tool's schema."""
    schemas = {tool.name: tool.schema for tool in tools}
    for name, value in calls_of(events):
        jsonschema.validate(value, dict(schemas[name]))


@pytest.mark.promise("tool-choice.forced", "tool-choice.one-call")
@pytest.mark.parametrize(
    "family", [f for f in FAMILIES if not f.syntax.control or f.name == "llama3"], ids=lambda f: f.name
)
@pytest.mark.parametrize("choice", CHOICES)
def test_whatever_the_dice_say_a_forced_reply_is_calls_that_fit(family: Family, choice: str) -> None:
    asked = CHOICES[choice]
    made = grammar(asked, CASES, family)
    ended = 0
    for seed in range(16):
        if ended and seed >= ENOUGH:
            break
        text, whole = walk(made, seed)
        events = read(family.syntax, [text], tools=CASES, cut=not whole, forced=True)
        assert text_of(events).strip() == ""
        if not whole:
            continue
        ended += 1
        calls = calls_of(events)
        assert len(calls) == 1 if not asked.parallel else len(calls) >= 1
        assert asked.mode == "any" or {name for name, _ in calls} == {"bounded"}
        check(events, CASES)
    assert ended


@pytest.mark.promise("tool-choice.auto-and-none")
@pytest.mark.parametrize("family", [f for f in FAMILIES if not f.syntax.control], ids=lambda f: f.name)
@pytest.mark.parametrize("parallel", [True, False])
def test_where_the_model_may_call_a_call_that_has_begun_is_one_that_fits(family: Family, parallel: bool) -> None:
    made = grammar(Choice(parallel=parallel), CASES, family)
    opening = family.syntax.triggers[0]
    assert accepts(made, "Only text, with < and { in it.")
    assert accepts(made, "")
    assert not accepts(made, f"Well. {opening} is a tag", whole=False)
    for seed in range(4):
        text, whole = walk(made, seed, most=150)
        events = read(family.syntax, [text], tools=CASES, cut=not whole)
        if whole:
            assert parallel or len(calls_of(events)) < 2
            check(events, CASES)


SAID = (
    '<function_calls>\n<invoke name="get_weather">\n<parameter name="location">SF</parameter>\n</invoke>\n'
    "</function_calls>"
)

AGAIN = SAID.replace("\n</function_calls>", '\n<invoke name="get_time">\n</invoke>\n</function_calls>')


@pytest.mark.promise("tool-choice.one-call")
@pytest.mark.parametrize(
    ("choice", "text", "fine"),
    [
        (Choice(), f"Well.\n{SAID}", True),
        (Choice(), f"Well.\n{AGAIN} Now wait.", True),
        (Choice(), f"{SAID} and {SAID}", True),
        (Choice(parallel=False), f"Well. {SAID} Wait.", True),
        (Choice(parallel=False), f"Well. {AGAIN}", False),
        (Choice(parallel=False), f"{SAID} and {SAID}", False),
        (Choice("any"), AGAIN, True),
        (Choice("any"), f"{SAID}\n", False),
        (Choice("any"), f" {SAID}", False),
        (Choice("any"), "", False),
        (Choice("any", parallel=False), SAID, True),
        (Choice("any", parallel=False), AGAIN, False),
        (Choice("tool", "get_time"), SAID, False),
        (Choice("tool", "get_weather"), SAID, True),
        (Choice("none"), "Only text.", True),
        (Choice("none"), SAID, False),
        (Choice("none"), f"x {SAID}", False),
        # other spellings of the tags would be read as calls too
        (Choice(), "x <invoke name='get_time'></invoke>", False),
        (Choice("none"), "x <invoke name = 'get_time'></invoke>", False),
        (Choice(), SAID.replace("get_weather", "get_weathers"), False),
        (Choice(), SAID.replace("location", "place"), False),
        (Choice(), SAID.replace('<parameter name="location">SF</parameter>\n', ""), False),
    ],
)
def test_the_choice_holds(choice: Choice, text: str, fine: bool) -> None:
    assert accepts(grammar(choice), text) is fine


@pytest.mark.promise("structured.format")
def test_an_answer_of_a_given_form_is_that_or_a_call() -> None:
    shape = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    for made in (
        grammar(Choice(), (), shape=shape),
        grammar(Choice(), shape=shape),
        grammar(Choice("none"), shape=shape),
    ):
        assert accepts(made, '{"a": 5}')
        assert not accepts(made, "Well.", whole=False)
        assert not accepts(made, '{"a": "x"', whole=False)
    assert accepts(grammar(Choice(), shape=shape), SAID)
    assert not accepts(grammar(Choice(), (), shape=shape), SAID)
    assert not accepts(grammar(Choice("any"), shape=shape), '{"a": 5}')


def test_a_reply_that_may_be_anything_has_no_grammar() -> None:
    assert reply_grammar(UNIVERSAL, Conversation((), ()), {}) is None


HUGE = {"type": "string", "pattern": "^(" + "|".join(f"a{{1,{n}}}b" for n in range(2, 60)) + "){1,900}$"}

HARD: dict[str, Any] = {
    "type": "object",
    "properties": {"x": HUGE, "y": {"type": "integer"}},
    "required": ["y"],
}


@pytest.mark.promise("tools.schemas-never-fatal")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
@pytest.mark.parametrize(
    "schema",
    [
        HARD,
        {"type": "object", "properties": {"x": {"$ref": "https://example.com/schema"}}, "required": ["x"]},
        {"type": "object", "properties": {"x": {"pattern": "(?=a)b"}, "y": {"not": {}}}, "required": ["y"]},
        {"type": "object", "properties": {"x": {"$ref": "#"}}},
        {"type": "object", "properties": {}, "patternProperties": {"^a": {"type": "integer"}}},
        {"type": "object", "required": ["a-b.c"]},
        {"type": "object", "properties": {"x": {"type": "string", "format": "no-such-format"}}},
        {"type": "object", "properties": {"x": {"if": {}, "then": False}, "x/y\\z": {"const": "</parameter>"}}},
        {"type": "object", "properties": {"x": {"enum": ["", "\x01", 'a"b', None, 1.5, [1], {"a": "b"}]}}},
        {"type": "object", "properties": {"x": False}},
    ],
)
def test_no_schema_keeps_a_tool_from_being_called(family: Family, schema: dict[str, Any]) -> None:
    tools = (WEATHER, Tool("hard", "", schema), CLOCK)
    for choice in (Choice(), Choice("any")):
        made = grammar(choice, tools, family)
        assert "get_weather" in made
        assert "hard" in made


def marked(*, strict: bool) -> Tool:
    schema = {"type": "object", "properties": {"x": {"enum": ["mark"]}}, "required": ["x"]}
    return Tool("marked", "", schema, strict=strict)


def refuse_marks(text: str) -> str:
    return "too complex" if "mark" in text.replace("marked", "") else ""


def test_of_tools_that_do_not_compile_the_names_of_parameters_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.render.grammar.reply._refusal", refuse_marks)
    made = grammar(Choice("any"), (WEATHER, marked(strict=False)))
    assert "fahrenheit" in made
    call = '<function_calls>\n<invoke name="marked">\n<parameter name="x">5</parameter>\n</invoke>\n</function_calls>'
    assert accepts(made, call)
    assert not accepts(made, call.replace('<parameter name="x">5</parameter>\n', ""))


@pytest.mark.promise("tool-choice.strict")
def test_strict_tools_that_cannot_be_guaranteed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.render.grammar.reply._refusal", refuse_marks)
    with pytest.raises(GrammarError, match="strict"):
        grammar(Choice("any"), (WEATHER, marked(strict=True)))


@pytest.mark.promise("tools.many-and-large")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_the_tools_of_a_coding_agent_fit(family: Family) -> None:
    made = grammar(Choice(), REAL_TOOLS, family)
    assert all(tool.name in made for tool in REAL_TOOLS)
    assert made == grammar(Choice(), REAL_TOOLS, family)
    assert OPEN in TOOLS

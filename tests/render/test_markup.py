"""Values that hold markup arrive whole: in every family, under every cut, as far as its format can hold them."""

import re
from typing import Any, Final

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.dialogue.conversation import Conversation, Text, Turn
from antiphon.dialogue.events import CallArguments, CallStart, ReplyEvent
from antiphon.dialogue.tools import Call, Choice, Tool
from antiphon.render.families import FAMILIES, UNIVERSAL
from antiphon.render.families.argument_kinds import to_json
from antiphon.render.families.markers import Marker
from antiphon.render.families.syntax import Family, JsonArguments, QuotedArguments, TaggedArguments
from antiphon.render.families.value_ends import ending_pattern
from antiphon.render.grammar.reply import reply_grammar
from antiphon.render.prompt.calls import write_calls
from tests.render.tool_cases import cuts, read, text_of
from tests.render.walk import Bytes, matcher

MARKUP: Final = '</parameter> <a b="c"> \n "q" \'s\' & {x} </tool_call> <|im_end|>'
HOLE: Final = "\ue000"


def pieces_of(family: Family) -> list[str]:
    """What values are made of: this family's own markup, and what is markup elsewhere."""
    syntax = family.syntax
    own = [syntax.section_open, syntax.call_open, syntax.after_name, syntax.call_close, syntax.section_close]
    match syntax.arguments:
        case TaggedArguments(open=opening, after_name=after, close=close):
            own += [opening, after, close, close.strip(), f"{opening}b{after}", close + syntax.call_close]
        case QuotedArguments(quote=quote):
            own += [quote, f"{quote},", f"{quote}}}", f"{quote}]"]
        case JsonArguments():
            own += ['"', "\\", "{", "}"]
    others = [
        MARKUP,
        "<|im_end|>",
        "</s>",
        "</tool_call>",
        "<a b='c'>",
        "\n",
        " ",
        "x",
        "é",
        "\t",
        "{",
        "}",
        ",",
        '"',
    ]
    return [piece for piece in dict.fromkeys((*own, *others)) if piece]


VALUES: Final = {
    family.name: st.lists(st.sampled_from(pieces_of(family)), max_size=6).map("".join) for family in FAMILIES
}


def tool_of(told: dict[str, Any], *, strict: bool = False) -> Tool:
    schema = {
        "type": "object",
        "properties": {"a": told, "b": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    return Tool("note", "", schema, strict=strict)


def accepts(family: Family, tool: Tool, choice: Choice, value: str, more: dict[str, str]) -> bool:
    """Whether a model may write a call with this value as plain text, its markup being tokens where it has them."""
    words = Bytes(tuple(sorted(family.syntax.control)))
    turn = Turn("user", (Text("a"),))
    made = reply_grammar(family, Conversation((), (turn,), None, (tool,), choice), words.ids)
    assert made is not None
    before, behind = written(family, tool, HOLE, more).split(HOLE)
    inner = to_json(value)[1:-1] if isinstance(family.syntax.arguments, JsonArguments) else value
    tokens = [*words.split(before), *inner.encode(), *words.split(behind)]
    checked = matcher(made, words.markers)
    return checked.try_consume_tokens(tokens) == len(tokens) and checked.is_accepting()


def written(family: Family, tool: Tool, value: str, more: dict[str, str]) -> str:
    return write_calls(family.syntax, [Call("call", "note", {"a": value, **more})], [tool])


def inputs(events: list[ReplyEvent]) -> list[Any]:
    """The input of each call."""
    found: list[list[str]] = []
    for event in events:
        match event:
            case CallStart():
                found.append([])
            case CallArguments(partial_json=piece):
                found[-1].append(piece)
            case _:
                pass
    return [orjson.loads("".join(pieces)) for pieces in found]


def ends_early(family: Family, value: str) -> bool:
    """Whether the text holds what ends a value in this family's format."""
    match family.syntax.arguments:
        case TaggedArguments() as tags:
            return re.search(ending_pattern(tags, family.syntax), value) is not None
        case QuotedArguments(quote=quote):
            return re.search(rf"{re.escape(quote)}[ \t\r\n]*[,}}\]]", value) is not None
        case JsonArguments():
            return False


def begins_anew(family: Family, value: str) -> bool:
    """Whether a reader that no grammar helps takes the text for a call that its model forgot to end."""
    syntax = family.syntax
    if not isinstance(syntax.arguments, TaggedArguments):
        return False
    openings = [text for text in (syntax.call_open, *syntax.lenient_opens, syntax.section_close) if text]
    close = syntax.arguments.close
    return any(re.search(Marker(close, opening).pattern(), value) for opening in openings)


def written_out(family: Family) -> str:
    """What ends a value, as the family writes it."""
    match family.syntax.arguments:
        case TaggedArguments(close=close):
            return close + family.syntax.call_close
        case QuotedArguments(quote=quote):
            return f"{quote}}}"
        case JsonArguments():
            return ""


CHOICES: Final = [Choice(), Choice("any"), Choice("tool", "note", parallel=False)]
MORE: Final = st.sampled_from([{}, {"b": "then"}])


@pytest.mark.promise("tools.markup-in-values")
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_value_that_is_markup_arrives_whole_at_every_cut(family: Family, strict: bool) -> None:
    schemas = ({"type": "string"}, {"enum": [MARKUP]}, {"const": MARKUP}, {"enum": [MARKUP[:12], MARKUP]})
    for number, told in enumerate(schemas):
        tool = tool_of(told, strict=strict)
        text = written(family, tool, MARKUP, {})
        for enforced in (True, False):
            # Every cut of every kind, half of them each way: they are many.
            for at in range((number + enforced) % 2, len(text), 2):
                events = read(family.syntax, [text[:at], text[at:]], tools=[tool], enforced=enforced)
                assert inputs(events) == [{"a": MARKUP}]
                assert text_of(events).strip() == ""
        assert all(accepts(family, tool, choice, MARKUP, {}) for choice in CHOICES)


@pytest.mark.promise("tools.markup-in-values")
@settings(max_examples=120, deadline=None)
@given(st.data(), st.sampled_from(FAMILIES), MORE, st.sampled_from(CHOICES), st.booleans())
def test_a_listed_value_arrives_whatever_it_holds(
    data: st.DataObject, family: Family, more: dict[str, str], choice: Choice, strict: bool
) -> None:
    value = data.draw(VALUES[family.name])
    other = data.draw(VALUES[family.name].filter(lambda one: not one.startswith(value)))
    told = data.draw(st.sampled_from([{"const": value}, {"enum": [other, value]}, {"anyOf": [{"const": value}]}]))
    tool = tool_of(told, strict=strict)
    text = written(family, tool, value, more)
    events = read(family.syntax, data.draw(cuts(text)), tools=[tool])
    assert inputs(events) == [{"a": value, **more}]
    assert accepts(family, tool, choice, value, more)


@pytest.mark.promise("tools.markup-in-values")
@settings(max_examples=120, deadline=None)
@given(st.data(), st.sampled_from(FAMILIES), MORE, st.sampled_from(CHOICES))
def test_any_other_text_arrives_unless_it_holds_what_ends_a_value(
    data: st.DataObject, family: Family, more: dict[str, str], choice: Choice
) -> None:
    value = data.draw(VALUES[family.name].filter(lambda value: not ends_early(family, value)))
    tool = tool_of({"type": "string"})
    text = written(family, tool, value, more)
    assert accepts(family, tool, choice, value, more)
    for enforced in (True, False):
        if not enforced and begins_anew(family, value):
            continue
        events = read(family.syntax, data.draw(cuts(text)), tools=[tool], enforced=enforced)
        assert inputs(events) == [{"a": value, **more}]


@pytest.mark.promise("tools.markup-in-values")
@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([family for family in FAMILIES if ends_early(family, written_out(family))]))
def test_what_ends_a_value_cannot_be_written_into_one(data: st.DataObject, family: Family) -> None:
    around = data.draw(st.tuples(VALUES[family.name], VALUES[family.name]))
    value = written_out(family).join(around) + "x"
    only = Tool("note", "", {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]})
    assert not accepts(family, only, Choice("tool", "note", parallel=False), value, {})


@pytest.mark.promise("tools.markup-in-values")
def test_of_listed_values_the_longest_that_fits_is_meant() -> None:
    short = "x"
    long = 'x</parameter>\n<parameter name="b">y'
    tool = tool_of({"enum": [short, long]})
    for value in (short, long):
        text = written(UNIVERSAL, tool, value, {"b": "z"})
        assert inputs(read(UNIVERSAL.syntax, list(text), tools=[tool])) == [{"a": value, "b": "z"}]
    assert accepts(UNIVERSAL, tool, Choice("any"), long, {"b": "z"})


@pytest.mark.promise("tools.required-parameters")
def test_a_model_that_would_end_too_early_is_turned_round_at_once() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "required": ["a", "b"],
    }
    turn = Turn("user", (Text("a"),))
    asked = Conversation((), (turn,), None, (Tool("note", "", schema),), Choice("any"))
    made = reply_grammar(UNIVERSAL, asked, {})
    assert made is not None
    begun = matcher(made)
    text = '<function_calls>\n<invoke name="note">\n<parameter name="a">x</parameter>\n<'
    assert begun.try_consume_tokens(list(text.encode())) == len(text)
    assert begun.validate_tokens(list(b"/")) == 0
    rest = b'parameter name="b">y</parameter>\n<'
    assert begun.try_consume_tokens(list(rest)) == len(rest)
    assert begun.validate_tokens(list(b"p")) == 0
    assert begun.validate_tokens(list(b"/invoke>")) == len("/invoke>")

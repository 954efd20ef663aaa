"""Calls are read out of a model's text while it is written, and text stays text."""

import json
from typing import Any

import jiter
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from antiphon.dialogue.events import CallArguments, CallEnd, CallStart, ReplyEvent, TextDelta
from antiphon.dialogue.tools import Call, Tool
from antiphon.render.families import FAMILIES, UNIVERSAL
from antiphon.render.families.argument_kinds import kind_of
from antiphon.render.families.syntax import Family
from antiphon.render.prompt.calls import write_calls
from antiphon.render.reading.nesting import MOST_DEPTH
from tests.render.tool_cases import CLOCK, OPEN, TOOLS, VALUES, WEATHER, called, cuts, read, text_of, tools

SYNTAX = UNIVERSAL.syntax

CALL = (
    '<function_calls>\n<invoke name="get_weather">\n<parameter name="location"> San "F"\n </parameter>\n'
    '<parameter name="hours">[1, 2]</parameter>\n</invoke>\n</function_calls>'
)

INPUT = '{"location": " San \\"F\\"\\n ", "hours": [1, 2]}'

TAGS = [
    "<function_calls>",
    "</function_calls>",
    '<invoke name="get_weather">',
    '<invoke name="nobody">',
    "<invoke name='get_time'>",
    "</invoke>",
    '<parameter name="location">',
    '<parameter name="days">',
    "</parameter>",
    "<function_results>",
    '{"name": "get_weather", "arguments": {',
    "<tool_call>",
    "</tool_call>",
    "[TOOL_CALLS]",
    "\n",
    '"a": [1,',
    "}",
    "<",
]

NESTED = Tool("nested", "", {"type": "object", "properties": {"a": {"type": "array"}}})

NOISE = st.lists(st.sampled_from(TAGS) | st.text(max_size=6), max_size=14).map("".join)


def inputs(events: list[ReplyEvent]) -> list[str]:
    """The joined input of each call; empty where it was never begun."""
    found: list[str] = []
    for event in events:
        match event:
            case CallStart():
                found.append("")
            case CallArguments(partial_json=piece):
                found[-1] += piece
            case _:
                pass
    return found


@pytest.mark.promise("tools.reader-every-cut")
@given(cuts(f"Let me see.\n\n{CALL} Done."))
def test_the_same_text_gives_the_same_events_under_every_cut(pieces: list[str]) -> None:
    told = [TextDelta("Let me see.\n\n"), *called("get_weather", INPUT), TextDelta(" Done.")]
    assert read(SYNTAX, pieces) == told
    assert read(SYNTAX, pieces, enforced=False) == told


@pytest.mark.promise("tools.reader-every-cut")
@settings(max_examples=300)
@given(st.data(), st.sampled_from(FAMILIES), NOISE, st.booleans(), st.booleans(), st.booleans())
def test_any_text_of_any_family_is_read_alike_under_every_cut(
    data: st.DataObject, family: Family, text: str, enforced: bool, cut: bool, forced: bool
) -> None:
    how: dict[str, Any] = {"enforced": enforced, "cut": cut, "forced": forced}
    whole = read(family.syntax, [text], **how)
    assert read(family.syntax, data.draw(cuts(text)), **how) == whole
    for joined in inputs(whole):
        if joined:
            assert isinstance(jiter.from_json(joined.encode(), partial_mode=True), dict)
    if not cut:
        assert all(isinstance(orjson.loads(joined), dict) for joined in inputs(whole))


@pytest.mark.promise("tools.reader-loses-nothing")
@settings(max_examples=300)
@given(tools(), NOISE)
@example((OPEN,), "a <function_calls>\n<invoke name=")
def test_text_without_a_known_call_comes_out_whole(made: tuple[Tool, ...], text: str) -> None:
    strangers = tuple(Tool(f"zz{tool.name}", "", tool.schema) for tool in made)
    events = read(SYNTAX, [text], tools=strangers, enforced=False)
    assert text_of(events) == text
    assert all(isinstance(event, TextDelta) for event in events)


@pytest.mark.promise("tools.reader-loses-nothing")
@given(st.text(max_size=20), st.text(max_size=20))
def test_the_text_around_a_call_stays_around_it(before: str, behind: str) -> None:
    before, behind = before.replace("<", ""), behind.replace("<", "")
    events = read(SYNTAX, [before + CALL + behind])
    at = events.index(CallEnd())
    assert text_of(events[: at - 2]) == before
    assert text_of(events[at + 1 :]) == behind


TYPES = {type(None): "null", bool: "boolean", int: "integer", list: "array", dict: "object"}


def fitting(tool: Tool, value: dict[str, Any]) -> dict[str, Any]:
    """What tags can hold of it: what the schema allows, and no text where a text may be something else."""
    told: dict[str, Any] = {}
    for name, one in value.items():
        kind = kind_of(name, tool.schema)
        if not kind.others if isinstance(one, str) else TYPES[type(one)] in kind.others:
            told[name] = one
    return told


@pytest.mark.promise("tools.reader-inverts-writer")
@settings(max_examples=200)
@given(st.sampled_from(FAMILIES), tools(), st.data())
def test_every_family_reads_what_it_writes(family: Family, made: tuple[Tool, ...], data: st.DataObject) -> None:
    syntax = family.syntax
    calls: list[Call] = []
    for number, tool in enumerate(data.draw(st.lists(st.sampled_from(made), min_size=1, max_size=3))):
        keys = st.sampled_from(sorted(tool.schema["properties"]) or ["some"])
        value = data.draw(st.dictionaries(keys, VALUES, max_size=3))
        marks = {mark for mark in ("</", "<|", "<escape>", "\\") if mark in json.dumps(value)}
        value = {} if marks else fitting(tool, value)
        calls.append(Call(f"call{number}", tool.name, value))
    events = read(syntax, [write_calls(syntax, calls, made)], tools=made)
    assert [(event.name) for event in events if isinstance(event, CallStart)] == [call.name for call in calls]
    assert [orjson.loads(joined) for joined in inputs(events)] == [call.input for call in calls]
    assert text_of(events).strip() == ""


@pytest.mark.promise("tools.lenient-reading")
@pytest.mark.parametrize("enforced", [True, False])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        # either quote, white space anywhere
        (
            "<function_calls>  <invoke\n name='get_weather' >\n\n <parameter  name='location'>SF</parameter> </invoke>",
            called("get_weather", '{"location": "SF"}'),
        ),
        # no section around the call, text behind it
        (
            'Hm: <invoke name="get_time"></invoke> there',
            [TextDelta("Hm: "), *called("get_time", "{}"), TextDelta(" there")],
        ),
        # final tags that are missing
        ('<invoke name="get_weather"><parameter name="location">SF', called("get_weather", '{"location": "SF"}')),
        (
            '<invoke name="get_weather"><parameter name="location">SF</invoke>\n</function_calls>\n',
            called("get_weather", '{"location": "SF"}'),
        ),
        (
            '<function_calls><invoke name="get_weather"><parameter name="location">SF</parameter>',
            called("get_weather", '{"location": "SF"}'),
        ),
        # values by the type that the schema gives them
        (
            '<invoke name="get_weather"><parameter name="days"> 3 </parameter><parameter name="note">null</parameter>'
            '<parameter name="hours">[1, 2,]</parameter><parameter name="location">7</parameter></invoke>',
            called("get_weather", '{"days": 3, "note": null, "hours": [1, 2], "location": "7"}'),
        ),
        (
            '<invoke name="get_weather"><parameter name="days">soon</parameter><parameter name="note">nullify</parameter></invoke>',
            called("get_weather", '{"days": "soon", "note": "nullify"}'),
        ),
        (
            '<invoke name="anything"><parameter name="a">True</parameter><parameter name="b">x</parameter></invoke>',
            called("anything", '{"a": true, "b": "x"}'),
        ),
        # a list may hold the closing tag in a string
        (
            '<invoke name="anything"><parameter name="a"> ["</parameter>", {"b": "</invoke>"}] </parameter></invoke>',
            called("anything", '{"a": ["</parameter>", {"b": "</invoke>"}]}'),
        ),
        (
            '<invoke name="anything"><parameter name="a">[draft] a</parameter></invoke>',
            called("anything", '{"a": "[draft] a"}'),
        ),
        # tags of other kinds are part of a value
        (
            '<invoke name="get_weather"><parameter name="location"><b></invoke> </b></parameter></invoke>',
            called("get_weather", '{"location": "<b></invoke> </b>"}'),
        ),
    ],
)
def test_calls_are_read_as_models_write_them(text: str, told: list[ReplyEvent], enforced: bool) -> None:
    assert read(SYNTAX, [text], enforced=enforced) == told
    assert read(SYNTAX, list(text), enforced=enforced) == told


@pytest.mark.promise("tools.unknown-is-text")
@pytest.mark.parametrize("enforced", [True, False])
def test_a_call_of_an_unknown_tool_is_text_and_so_is_what_it_holds(enforced: bool) -> None:
    inner = '<invoke name="nobody"><parameter name="x"><invoke name="get_time"></invoke></parameter></invoke>'
    assert read(SYNTAX, [f"a {inner} b"], enforced=enforced) == [TextDelta(f"a {inner} b")]


@pytest.mark.promise("tools.unknown-is-text")
@pytest.mark.parametrize(
    "text",
    [
        'Write <invoke name="get_time"> to call it.',
        "<function_calls> and <invoke> are tags.",
        '<tool_call>\n{"name": "get_time", "arguments": {"a": }}\n</tool_call>',
    ],
)
def test_what_cannot_be_read_as_a_call_is_text_where_nothing_enforces_one(text: str) -> None:
    for family in FAMILIES:
        assert read(family.syntax, [text], enforced=False) == [TextDelta(text)]


@pytest.mark.promise("streaming.input-json-delta")
def test_a_string_is_told_while_it_is_written() -> None:
    from antiphon.render.reading.calls import CallReader

    reader = CallReader(SYNTAX, TOOLS, lambda: "id")
    assert reader.feed('<function_calls>\n<invoke name="get_weather">\n<parameter name="location">') == [
        CallStart("id", "get_weather"),
        CallArguments('{"location": "'),
    ]
    assert reader.feed('one "two"') == [CallArguments('one \\"two\\"')]
    assert reader.feed("\n </para") == [CallArguments("\\n ")]
    assert reader.feed("meter> or so </par") == [CallArguments("</parameter> or so ")]
    assert reader.feed("ameter>\n<par") == []
    assert reader.feed('ameter name="') == [CallArguments('"')]
    assert reader.feed('hours"> [1, ') == [CallArguments(', "hours": [1')]
    assert reader.feed("2]</parameter>\n") == [CallArguments(", 2]")]
    assert reader.feed("</invoke>") == [CallArguments("}"), CallEnd()]


@pytest.mark.promise("tool-results.cut-off-call")
@pytest.mark.parametrize("forced", [True, False])
def test_a_call_cut_off_anywhere_is_the_beginning_of_an_object(forced: bool) -> None:
    for end in range(len(CALL)):
        events = read(SYNTAX, [CALL[:end]], cut=True, forced=forced)
        kinds = [type(event) for event in events]
        if CallStart not in kinds:
            # A tag that is not complete may be anything, unless nothing but a call could come.
            assert text_of(events) == ("" if forced or "<function_calls>" in CALL[:end] else CALL[:end])
            continue
        assert kinds[0] is CallStart
        assert kinds[-1] is CallEnd
        (joined,) = inputs(events)
        assert INPUT.startswith(joined)
        jiter.from_json(joined.encode() or b"{}", partial_mode=True)


@pytest.mark.promise("tool-results.cut-off-call")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_forced_call_has_begun_before_it_has_a_name_where_only_one_can_be_meant(family: Family) -> None:
    syntax = family.syntax
    text = write_calls(syntax, [Call("call", "get_time", {})], TOOLS)
    begun = [CallStart("id0", "get_time"), CallEnd()]
    for end in range(text.index("get_time") + len("get_t")):
        asked: dict[str, Any] = {"cut": True, "forced": True}
        assert read(syntax, [text[:end]], tools=[CLOCK], **asked) == begun
        assert read(syntax, [text[:end]], named="get_time", **asked) == begun
        told = read(syntax, [text[:end]], **asked)
        # Of several tools none is meant before the name tells them apart.
        assert told == (begun if text[:end].endswith("get_t") else [])


def test_what_only_the_client_may_tell_ends_the_reply_once_a_call_was_made() -> None:
    results = "\n<function_results>\nSunny."
    assert read(SYNTAX, list(CALL + results)) == [*called("get_weather", INPUT), TextDelta("\n")]
    assert text_of(read(SYNTAX, [results])) == results


def test_long_values_are_read_in_time_that_grows_with_their_length() -> None:
    value = "<a></b> & {x: 1} " * 4000
    text = f'<invoke name="get_weather"><parameter name="location">{value}</parameter></invoke>'
    pieces = [text[at : at + 5] for at in range(0, len(text), 5)]
    assert inputs(read(SYNTAX, pieces)) == [json.dumps({"location": value})]
    assert WEATHER in TOOLS


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize(("levels", "whole"), [(MOST_DEPTH - 1, True), (MOST_DEPTH + 1, False)])
def test_a_call_that_nests_too_deep_is_completed_and_says_that_it_is_not_whole(
    family: Family, levels: int, whole: bool
) -> None:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    text = write_calls(family.syntax, [Call("toolu_1", "nested", {"a": value})], [NESTED])
    events = read(family.syntax, [text], tools=[NESTED])
    assert [event.whole for event in events if isinstance(event, CallEnd)] == [whole]
    [told] = inputs(events)
    assert (orjson.loads(told) == {"a": value}) is whole

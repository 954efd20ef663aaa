"""JSON that a model writes comes out as JSON, whatever the cut and whatever the slip."""

import json
from typing import Any

import jiter
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.render.reading.json_stream import JsonStream, as_json, escaped
from antiphon.render.reading.nesting import MOST_DEPTH
from tests.render.tool_cases import VALUES, cuts

SLIPS = st.text(alphabet="{}[]\":,\\u'a1-.e tTrueNnlfF\nd8c0", max_size=30)


def through(pieces: list[str]) -> tuple[str, JsonStream]:
    stream = JsonStream(object_only=True)
    return "".join(stream.feed(piece)[0] for piece in pieces), stream


@given(st.data(), st.dictionaries(st.text(max_size=8), VALUES, max_size=4), st.booleans(), st.sampled_from([None, 2]))
def test_an_object_comes_out_as_it_is_under_every_cut(
    data: st.DataObject, value: dict[str, Any], ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    whole, stream = through(data.draw(cuts(text)))
    assert stream.done
    assert not stream.broken
    assert orjson.loads(whole) == value


@given(st.data(), SLIPS)
def test_what_came_out_can_be_completed_at_any_time(data: st.DataObject, text: str) -> None:
    text = "{" + text
    pieces = data.draw(cuts(text))
    whole, stream = through(pieces)
    jiter.from_json(whole.encode(), partial_mode=True)
    if whole:
        assert isinstance(orjson.loads(whole + ("" if stream.done else stream.closing())), dict)
    assert through([text])[0] == whole


@given(SLIPS)
def test_a_value_is_read_as_json_or_not_at_all(text: str) -> None:
    read = as_json(text)
    if read is not None:
        orjson.loads(read)


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("{'a': 'it''s'}", None),
        ("{'a': 'b'}", {"a": "b"}),
        ("{'a': 'say \"b\"'}", {"a": 'say "b"'}),
        ('{"a": True, "b": None, "c": False}', {"a": True, "b": None, "c": False}),
        ('{"a": [1, 2,],}', {"a": [1, 2]}),
        ('{"a": "two\nlines\tand a tab"}', {"a": "two\nlines\tand a tab"}),
        ('{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        ('{"a": "\\ud83d"}', {"a": "\ufffd"}),
        ('{"a": "\\ude00\\u0041"}', {"a": "\ufffdA"}),
        ('{"a": "\\q"}', {"a": "\\q"}),
        ('{"a": 01}', None),
        ('{"a": 1.}', None),
        ('{"a" 1}', None),
        ('{"a": 1 2}', None),
        ("{,}", None),
        ("[1]", None),
        ("1", None),
        ('{"a": NaN}', None),
        ('{"a": -1e999}', None),
        ('{"a": 1e-999}', {"a": 0.0}),
    ],
)
def test_small_slips_are_put_right_and_others_are_named(slip: str, meant: Any) -> None:
    whole, stream = through([slip])
    if meant is None:
        assert stream.broken
    else:
        assert stream.done
        assert orjson.loads(whole) == meant


def test_what_is_nested_too_deeply_for_clients_is_refused() -> None:
    deep = '{"a":' + "[" * MOST_DEPTH
    assert through([deep])[1].broken
    whole, stream = through([deep[:-1]])
    assert not stream.broken
    orjson.loads(whole + stream.closing())


@given(st.text())
def test_text_inside_of_a_json_string_is_that_text(text: str) -> None:
    assert orjson.loads(f'"{escaped(text)}"') == text

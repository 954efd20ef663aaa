"""Items cut out of a body: the same however the body comes in pieces, and only out of JSON."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import ApiError
from antiphon.request.batches.cutting import Cutter

MOST = 1000

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a"\\{}[],:é \n'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='"\\{}k'), inner, max_size=3),
    max_leaves=10,
)


def cut(body: bytes, size: int = 1 << 20) -> list[bytes]:
    cutter = Cutter(MOST)
    items = [item for at in range(0, len(body), size) for item in cutter.feed(body[at : at + size])]
    cutter.end()
    return items


def outcome(body: bytes, size: int) -> list[bytes] | str:
    try:
        return cut(body, size)
    except ApiError as error:
        return error.message


@given(st.lists(VALUES, max_size=4), st.integers(1, 9), st.booleans())
def test_items_are_those_of_the_array_however_it_comes(values: list[Any], size: int, spaced: bool) -> None:
    body = json.dumps({"requests": values}, indent=1 if spaced else None, ensure_ascii=False).encode()
    assert [json.loads(item) for item in cut(body, size)] == values


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The request body is not valid JSON: it is empty"),
        (b"[]", "The request body should be a JSON object"),
        (b"{}", "requests: Field required"),
        (b'{"requests":{}}', "requests: Input should be a valid array"),
        (b'{"requests":null}', "requests: Input should be a valid array"),
        (b'{"model":"x","requests":[]}', "model: Extra inputs are not permitted"),
        (b'{"requests":[],"model":"x"}', "model: Extra inputs are not permitted"),
        (b'{"requests":[],"requests":[]}', "The request body is not valid JSON: it has requests twice"),
        (b'{"requests":[{}', "The request body is not valid JSON: it ends too early"),
        (b'{"requests":["', "The request body is not valid JSON: it ends too early"),
        (b'{"requests":[{},]}', "The request body is not valid JSON: ] stands where it cannot"),
        (b'{"requests":[{} {}]}', "The request body is not valid JSON: { stands where it cannot"),
        (b'{"requests":[],}', "The request body is not valid JSON: } stands where it cannot"),
        (b'{"requests":[]}{}', "The request body is not valid JSON: there is something behind its end"),
        (b'{"requests" []}', "The request body is not valid JSON: [ stands where it cannot"),
        (b'{"requests":[' + b"1" * 2000, "The request body is not valid JSON: it holds what is no value"),
    ],
)
def test_what_is_no_such_body_is_refused_however_it_comes(body: bytes, message: str) -> None:
    assert [outcome(body, size) for size in (1, 2, 7, 1 << 20)] == [message] * 4


def test_an_item_that_is_too_large_is_refused_before_it_is_whole() -> None:
    cutter = Cutter(MOST)
    with pytest.raises(ApiError, match="Request exceeds the maximum size") as caught:
        list(cutter.feed(b'{"requests":[{"a":"' + b"x" * MOST))
    assert caught.value.status == 413


def test_an_item_that_is_cut_is_held_no_longer() -> None:
    cutter = Cutter(MOST)
    begin, item = b'{"requests":[', b'{"a":"' + b"x" * 900 + b'"}'
    assert list(cutter.feed(begin + item)) == [item]
    for _ in range(50):
        assert list(cutter.feed(b"," + item)) == [item]
    assert cutter.held == 0

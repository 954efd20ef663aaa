"""The schema checker says of every value what the draft's own metaschema says of it."""

import json
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY

from antiphon.wire.tools.schemas import is_schema

META: Any = Draft202012Validator(cast("Any", Draft202012Validator.META_SCHEMA))

DRAFT = "https://json-schema.org/draft/2020-12"
VOCABULARIES = "core applicator unevaluated validation meta-data format-annotation content"


def keywords(address: str) -> list[str]:
    """The keywords that one of the draft's metaschemas speaks of."""
    return list(cast("Any", REGISTRY[address].contents)["properties"])


KEYWORDS = [
    *keywords(f"{DRAFT}/schema"),
    *(keyword for name in VOCABULARIES.split() for keyword in keywords(f"{DRAFT}/meta/{name}")),
    "x-unknown",
]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.sampled_from([0.5, 2.0, -1.0])
    | st.sampled_from(["object", "string", "a", "#", "a#", "#a", "", "1a", "_a-b.c", "é", "https://example.com/a#"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
    ),
    max_leaves=12,
)


@pytest.mark.promise("intake.draft-2020-12")
@settings(max_examples=600)
@given(VALUES)
@example({"type": ["string", "string"]})
@example({"required": ["a", 1]})
@example({"dependencies": {"a": ["b", "b"], "c": True}})
@example({"dependencies": {"a": []}})
@example({"items": []})
@example({"enum": []})
@example({"allOf": []})
@example({"maxLength": 5.0, "minLength": -1})
@example({"multipleOf": 0})
def test_a_value_is_a_schema_when_the_metaschema_says_so(value: Any):
    assert is_schema(value) == META.is_valid(value), json.dumps(value)


@pytest.mark.promise("intake.draft-2020-12")
@pytest.mark.parametrize("keyword", KEYWORDS)
@pytest.mark.parametrize(
    "operand", [None, True, -1, 0, 1, 1.5, "a", "object", "#", [], ["a"], ["a", "a"], [{}], [1], {}, {"a": 1}, {"a": {}}, {"a": ["b"]}],
    ids=str,
)  # fmt: skip
def test_every_keyword_takes_what_the_metaschema_lets_it_take(keyword: str, operand: Any):
    for schema in ({keyword: operand}, {"properties": {"p": {keyword: operand}}}):
        assert is_schema(schema) == META.is_valid(schema)


@pytest.mark.promise("intake.draft-2020-12")
def test_depth_is_no_obstacle():
    good: Any = True
    bad: Any = {"type": "text"}
    for _ in range(900):
        good, bad = {"items": good}, {"items": bad}
    assert is_schema(good)
    assert not is_schema(bad)


def test_a_large_schema_is_judged_without_being_remembered():
    large = {"properties": {f"p{n}": {"type": "string"} for n in range(5_000)}}
    assert is_schema(large)
    assert not is_schema({**large, "required": "p1"})

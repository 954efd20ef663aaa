"""The texts that a schema lists for a parameter, and which of them a value may still be."""

from typing import Any

import pytest

from antiphon.render.families.fixed_texts import FixedTexts, anywhere, of_parameter


def schema(told: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": told}, "$defs": {"word": {"const": "w"}}}


@pytest.mark.parametrize(
    ("told", "texts"),
    [
        ({"const": "x"}, {"x"}),
        ({"enum": ["x", 1, "y"]}, {"x", "y"}),
        ({"anyOf": [{"const": "x"}, {"$ref": "#/$defs/word"}]}, {"x", "w"}),
        ({"type": "string"}, set[str]()),
    ],
)
def test_what_is_listed_for_a_parameter_is_found_whichever_way_it_goes(told: dict[str, Any], texts: set[str]) -> None:
    assert of_parameter("a", schema(told)) == texts
    assert of_parameter("b", schema(told)) == set()


def test_what_is_listed_in_any_depth_is_found() -> None:
    assert anywhere({"properties": {"a": {"items": {"properties": {"const": {"const": "deep"}}}}}}) == {"deep"}


def test_a_circle_of_references_ends() -> None:
    circle: dict[str, Any] = {"properties": {"a": {"$ref": "#/properties/a", "const": "x"}}}
    assert of_parameter("a", circle) == {"x"}


def test_texts_fall_away_as_the_value_is_read_and_the_longest_comes_first() -> None:
    fixed = FixedTexts(["ab", "abc", "x"])
    fixed.passed("a")
    assert fixed.rests == ["bc", "b"]
    fixed.passed("bc")
    assert fixed.rests == [""]

"""Values are judged against a client's schema in bounded work."""

from typing import Any

import pytest

from antiphon.schema.instances import TooMuchWork, bounded_validator


def complaints(schema: dict[str, Any], value: object, steps: int = 1_000) -> list[str]:
    return [problem.message for problem in bounded_validator(schema, [steps]).iter_errors(value)]


def test_a_value_of_the_schema_has_nothing_wrong_with_it() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    assert complaints(schema, {"a": 1}) == []
    assert complaints(schema, {"a": "1"}) == ["'1' is not of type 'integer'"]


def test_properties_and_required_may_be_null() -> None:
    assert complaints({"type": "object", "properties": None, "required": None}, {"a": 1}) == []


def test_more_keywords_than_were_allowed_are_not_judged() -> None:
    schema = {"type": "array", "items": {"type": "integer"}}
    with pytest.raises(TooMuchWork):
        complaints(schema, list(range(100)), steps=10)

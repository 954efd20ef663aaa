"""Input examples against their schemas, hostile ones included."""

import pytest

from tests.request.requests import Json, body, tool, verdict, wrong

PLACE: Json = {
    "type": "object",
    "properties": {"city": {"type": "string", "pattern": "^[A-Z]"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city"],
    "additionalProperties": False,
}


def exemplified(schema: Json, *examples: Json) -> Json:
    return body(tools=[tool(), {"name": "b", "input_schema": schema, "input_examples": list(examples)}])


@pytest.mark.promise("tools.input-examples")
@pytest.mark.parametrize(
    ("example", "message"),
    [
        ({"city": 1}, ".city: example does not match input_schema: 1 is not of type 'string'"),
        ({}, ": example does not match input_schema: 'city' is a required property"),
        ({"city": "Rome", "days": 0}, ".days: example does not match input_schema: 0 is less than the minimum of 1"),
        ({"city": "rome"}, ".city: example does not match input_schema: 'rome' does not match '^[A-Z]'"),
        (
            {"city": "Rome", "x": 1},
            ": example does not match input_schema: Additional properties are not allowed ('x' was unexpected)",
        ),
    ],
)
def test_an_example_that_its_schema_forbids_is_refused(example: Json, message: str) -> None:
    refusal = verdict(exemplified(PLACE, {"city": "Oslo"}, example))
    assert refusal == f"tools.1.custom.input_examples.1{message}"


@pytest.mark.promise("tools.input-examples")
@pytest.mark.parametrize(
    ("schema", "example"),
    [
        (PLACE, {"city": "Oslo", "days": 3}),
        ({"type": "object", "properties": None, "required": None}, {"anything": 1}),
        ({"type": "object", "properties": {"a": {"pattern": "^(?=x)y"}}}, {"a": "look-around is not judged"}),
        ({"type": "object", "properties": {"a": {"uniqueItems": True}}}, {"a": [1, {"b": 2}, {"b": 3}]}),
        (
            {"type": "object", "patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": False},
            {"x-a": "b"},
        ),
        (
            {"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"type": "null"}}},
            {"a": None},
        ),
    ],
)
def test_an_example_that_its_schema_allows_is_accepted(schema: Json, example: Json) -> None:
    assert wrong(exemplified(schema, example)) is None


TOO_LARGE = (
    "tools.1.custom.input_examples: the examples are too large to be checked against input_schema. Use fewer or smaller "
    "examples."
)

DOUBLING = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)} | {"d40": {"type": "null"}}


@pytest.mark.parametrize(
    ("schema", "example", "message"),
    [
        ({"$defs": DOUBLING, "properties": {"a": {"$ref": "#/$defs/d0"}}}, {"a": 1}, TOO_LARGE),
        ({"$defs": {"a": {"$ref": "#/$defs/a"}}, "additionalProperties": {"$ref": "#/$defs/a"}}, {"a": 1}, TOO_LARGE),
        ({}, {"a": "x" * 40_000}, TOO_LARGE),
        (
            {"properties": {"a": {"$ref": "http://127.0.0.1:9/schema"}}},
            {"a": 1},
            "tools.1.custom.input_schema: $ref 'http://127.0.0.1:9/schema' cannot be resolved within the schema",
        ),
        (
            {"properties": {"a": {"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "(a+)+$"}}},
            {"a": "a" * 30 + "b"},
            "tools.1.custom.input_examples.0.a: example does not match input_schema: "
            f"'{'a' * 30}b' does not match '(a+)+$'",
        ),
        (
            {"properties": {"a": {"uniqueItems": True}}},
            {"a": [{"b": 1}, {"b": 1}]},
            "tools.1.custom.input_examples.0.a: example does not match input_schema: "
            "[{'b': 1}, {'b': 1}] has non-unique elements",
        ),
    ],
)
def test_a_hostile_schema_is_answered_at_once(schema: Json, example: Json, message: str) -> None:
    assert verdict(exemplified({"type": "object", **schema}, example)) == message

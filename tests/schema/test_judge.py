"""Judging schemas: places and reasons of problems, bounds on the work, and what is left of a schema."""

from time import process_time
from typing import Any

import pytest

from antiphon.render.grammar.schemas import compilable, has_own_bounds, problem, relaxed
from antiphon.schema import judge
from tests.schema.real import REAL
from tests.schema.sampler import Sampler, allows

Json = Any

BOUNDED = 30.0
"""Seconds of the processor. What is bounded takes less than one; what is not takes minutes, or for ever."""

PLACES: dict[str, tuple[Json, str]] = {
    "a keyword of a parameter": (
        {"type": "object", "properties": {"tags": {"type": "array", "uniqueItems": True}}},
        "properties.tags.uniqueItems: For 'array' type, property 'uniqueItems' is not supported",
    ),
    "behind a reference": (
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"not": {}}}},
        "$defs.x.not: negated schemas are not supported",
    ),
    "a pattern": (
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=a)"}}},
        "properties.a.pattern: Unsupported regex feature in pattern field: look-around",
    ),
    "a circle": ({"$ref": "#"}, "Circular $ref detected"),
    "a reference to nowhere": (
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}},
        "properties.a.$ref: '#/$defs/x' cannot be resolved within the schema",
    ),
    "nothing fits": ({"type": "string", "minLength": 3, "maxLength": 2}, "no value satisfies this schema"),
}


@pytest.mark.promise("strict.what-cannot-be-guaranteed-is-refused")
@pytest.mark.parametrize("name", PLACES)
def test_a_problem_names_its_place_and_reason(name: str):
    schema, words = PLACES[name]
    assert problem(schema) == words


def _nested(levels: int) -> Json:
    schema: Json = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def _doubling(applicator: str) -> Json:
    names = [{applicator: [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(25)]
    definitions = {f"d{n}": schema for n, schema in enumerate(names)} | {"d25": {"type": "string"}}
    return {"$ref": "#/$defs/d0", "$defs": definitions}


HOSTILE: dict[str, Json] = {
    "nested deeply": _nested(300),
    "nested very deeply": _nested(5_000),
    "alternatives that double": _doubling("anyOf"),
    "alternatives that multiply": {
        "allOf": [{"anyOf": [{"required": [f"a{n}"]}, {"required": [f"b{n}"]}]} for n in range(30)]
    },
    "a million items": {"type": "array", "items": {}, "minItems": 10**6, "maxItems": 10**9},
    "long texts": {"type": "string", "minLength": 10**9, "maxLength": 10**10},
    "patterns that multiply": {"allOf": [{"type": "string", "pattern": f"x{n}"} for n in range(30)]},
    "a pattern with many states": {
        "type": "string",
        "pattern": "^(a|b)*a(a|b){20}$",
        "minLength": 30,
        "maxLength": 900,
    },
    "properties that are a list": {"type": "object", "properties": [1, 2]},
    "a type that is a number": {"type": 7, "items": [{}]},
    "a reference that is a number": {"$ref": 5},
    "a bound that is a text": {"type": "number", "minimum": "a"},
    "a surrogate": {"type": "object", "properties": {"\ud800": {}}},
}


@pytest.mark.promise("strict.never-a-500")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_schema_costs_little_and_never_raises(name: str):
    began = process_time()
    judgement = judge(HOSTILE[name])
    assert judgement.problem is not None
    assert Sampler(dict(relaxed(HOSTILE[name]))).draw(1)
    assert process_time() - began < BOUNDED


@pytest.mark.promise("strict.never-a-500")
def test_a_large_schema_is_read_in_bounded_time():
    wide = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(1000)}}
    many = {"enum": [f"value {n}" for n in range(5000)]}
    began = process_time()
    assert judge(wide).problem is None
    assert judge(many).problem is None
    assert process_time() - began < BOUNDED


def test_the_relaxed_schema_keeps_everything_but_what_cannot_be_guaranteed():
    schema = {
        "type": "object",
        "properties": {
            "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
            "name": {"type": "string", "pattern": r"^(x)\1"},
            "size": {"not": {"type": "string"}},
            "kind": {"enum": ["a", "b"]},
        },
        "required": ["tags", "kind"],
    }
    form = relaxed(schema)
    assert allows(form, '{"tags": ["a", "a"], "name": "x", "size": "s", "kind": "a"}')
    assert not allows(form, '{"tags": [1], "kind": "a"}')
    assert not allows(form, '{"tags": []}')
    assert not allows(form, '{"tags": [], "kind": "c"}')
    assert not allows(form, '{"tags": [], "name": 1, "kind": "a"}')


def test_the_properties_of_a_schema_too_complex_for_the_whole_are_kept_one_by_one():
    schema = {
        "type": "object",
        "properties": {"good": {"type": "integer"}, "bad": _doubling("anyOf")["$defs"]["d0"]},
        "$defs": _doubling("anyOf")["$defs"],
        "required": ["good"],
    }
    form = relaxed(schema)
    assert allows(form, '{"good": 1, "bad": [null]}')
    assert not allows(form, '{"bad": [null]}')
    assert not allows(form, '{"good": "x"}')


def test_judging_is_remembered():
    schema = REAL["questions to the user"]
    assert judge(schema).form is judge(dict(schema)).form


def test_the_root_of_a_recursive_schema_shows_its_parameters():
    schema: Json = {"type": "object", "properties": {"v": {"type": "null"}, "next": {"$ref": "#"}}, "required": ["v"]}
    form = compilable(schema)
    assert form is not None
    assert list(form["properties"]) == ["v", "next"]
    assert form["required"] == ["v"]
    assert allows(form, '{"v": null, "next": {"v": null}}')


@pytest.mark.parametrize(
    ("schema", "own"),
    [
        ({"type": "integer"}, False),
        ({"type": "number"}, False),
        ({"type": "string", "maxLength": 3}, False),
        ({"type": "integer", "minimum": 0}, True),
        ({"type": "number", "exclusiveMaximum": 1}, True),
        ({"type": "integer", "multipleOf": 5}, True),
    ],
)
def test_bounds_that_the_client_did_not_set_are_told_from_its_own(schema: Json, own: bool):
    form = compilable(schema)
    assert form is not None
    assert has_own_bounds(form) is own


@pytest.mark.promise("strict.what-is-written-satisfies-the-schema")
@pytest.mark.parametrize("text", ["1e999", "1" * 400, "-" + "9" * 30])
def test_a_number_that_readers_refuse_cannot_be_written(text: str):
    for schema in ({"type": "number"}, {"type": "integer"}, {}, {"type": ["number", "string"]}):
        form = compilable(schema)
        assert form is not None
        assert not allows(form, text)

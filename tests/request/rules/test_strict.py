"""Strict tools and output formats: the documented limits and texts, and what can be guaranteed."""

from typing import Any

import orjson
import pytest

from antiphon.request.case import Case, Issue, Rule
from antiphon.request.intake import parse_create
from antiphon.request.rules.strict import guaranteed_format, guaranteed_tools, most_strict
from tests.request.requests import CATALOGUE, LOCAL, Json, body, context, wrong
from tests.schema.real import REAL

OLD_FORMAT = "structured-outputs-2025-11-13"

CLOSED: Json = {"type": "object", "properties": {}, "additionalProperties": False}


def judged(rule: Rule, request: Json, *betas: str) -> Issue | None:
    headers = context(*betas)
    profile = CATALOGUE.resolve(LOCAL)
    assert profile is not None
    return rule(Case(parse_create(orjson.dumps(request), headers), profile, headers))


def words(rule: Rule, request: Json, *betas: str) -> str | None:
    issue = judged(rule, request, *betas)
    return None if issue is None else issue.message


def tool(schema: Json, name: str = "a", *, strict: bool = True) -> Json:
    return {"name": name, "strict": strict, "input_schema": schema}


def shaped(schema: Json) -> Json:
    return body(output_config={"format": {"type": "json_schema", "schema": schema}})


def parameters(count: int, required: int, kind: Any = "string") -> Json:
    names = [f"p{n}" for n in range(count)]
    return {**CLOSED, "properties": {name: {"type": kind} for name in names}, "required": names[:required]}


# ---------------------------------------------------------------------------------------------------------- limits
@pytest.mark.promise("strict.limits")
@pytest.mark.parametrize(("count", "refused"), [(20, False), (22, True)])
def test_twenty_tools_may_be_strict(count: int, refused: bool):
    request = body(tools=[tool(CLOSED, f"t{n}") for n in range(count)])
    text = (
        f"Too many strict tools ({count}). The maximum number of strict tools supported is 20. Try reducing the number "
        "of tools marked as strict."
    )
    assert words(most_strict, request) == (text if refused else None)


@pytest.mark.promise("strict.limits")
def test_optional_parameters_are_counted_over_all_strict_schemas():
    def request(optional: int) -> Json:
        nested = {
            **CLOSED,
            "properties": {"items": {"type": "array", "items": parameters(6, 1)}},
            "required": ["items"],
        }
        return {**shaped(parameters(optional, 0)), "tools": [tool(parameters(14, 2)), tool(nested, "b")]}

    assert words(most_strict, request(7)) is None
    assert words(most_strict, request(8)) == (
        "Schemas contains too many optional parameters (25), which would make grammar compilation inefficient. Reduce "
        "the number of optional parameters in your tool schemas (limit: 24)."
    )


@pytest.mark.promise("strict.limits")
def test_union_typed_parameters_are_counted_over_all_strict_schemas():
    def request(unions: int) -> Json:
        any_of = {"anyOf": [{"type": "string"}, {"type": "null"}]}
        other = {**CLOSED, "properties": {"x": any_of, "y": any_of}, "required": ["x", "y"]}
        return body(tools=[tool(parameters(unions, unions, ["string", "null"])), tool(other, "b")])

    assert words(most_strict, request(14)) is None
    assert words(most_strict, request(30)) == (
        "Schemas contains too many parameters with union types (32 parameters with type arrays or anyOf). This causes "
        "exponential compilation cost. Reduce the number of nullable or union-typed parameters (limit: 16 parameters "
        "with unions)."
    )


def test_tools_that_are_not_strict_are_not_counted():
    request = body(tools=[tool(parameters(200, 0, ["string", "null"]), f"t{n}", strict=False) for n in range(40)])
    assert words(most_strict, request) is None


# ----------------------------------------------------------------------------------------------------------- tools
@pytest.mark.promise("strict.more-than-the-documented-subset")
@pytest.mark.parametrize("name", REAL)
def test_a_schema_of_a_real_client_may_be_strict(name: str):
    assert words(guaranteed_tools, body(tools=[tool(REAL[name])])) is None


REFUSED: dict[str, tuple[Json, str]] = {
    "unique items": (
        {"tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True}},
        "tools.0.custom.input_schema.properties.tags.uniqueItems: For 'array' type, property 'uniqueItems' is not "
        "supported",
    ),
    "a pattern that looks around": (
        {"id": {"type": "string", "pattern": "^(?!0)"}},
        "tools.0.custom.input_schema.properties.id.pattern: Unsupported regex feature in pattern field: look-around",
    ),
    "a conditional schema": (
        {"a": {"if": {"const": 1}, "then": {"type": "integer"}}},
        "tools.0.custom.input_schema.properties.a.if: conditional schemas are not supported; use anyOf",
    ),
    "an external reference": (
        {"a": {"$ref": "https://example.com/a.json"}},
        "tools.0.custom.input_schema.properties.a.$ref: 'https://example.com/a.json' cannot be resolved within the "
        "schema",
    ),
    "a recursion without an end": (
        {"a": {"$ref": "#/properties/a"}},
        "tools.0.custom.input_schema.properties.a: Circular $ref detected",
    ),
    "branches that overlap": (
        {"a": {"oneOf": [{"type": "string"}, {"minLength": 2}]}},
        "tools.0.custom.input_schema.properties.a.oneOf: the branches cannot be told apart; use anyOf, or a required "
        "const in each",
    ),
}


@pytest.mark.promise("strict.what-cannot-be-guaranteed-is-refused")
@pytest.mark.parametrize("name", REFUSED)
def test_a_strict_tool_that_cannot_be_guaranteed_is_refused_with_place_and_reason(name: str):
    properties, text = REFUSED[name]
    schema = {"type": "object", "properties": properties}
    assert words(guaranteed_tools, body(tools=[tool(schema)])) == text
    assert words(guaranteed_tools, body(tools=[tool(schema, strict=False)])) is None


def test_a_schema_with_nulls_where_the_api_takes_them_may_be_strict():
    schema = {"type": "object", "properties": None, "required": None, "additionalProperties": False}
    assert words(guaranteed_tools, body(tools=[tool(schema)])) is None


# ---------------------------------------------------------------------------------------------------------- format
OPEN = "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"


@pytest.mark.promise("format.closed-objects")
@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        {"type": "array", "items": {"type": "object"}},
        {**CLOSED, "properties": {"a": {"anyOf": [{"type": "null"}, {"type": ["object", "null"]}]}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {}}}},
    ],
)
def test_every_object_of_an_output_format_is_closed(schema: Json):
    assert words(guaranteed_format, shaped(schema)) == OPEN


@pytest.mark.promise("strict.more-than-the-documented-subset")
def test_an_output_format_may_have_bounds_and_recursion():
    node = {**CLOSED, "properties": {"n": {"type": "integer", "minimum": 1}, "next": {"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]}}}  # fmt: skip
    assert (
        words(guaranteed_format, shaped({"$ref": "#/$defs/n", "$defs": {"n": {**node, "required": ["n", "next"]}}}))
        is None
    )


FORMATS: dict[str, tuple[Json, str]] = {
    "no type": (
        {"title": "x"},
        "output_config.format.schema: Invalid schema: Schema type is missing for schema: {'title': 'x'}",
    ),
    "no schema": (
        {"type": "objekt"},
        "output_config.format.schema: JSON schema is invalid. It must match JSON Schema draft 2020-12 "
        "(https://json-schema.org/draft/2020-12).",
    ),
    "what cannot be guaranteed": (
        {**CLOSED, "properties": {"a": {"not": {}}}},
        "output_config.format.schema.properties.a.not: negated schemas are not supported",
    ),
    "what nothing satisfies": (
        {"type": "integer", "minimum": 2, "maximum": 1},
        "output_config.format.schema: no value satisfies this schema",
    ),
}


@pytest.mark.promise("strict.what-cannot-be-guaranteed-is-refused")
@pytest.mark.parametrize("name", FORMATS)
def test_an_output_format_that_cannot_be_kept_is_refused(name: str):
    schema, text = FORMATS[name]
    assert words(guaranteed_format, shaped(schema)) == text


def test_the_older_key_of_the_format_has_its_own_path():
    request = body(output_format={"type": "json_schema", "schema": {"type": "object"}})
    text = OPEN.replace("output_config.format", "output_format")
    assert words(guaranteed_format, request, OLD_FORMAT) == text


def test_a_request_without_strict_schemas_has_no_problem():
    for rule in (most_strict, guaranteed_tools, guaranteed_format):
        assert words(rule, body()) is None


@pytest.mark.promise("format.not-with-citations-prefill-or-no-output")
def test_a_format_does_not_go_with_prefill_citations_or_no_output():
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}}
    cited = {"role": "user", "content": [{**document, "citations": {"enabled": True}}]}
    prefilled = {"role": "assistant", "content": "{"}
    question = {"role": "user", "content": "Hello"}
    for changes in ({"messages": [cited]}, {"messages": [question, prefilled]}, {"max_tokens": 0}):
        text = wrong({**shaped(CLOSED), **changes})
        assert text is not None
        assert "output_config.format" in text

"""Strict schemas under the vendor's names: the API's subset, and its refusals word for word.

Source: public reports of 2026 that quote the API's 400s (vercel/ai#12876, agentjido/req_llm#707,
ghostlobster/memorize-everything#93 and others); what nobody has quoted is worded after them.
"""

from typing import Any

import orjson
import pytest

from antiphon.request.case import Case, Latitude
from antiphon.request.intake import parse_create
from antiphon.request.rules.strict import guaranteed_format, guaranteed_tools, most_strict
from antiphon.schema import judge
from antiphon.schema.documented import CIRCULAR, FORMATS, undocumented
from tests.request.requests import CATALOGUE, LOCAL, Json, body, context

VENDOR = "claude-sonnet-4-5-20250929"
SUBSET = Latitude()
EXTENDED = Latitude(extended_schemas=True)
BOUNDS = {"type": "integer", "minimum": 0, "maximum": 9}
TEXT = {"type": "string"}
OLD_FORMAT = "structured-outputs-2025-11-13"


def closed(**properties: Any) -> Json:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def refusal(request: Json, model: str = VENDOR, latitude: Latitude = SUBSET) -> str | None:
    headers = context(OLD_FORMAT)
    profile = CATALOGUE.resolve(model)
    assert profile is not None
    case = Case(parse_create(orjson.dumps(request), headers), profile, headers, latitude=latitude)
    issues = (rule(case) for rule in (most_strict, guaranteed_tools, guaranteed_format))
    return next((issue.message for issue in issues if issue is not None), None)


def strict(schema: Json) -> Json:
    return body(tools=[{"name": "a", "strict": True, "input_schema": schema}])


def shaped(schema: Json, key: str = "output_config") -> Json:
    asked = {"type": "json_schema", "schema": schema}
    return body(**{key: {"format": asked} if key == "output_config" else asked})


MUST_CLOSE = "For 'object' type, 'additionalProperties' must be explicitly set to false"
NOT_OPEN = "is not supported. Please set 'additionalProperties' to false"
REFUSED: dict[str, tuple[Json, str]] = {
    "bounds": (closed(n=BOUNDS), "For 'integer' type, properties maximum, minimum are not supported"),
    "one bound": (
        closed(n={"type": "number", "minimum": 0}),
        "For 'number' type, property 'minimum' is not supported",
    ),
    "a divisor": (
        closed(n={"type": "number", "multipleOf": 2}),
        "For 'number' type, property 'multipleOf' is not supported",
    ),
    "lengths": (
        closed(s={"type": "string", "minLength": 1, "maxLength": 2}),
        "For 'string' type, properties maxLength, minLength are not supported",
    ),
    "another format": (
        closed(s={"type": "string", "format": "json-pointer"}),
        "For 'string' type, format 'json-pointer' is not supported",
    ),
    "a maximum of items": (
        closed(l={"type": "array", "items": TEXT, "maxItems": 3}),
        "For 'array' type, property 'maxItems' is not supported",
    ),
    "a minimum of two items": (
        closed(l={"type": "array", "items": TEXT, "minItems": 2, "maxItems": 5}),
        "For 'array' type, 'minItems' values other than 0 or 1 are not supported (got: [2, 5])",
    ),
    "a minimum of six items": (
        closed(l={"type": "array", "items": TEXT, "minItems": 6}),
        "For 'array' type, 'minItems' values other than 0 or 1 are not supported (got: [6, ∞])",
    ),
    "names by a schema": (
        {**closed(), "propertyNames": TEXT},
        "For 'object' type, property 'propertyNames' is not supported",
    ),
    "a number of properties": (
        {**closed(), "minProperties": 1},
        "For 'object' type, property 'minProperties' is not supported",
    ),
    "items of an object": (
        closed(a={"type": ["array", "object"], "items": TEXT, "additionalProperties": False}),
        "For 'array' type, property 'additionalProperties' is not supported",
    ),
    "a word that is no keyword": ({**closed(), "name": "a"}, "For 'object' type, property 'name' is not supported"),
    "branches": (closed(a={"oneOf": [TEXT, {"type": "null"}]}), "Schema type 'oneOf' is not supported"),
    "anything": (
        closed(a={"title": "Value", "default": None}),
        "Invalid schema: Schema type is missing for schema: {'title': 'Value', 'default': None}",
    ),
    "values of a list of types": (
        closed(a={"type": ["string", "null"], "enum": ["a", None]}),
        "Invalid schema: Enum value 'a' does not match declared type '['string', 'null']'",
    ),
    "a value of another type": (
        closed(a={"type": "string", "enum": ["a", 1]}),
        "Invalid schema: Enum value '1' does not match declared type 'string'",
    ),
    "a value that is an object": (
        closed(a={"enum": [{}]}),
        "Invalid schema: Enum value '{}' is not a string, a number, a boolean or null",
    ),
    "a definition that is not there": (
        closed(a={"$ref": "#/$defs/a"}),
        "Invalid schema: Reference to non-existent definition: #/$defs/a",
    ),
    "a definition that is elsewhere": (
        closed(a={"$ref": "https://example.com/a.json"}),
        "Invalid schema: Reference to non-existent definition: https://example.com/a.json",
    ),
    "a reference among all": (
        {**closed(a={"allOf": [{"$ref": "#/$defs/t"}]}), "$defs": {"t": TEXT}},
        "Schema type 'allOf' with '$ref' is not supported",
    ),
    "itself": (closed(a={"$ref": "#"}), CIRCULAR),
    "a list of itself": (
        {
            **closed(a={"$ref": "#/$defs/n"}),
            "$defs": {"n": closed(next={"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]})},
        },
        CIRCULAR,
    ),
    "an object that is not closed": ({"type": "object", "properties": {"a": TEXT}}, MUST_CLOSE),
    "an object inside that is not closed": (closed(l={"type": "array", "items": {"type": "object"}}), MUST_CLOSE),
    "an object that may be null": (closed(a={"type": ["object", "null"]}), MUST_CLOSE),
    "an object that is open": (
        {**closed(), "additionalProperties": True},
        f"For 'object' type, 'additionalProperties: true' {NOT_OPEN}",
    ),
    "a map": (
        closed(a={"type": "object", "additionalProperties": TEXT}),
        f"For 'object' type, 'additionalProperties: object' {NOT_OPEN}",
    ),
}


@pytest.mark.promise("strict.refused-as-the-api-refuses")
@pytest.mark.parametrize("name", REFUSED)
def test_a_schema_that_the_api_does_not_take_is_refused_in_its_words(name: str):
    schema, text = REFUSED[name]
    assert refusal(strict(schema)) == f"tools.0.custom: {text}"
    assert refusal(shaped(schema)) == f"output_config.format.schema: {text}"
    assert refusal(shaped(schema, "output_format")) == f"output_format.schema: {text}"
    assert refusal(body(tools=[{"name": "a", "input_schema": schema}])) is None


TAKEN: dict[str, Json] = {
    "types": closed(
        a={
            "type": ["string", "integer", "null"],
            "title": "A",
            "description": "An a.",
            "default": 1,
            "examples": [2],
        },
        b={"type": "boolean", "deprecated": True},
        c={"type": "null"},
    ),
    "items": closed(a={"type": "array"}, b={"type": "array", "items": TEXT, "minItems": 1}),
    "values": closed(a={"enum": ["a", 1, None, True]}, b={"const": 1.5}, c={"type": "integer", "enum": [1, 2.0]}),
    "unions": closed(a={"anyOf": [TEXT, closed()]}, b={"allOf": [TEXT, {"type": "string", "pattern": "^a"}]}),
    "references": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **closed(a={"$ref": "#/$defs/t"}, b={"$ref": "#/definitions/u"}, c={"$ref": "#/$defs/t"}),
        "$defs": {"t": {"anyOf": [TEXT, {"$ref": "#/definitions/u"}]}},
        "definitions": {"u": {"type": "integer"}},
    },
    "formats": closed(**{f"f{n}": {"type": "string", "format": name} for n, name in enumerate(sorted(FORMATS))}),
    "nulls": {"type": "object", "properties": None, "required": None, "additionalProperties": False},
}


@pytest.mark.promise("strict.documented-subset")
@pytest.mark.parametrize("name", TAKEN)
def test_the_documented_subset_is_taken_and_can_be_guaranteed(name: str):
    assert undocumented(TAKEN[name]) is None
    assert judge(TAKEN[name]).problem is None
    assert refusal(strict(TAKEN[name])) is None
    assert name == "nulls" or refusal(shaped(TAKEN[name])) is None


WIDE = [name for name, (schema, _) in REFUSED.items() if judge(schema).problem is None]


@pytest.mark.promise("strict.more-than-the-documented-subset")
@pytest.mark.parametrize("name", WIDE)
def test_what_can_be_guaranteed_is_taken_under_a_models_own_name_and_where_the_owner_wants_it(name: str):
    request = strict(REFUSED[name][0])
    assert refusal(request, LOCAL) is None
    assert refusal(request, VENDOR, EXTENDED) is None


def test_most_of_what_the_api_refuses_can_be_guaranteed():
    assert len(WIDE) >= 20


@pytest.mark.promise("format.closed-objects")
@pytest.mark.parametrize("name", ["an object that is not closed", "an object that is open", "a map"])
@pytest.mark.parametrize(("model", "latitude"), [(LOCAL, SUBSET), (VENDOR, EXTENDED)])
def test_an_open_object_of_a_format_is_refused_under_every_name(name: str, model: str, latitude: Latitude):
    schema, text = REFUSED[name]
    assert refusal(shaped(schema), model, latitude) == f"output_config.format.schema: {text}"


WRONG_KINDS: list[Any] = [None, True, 0, 1.5, "user", [], ["a"], [{}], [[]], [None], {}, {"a": []}, {"a": {"b": 1}}]
KEYWORDS = (
    *("type", "properties", "required", "items", "additionalProperties", "enum", "const", "anyOf", "oneOf", "allOf"),
    *("not", "if", "$ref", "$defs", "definitions", "patternProperties", "dependentSchemas", "dependentRequired"),
    *("prefixItems", "propertyNames", "minItems", "minimum", "pattern", "format", "unevaluatedProperties", "$id"),
)


@pytest.mark.promise("strict.never-a-500")
@pytest.mark.parametrize("keyword", KEYWORDS)
@pytest.mark.parametrize(("model", "latitude"), [(LOCAL, SUBSET), (VENDOR, SUBSET), (VENDOR, EXTENDED)])
def test_a_keyword_with_a_value_of_the_wrong_kind_is_refused_or_taken(keyword: str, model: str, latitude: Latitude):
    for value in WRONG_KINDS:
        for schema in (
            {keyword: value},
            {**closed(a=TEXT), keyword: value},
            closed(a={"type": "object", keyword: value}),
        ):
            found = refusal(shaped(schema), model, latitude)
            assert found is None or found.startswith("output_config.format.schema"), (schema, found)


@pytest.mark.promise("strict.never-a-500")
def test_references_that_follow_each_other_for_long_are_followed():
    chain = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(3000)} | {"d3000": TEXT}
    assert undocumented({**closed(a={"$ref": "#/$defs/d0"}), "$defs": chain}) is None
    chain["d3000"] = {"$ref": "#/$defs/d0"}
    assert undocumented({**closed(a={"$ref": "#/$defs/d0"}), "$defs": chain}) == CIRCULAR

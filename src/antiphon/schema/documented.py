"""What the API's own compiler takes of a schema: less than a decoder can guarantee.

The documents name the keywords; recorded refusals show that each type has a list of keywords of its own and that
every other one is refused.

Source: API reference, Structured outputs (JSON Schema limitations); texts as recorded in public reports of 2026.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from antiphon.schema.reading import Reading

FORMATS: Final = frozenset(
    {"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"}
)

CIRCULAR: Final = "Circular $ref detected"

# What asserts nothing, and what stands for a type.
_ANNOTATIONS: Final = frozenset(
    ("title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment")
)
_ANYWHERE: Final = _ANNOTATIONS | {
    "$schema",
    "$id",
    "$anchor",
    "$defs",
    "definitions",
    "$ref",
    "type",
    "anyOf",
    "allOf",
}
_VALUES: Final = frozenset(("enum", "const"))
_OF_TYPE: Final[Mapping[str, frozenset[str]]] = {
    "object": _ANYWHERE | {"properties", "required", "additionalProperties"},
    "array": _ANYWHERE | {"items", "minItems"},
    "string": _ANYWHERE | _VALUES | {"pattern", "format"},
}
_OF_SCALARS: Final = _ANYWHERE | _VALUES
_NULLABLE: Final = ("properties", "required")
_SAY_A_TYPE: Final = ("type", "anyOf", "allOf", "$ref", "enum", "const")
_SCALARS: Final = (str, int, float, bool, type(None))


def undocumented(schema: Mapping[str, Any]) -> str | None:
    """Why the API refuses a valid schema, in its words; None if it takes it."""
    return _first(schema, _reason)


def is_circular(schema: Mapping[str, Any]) -> bool:
    """Whether a valid schema refers to what it is a part of."""
    return _first(schema, lambda inner, reading: None) == CIRCULAR


def _first(schema: Mapping[str, Any], reason_of: Callable[[Any, Reading], str | None]) -> str | None:
    reading = Reading(schema)
    open_, done = set[int](), set[int]()
    # A list instead of the stack: references may be followed for longer than schemas are deep.
    pending: list[tuple[Any, bool]] = [(schema, False)]
    while pending:
        inner, is_left = pending.pop()
        if is_left:
            open_.discard(id(inner))
            done.add(id(inner))
            continue
        if id(inner) in done:
            continue
        if id(inner) in open_:
            return CIRCULAR
        reason = reason_of(inner, reading)
        if reason is not None:
            return reason
        if not isinstance(inner, dict):
            continue
        inner = cast("dict[str, Any]", inner)
        open_.add(id(inner))
        pending.append((inner, True))
        pending.extend(reversed([(within, False) for within in _within(inner, reading)]))
    return None


def open_object(schema: Mapping[str, Any]) -> str | None:
    """What is wrong with an object that may have further properties; None if it is closed, or no object."""
    if "object" not in _types(schema):
        return None
    match schema.get("additionalProperties"):
        case False:
            return None
        case None:
            return "For 'object' type, 'additionalProperties' must be explicitly set to false"
        case True:
            kind = "true"
        case _:
            kind = "object"
    return (
        f"For 'object' type, 'additionalProperties: {kind}' is not supported. "
        "Please set 'additionalProperties' to false"
    )


def _types(schema: Mapping[str, Any]) -> list[str]:
    types: Any = schema.get("type")
    return cast("list[str]", types) if isinstance(types, list) else [] if types is None else [types]


def _within(schema: Mapping[str, Any], reading: Reading) -> Iterator[Any]:
    for key in ("$defs", "definitions", "properties"):
        yield from (schema.get(key) or {}).values()
    for key in ("anyOf", "allOf"):
        yield from schema.get(key, ())
    if "items" in schema:
        yield schema["items"]
    target = reading.target(schema["$ref"]) if "$ref" in schema else None
    if target is not None:
        yield target.schema


def _reason(schema: Any, reading: Reading) -> str | None:
    if not isinstance(schema, dict):
        return f"Invalid schema: Schema type is missing for schema: {schema}"
    keywords = cast("dict[str, Any]", schema)
    if "oneOf" in keywords:
        return "Schema type 'oneOf' is not supported"
    if keywords.keys().isdisjoint(_SAY_A_TYPE):
        return f"Invalid schema: Schema type is missing for schema: {_short(keywords)}"
    if "$ref" in keywords and reading.target(keywords["$ref"]) is None:
        return f"Invalid schema: Reference to non-existent definition: {_short(keywords['$ref'])}"
    if any(isinstance(inner, dict) and "$ref" in inner for inner in keywords.get("allOf", ())):
        return "Schema type 'allOf' with '$ref' is not supported"
    wrong = _wrong_value(keywords)
    if wrong is not None:
        return wrong
    reasons = (_of_type(kind, keywords) for kind in _types(keywords) if kind != "null")
    return next((reason for reason in reasons if reason is not None), None)


def _of_type(kind: str, schema: Mapping[str, Any]) -> str | None:
    if kind == "object" and (reason := open_object({**schema, "type": kind})) is not None:
        return reason
    fewest = schema.get("minItems", 0)
    if kind == "array" and fewest not in (0, 1):
        bounds = f"[{fewest}, {schema.get('maxItems', '∞')}]"
        return f"For 'array' type, 'minItems' values other than 0 or 1 are not supported (got: {bounds})"
    given = {keyword for keyword, value in schema.items() if value is not None or keyword not in _NULLABLE}
    others = sorted(given - _OF_TYPE.get(kind, _OF_SCALARS))
    if len(others) == 1:
        return f"For '{kind}' type, property '{_short(others[0])}' is not supported"
    if others:
        return f"For '{kind}' type, properties {_short(', '.join(others))} are not supported"
    if kind == "string" and schema.get("format", "date") not in FORMATS:
        return f"For 'string' type, format '{_short(schema['format'])}' is not supported"
    return None


def _wrong_value(schema: Mapping[str, Any]) -> str | None:
    """A value that is none of the declared type. A list of types has none, as the API reads it."""
    values: list[Any] = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else [])]
    for value in values:
        if not isinstance(value, _SCALARS):
            return f"Invalid schema: Enum value '{_short(value)}' is not a string, a number, a boolean or null"
        if "type" in schema and not (isinstance(schema["type"], str) and _is_of(value, schema["type"])):
            declared = f"does not match declared type '{schema['type']}'"
            return f"Invalid schema: Enum value '{_short(value)}' {declared}"
    return None


def _is_of(value: Any, kind: str) -> bool:
    match value:
        case bool():
            return kind == "boolean"
        case int():
            return kind in ("integer", "number")
        case float():
            return kind == "number" or (kind == "integer" and value.is_integer())
        case str():
            return kind == "string"
        case _:
            return kind == "null"


_LONGEST: Final = 256


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

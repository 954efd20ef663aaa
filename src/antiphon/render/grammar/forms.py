"""What a schema says at its top: the ways that stand side by side in it, and what each of them is."""

from collections.abc import Mapping
from typing import Any, Final, cast

ALL_TYPES: Final = ("null", "boolean", "integer", "number", "string", "array", "object")

_MOST_STEPS: Final = 8


def alternatives(schema: object, root: Mapping[str, Any], steps: int = _MOST_STEPS) -> list[Mapping[str, Any]]:
    """The ways of a schema, with references followed; `root` holds the definitions."""
    if not isinstance(schema, Mapping) or steps == 0:
        return [{}]
    form = cast("Mapping[str, Any]", schema)
    if isinstance(form.get("$ref"), str):
        return alternatives(_follow(root, form["$ref"]), root, steps - 1)
    inner = form.get("anyOf")
    if isinstance(inner, list) and inner:
        return [way for one in cast("list[object]", inner) for way in alternatives(one, root, steps - 1)]
    return [form]


def table(schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The named subschemas under a keyword."""
    found: object = schema.get(key)
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


def values_of(way: Mapping[str, Any]) -> list[object] | None:
    """The only values, where they are listed."""
    if "const" in way:
        return [way["const"]]
    return cast("list[object]", way["enum"]) if isinstance(way.get("enum"), list) else None


def types_of(way: Mapping[str, Any]) -> tuple[str, ...]:
    """The types that are allowed."""
    given: object = way.get("type", ALL_TYPES)
    return (given,) if isinstance(given, str) else tuple(cast("list[str]", given))


def _follow(root: Mapping[str, Any], reference: str) -> Mapping[str, Any] | None:
    for key in ("$defs", "definitions"):
        if reference.startswith(f"#/{key}/"):
            return table(root, key).get(reference.removeprefix(f"#/{key}/"))
    return None

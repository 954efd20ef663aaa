"""Whether a value is a JSON schema of draft 2020-12, judged by the draft's own metaschema.

A checker of our own, because a general validator that runs the metaschema needs milliseconds for one small
tool and minutes for a hostile one. Formats are not judged, as the draft has it by default.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, TypeGuard, cast

import orjson

_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})

# A text of this size costs little to check again, and 512 of them cost little to keep.
_REMEMBERED_BYTES: Final = 32 * 1024


def is_schema(value: object) -> bool:
    """Whether `value`, any JSON value, is a valid schema of draft 2020-12."""
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError:
        # Nested deeper than the writer goes: the checker does not mind.
        return _check(value)
    return _remembered(text) if len(text) <= _REMEMBERED_BYTES else _check(value)


@lru_cache(maxsize=512)
def _remembered(text: bytes) -> bool:
    return _check(orjson.loads(text))


def _check(value: object) -> bool:
    """Walk the schema with a list instead of the stack, so that depth cannot hurt."""
    pending: list[object] = [value]
    while pending:
        schema = pending.pop()
        if isinstance(schema, bool):
            continue
        if not _is_object(schema):
            return False
        for key, operand in schema.items():
            holds = _ASSERTIONS.get(key)
            if holds is not None:
                if not holds(operand):
                    return False
            elif (inner := _SUBSCHEMAS.get(key)) is not None:
                found = inner(operand)
                if found is None:
                    return False
                pending.extend(found)
    return True


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return _is_number(value) and value >= 0 and float(value).is_integer()


def _is_positive(value: object) -> bool:
    return _is_number(value) and value > 0


def _is_type(value: object) -> bool:
    if _is_list(value):
        return bool(value) and _are_unique_texts(value) and _TYPES.issuperset(cast("list[str]", value))
    return _is_text(value) and value in _TYPES


def _are_unique_texts(value: object) -> bool:
    return _is_list(value) and all(map(_is_text, value)) and len(set(value)) == len(value)


def _are_lists_of_names(value: object) -> bool:
    return _is_object(value) and all(map(_are_unique_texts, value.values()))


def _are_vocabularies(value: object) -> bool:
    return _is_object(value) and all(map(_is_flag, value.values()))


def _is_anchor(value: object) -> bool:
    if not _is_text(value) or not value or not value.isascii():
        return False
    head, rest = value[0], value[1:]
    return (head.isalpha() or head == "_") and all(c.isalnum() or c in "-._" for c in rest)


def _is_id(value: object) -> bool:
    """A reference without a fragment, or with an empty one."""
    return _is_text(value) and "#" not in value.removesuffix("#")


_ASSERTIONS: Final[Mapping[str, Callable[[object], bool]]] = {
    **dict.fromkeys(("$id",), _is_id),
    **dict.fromkeys(("$anchor", "$dynamicAnchor", "$recursiveAnchor"), _is_anchor),
    **dict.fromkeys(("$schema", "$ref", "$dynamicRef", "$recursiveRef", "$comment"), _is_text),
    **dict.fromkeys(("title", "description", "pattern", "format", "contentEncoding", "contentMediaType"), _is_text),
    **dict.fromkeys(("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum"), _is_number),
    **dict.fromkeys(("maxLength", "minLength", "maxItems", "minItems", "maxContains", "minContains"), _is_count),
    **dict.fromkeys(("maxProperties", "minProperties"), _is_count),
    **dict.fromkeys(("uniqueItems", "deprecated", "readOnly", "writeOnly"), _is_flag),
    **dict.fromkeys(("enum", "examples"), _is_list),
    "$vocabulary": _are_vocabularies,
    "dependentRequired": _are_lists_of_names,
    "multipleOf": _is_positive,
    "required": _are_unique_texts,
    "type": _is_type,
}


def _one(operand: object) -> list[object]:
    return [operand]


def _some(operand: object) -> list[object] | None:
    return operand if _is_list(operand) and operand else None


def _named(operand: object) -> list[object] | None:
    return list(operand.values()) if _is_object(operand) else None


def _named_or_names(operand: object) -> list[object] | None:
    if not _is_object(operand):
        return None
    return [value for value in operand.values() if not _are_unique_texts(value)]


_SUBSCHEMAS: Final[Mapping[str, Callable[[object], list[object] | None]]] = {
    **dict.fromkeys(("items", "contains", "additionalProperties", "propertyNames", "if", "then", "else"), _one),
    **dict.fromkeys(("not", "unevaluatedItems", "unevaluatedProperties", "contentSchema"), _one),
    **dict.fromkeys(("prefixItems", "allOf", "anyOf", "oneOf"), _some),
    **dict.fromkeys(("$defs", "definitions", "properties", "patternProperties", "dependentSchemas"), _named),
    "dependencies": _named_or_names,
}

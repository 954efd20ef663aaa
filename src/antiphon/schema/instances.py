"""Values against their schema, both from a client, in bounded work.

Patterns run on an engine whose time is linear, no reference leaves the schema, and the keywords that are judged are
counted. Not judged: a pattern that this engine does not know (it looks around or back), `unevaluatedProperties` and
`unevaluatedItems`.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

import jsonschema
import orjson
from pydantic_core import SchemaError, SchemaValidator, core_schema
from referencing import Registry
from referencing.exceptions import Unresolvable

__all__ = ["TooMuchWork", "Unresolvable", "bounded_validator"]

# The library's own types are partly unknown: it is used through this one door.
_library: Any = jsonschema

_Failure: Any = jsonschema.ValidationError

_Draft: Any = jsonschema.Draft202012Validator

_Keyword = Callable[[Any, Any, Any, Any], Iterator[Any] | None]


class TooMuchWork(Exception):  # noqa: N818 - not an error of ours
    """The values are too large to be judged."""


def bounded_validator(schema: dict[str, Any], steps: list[int]) -> Any:
    """The library's validator of a schema, which raises `TooMuchWork` when `steps[0]` keywords have been judged."""
    # The API types these two as nullable, which the draft does not know.
    drafted = {k: _one_dialect(v) for k, v in schema.items() if v is not None or k not in ("properties", "required")}
    keywords = cast("Mapping[str, _Keyword]", _Draft.VALIDATORS)
    bounded = {name: _counted(_OWN.get(name, keyword), steps) for name, keyword in keywords.items()}
    return _library.validators.extend(_Draft, bounded)(drafted, registry=cast("Any", Registry)())


def _one_dialect(value: Any) -> Any:
    # A subschema that names another draft would be judged by that draft's keywords, which are not bounded.
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {k: _one_dialect(v) for k, v in items if k != "$schema" or not isinstance(v, str)}
    return [_one_dialect(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value


def _counted(keyword: _Keyword, steps: list[int]) -> _Keyword:
    def judge(validator: Any, operand: Any, instance: Any, schema: Any) -> Iterator[Any] | None:
        steps[0] -= 1
        if steps[0] < 0:
            raise TooMuchWork
        return keyword(validator, operand, instance, schema)

    return judge


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> SchemaValidator | None:
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:
        return None


def _matches(pattern: str, text: str) -> bool | None:
    compiled = _pattern(pattern)
    return None if compiled is None else compiled.isinstance_python(text)


def _judge_pattern(validator: Any, operand: str, instance: Any, schema: Any) -> Iterator[Any]:
    if isinstance(instance, str) and _matches(operand, instance) is False:
        yield _Failure(f"{instance!r} does not match {operand!r}")


def _judge_pattern_properties(
    validator: Any, operand: Mapping[str, Any], instance: Any, schema: Any
) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for pattern, inner in operand.items():
        for key, value in cast("dict[str, Any]", instance).items():
            if _matches(pattern, key):
                yield from validator.descend(value, inner, path=key, schema_path=pattern)


def _judge_additional(validator: Any, operand: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    known = cast("dict[str, Any]", schema.get("properties") or {})
    patterns = cast("dict[str, Any]", schema.get("patternProperties") or {})
    for key, value in cast("dict[str, Any]", instance).items():
        # A pattern that cannot be judged may well match: only a certain stranger is one.
        if key in known or any(_matches(pattern, key) is not False for pattern in patterns):
            continue
        if operand is False:
            yield _Failure(f"Additional properties are not allowed ({key!r} was unexpected)")
        else:
            yield from validator.descend(value, operand, path=key)


def _judge_unique(validator: Any, operand: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if operand and isinstance(instance, list):
        items = cast("list[Any]", instance)
        # Equal JSON texts are equal values; 1 and 1.0 pass as different, which an example can live with.
        if len({orjson.dumps(item, option=orjson.OPT_SORT_KEYS) for item in items}) < len(items):
            yield _Failure(f"{instance!r} has non-unique elements")


def _not_judged(validator: Any, operand: Any, instance: Any, schema: Any) -> Iterator[Any]:
    # The library looks for evaluated keys with the patterns' own engine, which can be made to hang.
    return iter(())


_OWN: Mapping[str, _Keyword] = {
    "pattern": _judge_pattern,
    "patternProperties": _judge_pattern_properties,
    "additionalProperties": _judge_additional,
    "uniqueItems": _judge_unique,
    "unevaluatedProperties": _not_judged,
    "unevaluatedItems": _not_judged,
}

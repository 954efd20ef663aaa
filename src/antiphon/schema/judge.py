"""What of a client's schema a decoder can guarantee, remembered for the next request with the same schema.

Source: JSON Schema, draft 2020-12, Core and Validation; API reference, Structured outputs (JSON Schema limitations).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

import orjson

from antiphon.schema.flat import Place
from antiphon.schema.normal import ANYTHING, DEFINITION_OF_ANYTHING, Form, Normalizer, with_definitions
from antiphon.schema.reading import Problem, Reading, TooComplexError

MOST_BYTES: Final = 512 * 1024
"""The longest schema that is read, as JSON."""

# A schema of this size is cheap to keep; 512 of them are a server's working set.
_REMEMBERED_BYTES: Final = 128 * 1024

_TOO_COMPLEX: Final = Problem((), "", "Schema is too complex for compilation.")
_NOTHING_FITS: Final = Problem((), "", "no value satisfies this schema")

# What reading something that is no schema comes to.
_MALFORMED: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Judgement:
    """`form`: the schema in the shapes that decoding guarantees. What it allows, the client's schema allows too,
    apart from what `problem` names; `lost`: what of it is not kept to. Read only: requests share it."""

    form: Mapping[str, Any]
    problem: Problem | None = None
    lost: Problem | None = None


def judge(schema: Mapping[str, Any], *, required_first: bool = True) -> Judgement:
    """The judgement on a schema; never raises. `required_first`: required properties are written before optional."""
    try:
        text = orjson.dumps(schema)
    except (orjson.JSONEncodeError, RecursionError):
        return Judgement(_shapeless(schema), _TOO_COMPLEX, _TOO_COMPLEX)
    if len(text) > MOST_BYTES:
        return Judgement(_shapeless(schema), _TOO_COMPLEX, _TOO_COMPLEX)
    if len(text) > _REMEMBERED_BYTES:
        return _judged(schema, required_first)
    return _remembered(text, required_first)


@lru_cache(maxsize=512)
def _remembered(text: bytes, required_first: bool) -> Judgement:
    return _judged(orjson.loads(text), required_first)


def _judged(schema: Any, required_first: bool) -> Judgement:
    form, problems = _read(schema, schema, required_first)
    lost = [problem for problem in problems if not problem.kept]
    if form is not None:
        refusal = _refusal(form)
        if refusal is None:
            return Judgement(form, *(next(iter(found), None) for found in (problems, lost)))
        problems, lost = [*problems, refusal], [*lost, refusal]
    return Judgement(_rescued(schema, required_first), problems[0], lost[0])


def _read(root: Any, schema: Any, required_first: bool) -> tuple[Form | None, list[Problem]]:
    reading = Reading(root)
    try:
        form = Normalizer(reading, required_first=required_first).run(Place(schema, ()))
    except (TooComplexError, RecursionError):
        return None, [_TOO_COMPLEX]
    except _MALFORMED:
        return None, [Problem((), "", "JSON schema is invalid")]
    return form, [*reading.problems, *([_NOTHING_FITS] if form is None else [])]


def _refusal(form: Form) -> Problem | None:
    """Why the decoder will not have the form, None if it will."""
    from llguidance import LLMatcher  # 3 MiB, for requests that bring a schema

    grammar = LLMatcher.grammar_from_json_schema(form)
    failed, messages = LLMatcher.validate_grammar_with_warnings(grammar)
    if not messages:
        return None
    if failed and "nsatisfiable" in messages[0]:
        return _NOTHING_FITS
    return _TOO_COMPLEX


def _rescued(schema: Any, required_first: bool) -> Form:
    """As much of the schema as can be had when it cannot be had whole: the properties that can be decoded alone."""
    shapeless = _shapeless(schema)
    properties: Any = schema.get("properties") if isinstance(schema, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    if "type" not in shapeless or not isinstance(properties, dict) or len(cast("dict[str, Any]", properties)) > 100:
        return shapeless
    form: Form = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    for name, inner in cast("dict[str, Any]", properties).items():
        found, _ = _read(cast("Any", schema), inner, required_first)
        # Definitions of several properties would get in each other's way.
        usable = found is not None and found["$defs"].keys() == {"any"} and _refusal(found) is None
        form["properties"][name] = {k: v for k, v in found.items() if k != "$defs"} if found and usable else ANYTHING
    required: Any = cast("dict[str, Any]", schema).get("required")
    if isinstance(required, list):
        form["required"] = [name for name in cast("list[Any]", required) if name in form["properties"]]
    form = with_definitions(form, {})
    return form if _refusal(form) is None else shapeless


def _shapeless(schema: Any) -> Form:
    is_object = isinstance(schema, dict) and cast("dict[str, Any]", schema).get("type") == "object"
    return with_definitions(DEFINITION_OF_ANYTHING["anyOf"][-1] if is_object else ANYTHING, {})

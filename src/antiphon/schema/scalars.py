"""Normal forms of values that hold no others, and of listed values."""

import math
from collections.abc import Mapping
from typing import Any, Final, cast

from antiphon.schema.flat import Bound, Conjunction, Flat
from antiphon.schema.patterns import matches
from antiphon.schema.reading import Reading

MOST_CHARACTERS: Final = 10_000

MOST_PATTERNS: Final = 5
"""Patterns that one string satisfies at once, its format's included: their states multiply."""

# Bounds for numbers that have none: a number without an end or with a huge exponent is JSON that readers refuse.
# Both are exact in binary64, which the decoder computes in.
_LARGEST_INTEGER: Final = 9 * 10**18
_LARGEST_NUMBER: Final = 10**15

LARGEST: Final[Mapping[str, int]] = {"integer": _LARGEST_INTEGER, "number": _LARGEST_NUMBER}
"""Type → the number that none that is written goes beyond, in either direction."""


def number_form(way: Flat, kind: str) -> dict[str, Any] | None:
    """Numbers of a way; whole ones where `kind` is `integer` or multiples of a whole number are asked for."""
    if kind == "integer" or way.multiple:
        return _integer_form(way)
    form: dict[str, Any] = {"type": "number"}
    low, high = way.low or Bound(-_LARGEST_NUMBER), way.high or Bound(_LARGEST_NUMBER)
    if low.value > high.value or (low.value == high.value and (low.excluded or high.excluded)):
        return None
    if low.value > _LARGEST_NUMBER or high.value < -_LARGEST_NUMBER:
        return None
    if low.value == high.value:
        return {"const": low.value}
    lowest_is_open = low.excluded and low.value >= -_LARGEST_NUMBER
    highest_is_open = high.excluded and high.value <= _LARGEST_NUMBER
    form["exclusiveMinimum" if lowest_is_open else "minimum"] = max(low.value, -_LARGEST_NUMBER)
    form["exclusiveMaximum" if highest_is_open else "maximum"] = min(high.value, _LARGEST_NUMBER)
    return form


def _integer_form(way: Flat) -> dict[str, Any] | None:
    form: dict[str, Any] = {"type": "integer"}
    low = max(_first_integer(way.low, 1), -_LARGEST_INTEGER) if way.low else -_LARGEST_INTEGER
    high = min(_first_integer(way.high, -1), _LARGEST_INTEGER) if way.high else _LARGEST_INTEGER
    if way.multiple > 1:
        form["multipleOf"] = way.multiple
        low = -(-low // way.multiple) * way.multiple
        high = high // way.multiple * way.multiple
    low, high = _exact(low, math.inf), _exact(high, -math.inf)
    if low > high:
        return None
    if low == high:
        return {"const": low}
    return {**form, "minimum": low, "maximum": high}


def _first_integer(end: Bound, direction: int) -> int:
    nearest = math.ceil(end.value) if direction > 0 else math.floor(end.value)
    return nearest + direction if end.excluded and nearest == end.value else nearest


def _exact(number: int, inwards: float) -> int:
    """The nearest integer from here inwards that binary64 holds exactly."""
    close = float(number)
    outside = close < number if inwards > 0 else close > number
    return int(math.nextafter(close, inwards) if outside else close)


def string_form(way: Flat, places: Conjunction, reading: Reading) -> dict[str, Any] | None:
    """Texts of a way; lengths are counted in code points."""
    least, most = way.min_length, way.max_length
    path = places[0].path if places else ()
    if most is not None and least > most:
        return None
    if least > MOST_CHARACTERS:
        reading.refuse(path, "minLength", f"more than {MOST_CHARACTERS} characters are not supported")
        least = 0
    patterns = way.patterns
    if len(patterns) > MOST_PATTERNS:
        reading.refuse(path, "pattern", f"more than {MOST_PATTERNS} patterns for one string are not supported")
        patterns = patterns[:MOST_PATTERNS]
    form: dict[str, Any] = {"type": "string"}
    if least:
        form["minLength"] = least
    if most is not None:
        # A text that is shorter than it could be is as good; one that may be longer is not.
        form["maxLength"] = min(most, MOST_CHARACTERS)
    if patterns:
        form["pattern"] = patterns[0]
    if len(patterns) > 1:
        form["allOf"] = [{"type": "string", "pattern": pattern} for pattern in patterns[1:]]
    return form


def values_form(way: Flat, places: Conjunction, reading: Reading) -> dict[str, Any] | None:
    """The listed values that the rest of the way allows."""
    if way.speaks_of() & {"array", "object"} and any(isinstance(value, list | dict) for value in way.values or ()):
        reading.refuse(
            places[0].path if places else (), "enum", "listed arrays and objects cannot be bounded further"
        )
    fitting = [value for value in way.values or () if _fits(way, value)]
    if not fitting:
        return None
    return {"const": fitting[0]} if len(fitting) == 1 else {"enum": fitting}


def _fits(way: Flat, value: Any) -> bool:
    match value:
        case None:
            return "null" in way.types
        case bool():
            return "boolean" in way.types
        case int() | float():
            return _fits_number(way, value)
        case str():
            long_enough = len(value) >= way.min_length and (way.max_length is None or len(value) <= way.max_length)
            return "string" in way.types and long_enough and all(matches(rx, value) for rx in way.patterns)
        case list():
            return "array" in way.types
        case _:
            return "object" in way.types


def _fits_number(way: Flat, value: float) -> bool:
    whole = isinstance(value, int) or value.is_integer()
    if ("integer" if whole else "number") not in way.types or (way.multiple and (not whole or value % way.multiple)):
        return False
    above = way.low is None or value > way.low.value or (value == way.low.value and not way.low.excluded)
    below = way.high is None or value < way.high.value or (value == way.high.value and not way.high.excluded)
    return above and below


def texts_of(values: tuple[Any, ...]) -> list[str]:
    """The strings among listed values."""
    return [value for value in cast("tuple[object, ...]", values) if isinstance(value, str)]

"""Schemas → the ways to satisfy them: references followed, `allOf` joined, `anyOf` and `oneOf` multiplied out.

What cannot be said as ways (`not`, `if`, `contains`, …) is noted as a problem and left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from antiphon.schema.disjoint import are_disjoint
from antiphon.schema.flat import TYPES, Bound, Conjunction, Flat, Path, Place, both, identity
from antiphon.schema.formats import LONGEST, PATTERNS, UNDECODABLE
from antiphon.schema.lookahead import apart
from antiphon.schema.patterns import UnsupportedPattern, rewritten
from antiphon.schema.reading import MOST_WAYS, Reading, TooComplexError

_ARRAY: Final = "For 'array' type, property '{}' is not supported"

_REFUSED: Final[Mapping[str, str]] = {
    "not": "negated schemas are not supported",
    "contains": _ARRAY.format("contains"),
    "$dynamicRef": "dynamic references are not supported; use $ref",
    "$recursiveRef": "dynamic references are not supported; use $ref",
}
"""Keywords that nothing is made of, with the reason for the client."""

_MOST_EXACT: Final = 2**53


class Expander:
    """The ways of one schema's subschemas."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._known: dict[Path, list[Flat]] = {}
        self._open: set[Path] = set()

    def ways(self, places: Conjunction) -> list[Flat]:
        """The ways to satisfy all of these subschemas; none where no value can."""
        if not places:
            return [Flat()]
        found = self._of(places[0])
        for place in places[1:]:
            found = _product(found, self._of(place))
        return found

    def _of(self, place: Place) -> list[Flat]:
        schema = place.schema
        if schema is False:
            return []
        if not isinstance(schema, dict) or not schema:
            return [Flat()]
        if place.path in self._known:
            return self._known[place.path]
        if place.path in self._open:
            self._reading.refuse(place.path, "", "Circular $ref detected")
            return [Flat()]
        self._reading.count()
        self._open.add(place.path)
        found = self._read(cast("dict[str, Any]", schema), place.path)
        self._open.remove(place.path)
        self._known[place.path] = found
        return found

    def _read(self, schema: Mapping[str, Any], path: Path) -> list[Flat]:
        self._refuse(schema, path)
        found = [_plain(schema, path, self._reading)]
        for n, inner in enumerate(schema.get("allOf", ())):
            found = _product(found, self._of(Place(inner, (*path, "allOf", str(n)))))
        if "$ref" in schema:
            found = _product(found, self._referred(str(schema["$ref"]), path))
        found = self._dependencies(schema, path, found)
        if "anyOf" in schema:
            found = _product(found, [way for branch in self._branches(schema, path, "anyOf") for way in branch])
        if "oneOf" in schema:
            found = self._one_of(schema, path, found)
        return _evaluated(schema, path, found)

    def _refuse(self, schema: Mapping[str, Any], path: Path) -> None:
        for keyword, reason in _REFUSED.items():
            if keyword in schema:
                self._reading.refuse(path, keyword, reason)
        if "if" in schema and not schema.keys().isdisjoint(("then", "else")):
            self._reading.refuse(path, "if", "conditional schemas are not supported; use anyOf")
        if schema.get("uniqueItems") is True and schema.get("maxItems", 2) > 1:
            self._reading.refuse(path, "uniqueItems", _ARRAY.format("uniqueItems"))
        if path and isinstance(schema.get("$id"), str):
            self._reading.refuse(path, "$id", "embedded schema resources are not supported")

    def _referred(self, reference: str, path: Path) -> list[Flat]:
        target = self._reading.target(reference)
        if target is None:
            self._reading.refuse(path, "$ref", f"'{reference[:256]}' cannot be resolved within the schema")
            return [Flat()]
        return self._of(target)

    def _branches(self, schema: Mapping[str, Any], path: Path, keyword: str) -> list[list[Flat]]:
        return [self._of(Place(inner, (*path, keyword, str(n)))) for n, inner in enumerate(schema[keyword])]

    def _one_of(self, schema: Mapping[str, Any], path: Path, found: list[Flat]) -> list[Flat]:
        branches = [_product(found, branch) for branch in self._branches(schema, path, "oneOf")]
        for n, branch in enumerate(branches):
            for rival in branches[:n]:
                if not all(are_disjoint(one, other, self.ways) for one in branch for other in rival):
                    self._reading.refuse(
                        path, "oneOf", "the branches cannot be told apart; use anyOf, or a required const in each"
                    )
                    return _limited(way for branch in branches for way in branch)
        return _limited(way for branch in branches for way in branch)

    def _dependencies(self, schema: Mapping[str, Any], path: Path, found: list[Flat]) -> list[Flat]:
        for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
            for name, needed in schema.get(keyword, {}).items():
                absent = Flat(properties={name: (Place(False, (*path, keyword, name)),)})
                if isinstance(needed, list):
                    present = [Flat(required=(name, *cast("list[str]", needed)))]
                else:
                    present = _product([Flat(required=(name,))], self._of(Place(needed, (*path, keyword, name))))
                found = _product(found, [absent, *present])
        return found


_ANYTHING: Final = Flat()


def _product(some: list[Flat], others: list[Flat]) -> list[Flat]:
    if others == [_ANYTHING]:
        return some
    return _limited(way for one in some for other in others if (way := both(one, other)) is not None)


def _limited(ways: Iterable[Flat]) -> list[Flat]:
    found: list[Flat] = []
    for way in ways:
        found.append(way)
        if len(found) > MOST_WAYS:
            raise TooComplexError
    return found


def _evaluated(schema: Mapping[str, Any], path: Path, found: list[Flat]) -> list[Flat]:
    # What a way names is evaluated in it, so that `unevaluated…` is about what it is silent on.
    for keyword, name in (("unevaluatedProperties", "additional"), ("unevaluatedItems", "items")):
        if keyword in schema:
            place = (Place(schema[keyword], (*path, keyword)),)
            found = [way if getattr(way, name) is not None else replace(way, **{name: place}) for way in found]
    return found


def _plain(schema: Mapping[str, Any], path: Path, reading: Reading) -> Flat:
    """The way that a schema's own keywords say, without its applicators."""

    def inside(keyword: str) -> Mapping[str, Conjunction]:
        items = cast("dict[str, Any]", schema.get(keyword) or {}).items()
        return {name: (Place(inner, (*path, keyword, name)),) for name, inner in items}

    def under(keyword: str) -> Conjunction | None:
        return (Place(schema[keyword], (*path, keyword)),) if keyword in schema else None

    patterns: dict[str, Conjunction] = {}
    for pattern, conjunction in inside("patternProperties").items():
        rewrite = _pattern(pattern, path, "patternProperties", reading)
        if rewrite is not None:
            patterns[rewrite] = patterns.get(rewrite, ()) + conjunction
    texts, longest = _texts(schema, path, reading)
    prefix = [
        (Place(inner, (*path, "prefixItems", str(n))),) for n, inner in enumerate(schema.get("prefixItems", ()))
    ]
    return Flat(
        types=_types(schema),
        typed="type" in schema,
        values=_values(schema, path, reading),
        low=_bound(schema, "minimum", 1),
        high=_bound(schema, "maximum", -1),
        multiple=_multiple(schema, path, reading),
        min_length=int(schema.get("minLength", 0)),
        max_length=longest,
        patterns=texts,
        prefix=tuple(prefix),
        items=under("items"),
        min_items=int(schema.get("minItems", 0)),
        max_items=_count(schema, "maxItems"),
        properties=inside("properties"),
        pattern_properties=patterns,
        additional=under("additionalProperties"),
        required=tuple(schema.get("required") or ()),
        names=under("propertyNames") or (),
        min_properties=int(schema.get("minProperties", 0)),
        max_properties=_count(schema, "maxProperties"),
    )


def _count(schema: Mapping[str, Any], keyword: str) -> int | None:
    return int(schema[keyword]) if keyword in schema else None


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    named: Any = schema.get("type")
    if named is None:
        return TYPES
    types = {named} if isinstance(named, str) else set(cast("list[str]", named))
    return frozenset(types | {"integer"} if "number" in types else types)


def _values(schema: Mapping[str, Any], path: Path, reading: Reading) -> tuple[Any, ...] | None:
    found: list[Any] | None = None
    for keyword in ("const", "enum"):
        if keyword not in schema:
            continue
        listed = [schema["const"]] if keyword == "const" else cast("list[Any]", schema["enum"])
        written = [value for value in listed if _is_writable(value)]
        if len(written) < len(listed):
            reading.refuse(path, keyword, "a value cannot be written exactly (a large number or a DEL character)")
        if written or not listed:
            known = {identity(value) for value in (written if found is None else found)}
            found = [value for value in written if identity(value) in known]
    return None if found is None else tuple(found)


def _is_writable(value: Any) -> bool:
    match value:
        case bool() | None:
            return True
        case int():
            return abs(value) <= _MOST_EXACT
        case float():
            return abs(value) <= _MOST_EXACT
        case str():
            return "\x7f" not in value
        case list():
            return all(map(_is_writable, cast("list[Any]", value)))
        case _:
            items = cast("dict[str, Any]", value).items()
            return all("\x7f" not in key and _is_writable(inner) for key, inner in items)


def _bound(schema: Mapping[str, Any], keyword: str, inwards: int) -> Bound | None:
    exclusive = f"exclusive{keyword.capitalize()}"
    ends = [Bound(schema[key], key == exclusive) for key in (exclusive, keyword) if key in schema]
    return max(ends, key=lambda end: end.value * inwards, default=None)


def _multiple(schema: Mapping[str, Any], path: Path, reading: Reading) -> int:
    step = schema.get("multipleOf")
    if step is None:
        return 0
    if float(step).is_integer() and step < 2**31:
        return int(step)
    if schema.get("type") == "integer" and float(1 / step).is_integer():
        return 0
    reading.refuse(path, "multipleOf", "only multiples of a whole number are supported")
    return 0


def _texts(schema: Mapping[str, Any], path: Path, reading: Reading) -> tuple[tuple[str, ...], int | None]:
    patterns: list[str] = []
    longest = _count(schema, "maxLength")
    if "pattern" in schema:
        patterns.extend(_patterns(schema["pattern"], path, reading))
    format_ = str(schema.get("format"))
    if format_ in UNDECODABLE:
        reading.refuse(path, "format", f"String format '{format_}' is not supported")
    if format_ in PATTERNS and "string" in _types(schema):
        patterns.append(rewritten(PATTERNS[format_]))
        cap = LONGEST.get(format_)
        longest = cap if longest is None or (cap is not None and cap < longest) else longest
    return tuple(patterns), longest


def _patterns(pattern: str, path: Path, reading: Reading) -> tuple[str, ...]:
    """The patterns that a text of this pattern satisfies, all of them."""
    try:
        return (rewritten(pattern),)
    except UnsupportedPattern as construct:
        try:
            told = tuple(map(rewritten, apart(pattern) or ()))
        except UnsupportedPattern:
            told = ()
        reason = f"Unsupported regex feature in pattern field: {construct}"
        reading.refuse(path, "pattern", reason, kept=bool(told))
        return told


def _pattern(pattern: str, path: Path, keyword: str, reading: Reading) -> str | None:
    try:
        return rewritten(pattern)
    except UnsupportedPattern as construct:
        reading.refuse(path, keyword, f"Unsupported regex feature in pattern field: {construct}")
        return None

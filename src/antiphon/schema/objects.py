"""Normal forms of objects.

A key that is not named may be spelled with escapes, and the decoder would not see that it is a named one. Further
keys are therefore those of a pattern that the named ones do not match, which the decoder compares unescaped.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from antiphon.schema.flat import Conjunction, Flat
from antiphon.schema.patterns import anything_but, literal, matches
from antiphon.schema.reading import Reading
from antiphon.schema.scalars import texts_of

MOST_NAMED: Final = 200
"""Named properties beside which further ones are still written."""


class Writer(Protocol):
    """What an object's form needs of the whole."""

    reading: Reading
    required_first: bool

    def form(self, places: Conjunction) -> dict[str, Any] | None:
        """The normal form of what satisfies all these subschemas."""
        ...

    def ways(self, places: Conjunction) -> list[Flat]:
        """The ways to satisfy all these subschemas."""
        ...


def object_form(way: Flat, places: Conjunction, writer: Writer) -> dict[str, Any] | None:
    """Objects of a way, None where there are none."""
    path = places[0].path if places else ()
    names = _Names(way, path, writer)
    properties: dict[str, Any] = {}
    for name in dict.fromkeys((*way.properties, *way.required, *names.listed)):
        form = _property(way, name, names, writer)
        if form is not None:
            properties[name] = form
        elif name in way.required:
            return None
    if writer.required_first:
        properties = {**{name: properties[name] for name in properties if name in way.required}, **properties}
    open_part = _open_part(way, names, writer)
    form = {"type": "object", "properties": properties, "required": [n for n in properties if n in way.required]}
    return _counted({**form, **open_part}, way, path, writer)


def _property(way: Flat, name: str, names: "_Names", writer: Writer) -> dict[str, Any] | None:
    if "\x7f" in name:
        writer.reading.refuse((), name, "the name of a property cannot be written (a DEL character)")
        return None
    if not names.allow(name):
        return None
    places = way.property(name)
    for pattern, conjunction in way.pattern_properties.items():
        places += conjunction if matches(pattern, name) else ()
    return writer.form(places)


def _open_part(way: Flat, names: "_Names", writer: Writer) -> dict[str, Any]:
    """The keys that are not named: those of patterns, or all others."""
    named = {*way.properties, *way.required}
    closed: dict[str, Any] = {"additionalProperties": False}
    if way.pattern_properties:
        if names.pattern is not None:
            writer.reading.refuse(names.path, "propertyNames", "not supported together with patternProperties")
        forms = {pattern: writer.form(inner) for pattern, inner in way.pattern_properties.items()}
        possible = {pattern: form for pattern, form in forms.items() if form is not None}
        if possible and len(possible) < len(forms):
            # A name may fit both: what the one pattern allows, the other forbids.
            place = way.pattern_properties[next(iter(possible))][0].path[:-2]
            writer.reading.refuse(
                place, "patternProperties", "a pattern of forbidden names beside others is not supported"
            )
        return {"patternProperties": possible, **closed}
    if names.shut or names.listed or (named and (way.additional is None or names.pattern is not None)):
        return closed
    further = writer.form(way.additional or ())
    if further is None or len(named) > MOST_NAMED:
        return closed
    if names.pattern is not None:
        return {"patternProperties": {names.pattern: further}, **closed}
    if named:
        return {"patternProperties": {anything_but(named): further}, **closed}
    return {"additionalProperties": further}


def _counted(form: dict[str, Any], way: Flat, path: tuple[str, ...], writer: Writer) -> dict[str, Any] | None:
    """The form with its bounds on the number of properties, where they say something."""
    required, named = len(form["required"]), len(form["properties"])
    is_open = bool(form.get("patternProperties")) or form["additionalProperties"] is not False
    least, most = max(way.min_properties - required, 0), way.max_properties
    if most is not None and most < max(required, way.min_properties):
        return None
    if least and not is_open and named - required < least:
        return None
    if least:
        # Keys that come in any order may come twice, so that two of them may be one.
        if least == 1 and (named == required or not is_open):
            form["minProperties"] = way.min_properties
        elif not is_open and named - required == least:
            form["required"] = list(form["properties"])
        else:
            writer.reading.refuse(
                path, "minProperties", "For 'object' type, property 'minProperties' is not supported"
            )
    if most is not None and (is_open or named > most):
        if named == required or (most == required + 1 and not is_open and least <= 1):
            form["maxProperties"] = most
        elif most == required:
            return _only_required(form)
        else:
            writer.reading.refuse(
                path, "maxProperties", "For 'object' type, property 'maxProperties' is not supported"
            )
    return form


def _only_required(form: Mapping[str, Any]) -> dict[str, Any]:
    properties = {name: inner for name, inner in form["properties"].items() if name in form["required"]}
    return {"type": "object", "properties": properties, "required": form["required"], "additionalProperties": False}


class _Names:
    """What `propertyNames` says: a list of names, a pattern of them, or that there are none (`shut`)."""

    def __init__(self, way: Flat, path: tuple[str, ...], writer: Writer) -> None:
        self.path = path
        self.shut = False
        self.listed: list[str] = []
        self.pattern: str | None = None
        self._ways: list[Flat] | None = None
        if not way.names:
            return
        self._ways = [name for name in writer.ways(way.names) if "string" in name.types]
        if len(self._ways) == 1 and self._ways[0].values is not None:
            self.listed = [text for text in texts_of(self._ways[0].values) if self.allow(text)]
            self.pattern = "|".join(f"^{literal(text)}$" for text in self.listed)
        elif len(self._ways) == 1:
            self.pattern = self._pattern(self._ways[0], writer)
        elif self._ways:
            writer.reading.refuse(
                path, "propertyNames", "For 'object' type, property 'propertyNames' is not supported"
            )
        else:
            self.shut = True

    def _pattern(self, name: Flat, writer: Writer) -> str | None:
        has_length = name.min_length > 0 or name.max_length is not None
        if len(name.patterns) + has_length > 1 or name.min_length > 1000 or (name.max_length or 0) > 1000:
            writer.reading.refuse(
                self.path, "propertyNames", "only one pattern or a short range of lengths is supported"
            )
            return None
        if name.patterns:
            return name.patterns[0]
        most = "" if name.max_length is None else name.max_length
        return f"^[\\s\\S]{{{name.min_length},{most}}}$" if has_length else None

    def allow(self, name: str) -> bool:
        """Whether a property may have this name."""
        return self._ways is None or any(_fits(way, name) for way in self._ways)


def _fits(way: Flat, name: str) -> bool:
    if way.values is not None and name not in texts_of(way.values):
        return False
    long_enough = len(name) >= way.min_length and (way.max_length is None or len(name) <= way.max_length)
    return long_enough and all(matches(pattern, name) for pattern in way.patterns)

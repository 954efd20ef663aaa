"""Texts that a schema lists: a value that is one of them is read whole, whatever else a part of it would mean."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from antiphon.render.families.argument_kinds import referred

_MOST_STEPS: Final = 2_000
_WAYS: Final = ("anyOf", "oneOf", "allOf")


class FixedTexts:
    """Which of some texts a value may still be, while it is read."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = sorted(set(texts), key=len, reverse=True)
        self._read = 0

    def passed(self, piece: str) -> None:
        """The value goes on with this."""
        if self._texts:
            self._texts = [text for text in self._texts if text.startswith(piece, self._read)]
            self._read += len(piece)

    @property
    def rests(self) -> list[str]:
        """What is left to come of each, the longest first."""
        return [text[self._read :] for text in self._texts]


def of_parameter(name: str, schema: Mapping[str, Any]) -> frozenset[str]:
    """The texts that a schema of arguments lists for one of them, in whichever way it may go."""
    return frozenset(text for one in _parameter(schema, name, _Steps(schema)) for text in _listed(one))


def anywhere(schema: Mapping[str, Any]) -> frozenset[str]:
    """The texts that a schema lists for values of any depth."""
    found: list[str] = []
    pending: list[object] = [schema]
    for _ in range(_MOST_STEPS):
        if not pending:
            break
        one = pending.pop()
        if isinstance(one, list):
            pending += cast("list[object]", one)
        elif isinstance(one, dict):
            keywords = cast("dict[str, object]", one)
            found += _listed(keywords)
            pending += [value for key, value in keywords.items() if key not in ("const", "enum")]
            # A property may have such a name.
            pending += [keywords[key] for key in ("const", "enum") if isinstance(keywords.get(key), dict)]
    return frozenset(found)


def _listed(schema: Mapping[str, object]) -> Iterator[str]:
    if "const" in schema:
        yield from _texts_in(schema["const"])
    yield from _texts_in(schema.get("enum"))


def _texts_in(value: object) -> Iterator[str]:
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            pending += cast("dict[str, object]", one).values()
        elif isinstance(one, list):
            pending += cast("list[object]", one)


class _Steps:
    """The subschemas that stand beside one another in a place, references followed, a bounded number of them."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _MOST_STEPS

    def beside(self, schema: object) -> Iterator[Mapping[str, object]]:
        pending = [schema]
        while pending and self._left:
            one = pending.pop()
            self._left -= 1
            if not isinstance(one, Mapping):
                continue
            keywords = cast("Mapping[str, object]", one)
            yield keywords
            pending += [inner for key in _WAYS for inner in _list(keywords.get(key))]
            reference = keywords.get("$ref")
            if isinstance(reference, str):
                pending.append(referred(self._root, reference))


def _parameter(schema: Mapping[str, Any], name: str, steps: _Steps) -> Iterator[Mapping[str, object]]:
    for whole in steps.beside(schema):
        properties = whole.get("properties")
        known = isinstance(properties, Mapping) and name in properties
        inner = cast("Mapping[str, object]", properties)[name] if known else whole.get("additionalProperties")
        yield from steps.beside(inner)
        patterns = whole.get("patternProperties")
        if isinstance(patterns, Mapping):
            for one in cast("Mapping[str, object]", patterns).values():
                yield from steps.beside(one)


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []

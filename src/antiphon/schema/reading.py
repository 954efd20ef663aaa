"""What reading a client's schema comes to: problems by their place, and a bound on the work."""

from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import unquote

from antiphon.schema.flat import Path, Place

MOST_NODES: Final = 4_000
"""Subschemas that are read, each as often as it is reached."""

MOST_LEVELS: Final = 32
"""Arrays and objects within each other."""

MOST_WAYS: Final = 200
"""Alternatives of one subschema, after all its applicators are multiplied out."""


class TooComplexError(Exception):
    """The schema is larger than what is read."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A keyword that cannot be guaranteed: the keys that lead to its schema, its name, and why.

    `kept`: decoding keeps to it all the same; it is a problem only because the API has it for one.
    """

    path: Path
    keyword: str
    reason: str
    kept: bool = False

    def __str__(self) -> str:
        place = ".".join((*self.path, self.keyword) if self.keyword else self.path)
        return f"{place}: {self.reason}" if place else self.reason


@dataclass(slots=True)
class Reading:
    """One client's schema while it is read."""

    root: Any
    problems: list[Problem] = field(default_factory=list[Problem])
    _nodes: int = 0
    _anchors: dict[str, Place] | None = None

    def refuse(self, path: Path, keyword: str, reason: str, *, kept: bool = False) -> None:
        """Note a keyword that is left out, or that is `kept` and refused elsewhere."""
        self.problems.append(Problem(path, keyword, reason, kept))

    def count(self) -> None:
        """One more subschema is read."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise TooComplexError

    def target(self, reference: str) -> Place | None:
        """The subschema that a `$ref` points to, None where it is not within the schema."""
        root: object = self.root
        own = cast("dict[str, Any]", root).get("$id") if isinstance(root, dict) else None
        if isinstance(own, str) and own and not reference.startswith("#"):
            base = own.removesuffix("#")
            if not reference.startswith(base):
                return None
            reference = reference[len(base) :] or "#"
        if not reference.startswith("#"):
            return None
        fragment = unquote(reference[1:])
        if fragment and not fragment.startswith("/"):
            return self._named().get(fragment)
        keys = tuple(part.replace("~1", "/").replace("~0", "~") for part in fragment.split("/")[1:])
        return _at(self.root, keys)

    def _named(self) -> dict[str, Place]:
        if self._anchors is None:
            self._anchors = {}
            pending: list[tuple[Any, Path]] = [(self.root, ())]
            while pending:
                value, path = pending.pop()
                if isinstance(value, dict):
                    schema = cast("dict[str, Any]", value)
                    for key in ("$anchor", "$dynamicAnchor"):
                        if isinstance(schema.get(key), str):
                            self._anchors[schema[key]] = Place(schema, path)
                    pending.extend((inner, (*path, key)) for key, inner in schema.items())
                elif isinstance(value, list):
                    pending.extend((inner, (*path, str(n))) for n, inner in enumerate(cast("list[Any]", value)))
        return self._anchors


def _at(value: Any, keys: Path) -> Place | None:
    for key in keys:
        if isinstance(value, dict) and key in value:
            value = cast("Any", value[key])
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(cast("list[Any]", value)):
            value = cast("Any", value[int(key)])
        else:
            return None
    return Place(value, keys) if isinstance(value, dict | bool) else None

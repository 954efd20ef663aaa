"""What a tagged argument's text stands for: a string as it is, or JSON. Writer, reader and grammar agree by this.

A tag holds text only, so its schema says how to read it. Where the schema allows strings and other things, a text
that is JSON of one of the others is that, and every other text is a string.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

_BARE: Final = re.compile(r"[a-zA-Z0-9_.-]+")

TYPES: Final = ("null", "boolean", "integer", "number", "object", "array")

_MOST_STEPS: Final = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """`string`: a text may be a string. `others`: the JSON types that a text may be instead."""

    string: bool
    others: frozenset[str]

    def may_be_other(self, text: str) -> bool:
        """Whether a text that begins like this may still turn out not to be a string, white space apart."""
        text = text.strip()
        return any(_BEGINS[kind].fullmatch(text) for kind in self.others)


STRING: Final = Kind(True, frozenset())

_NUMBER_BEGINS = re.compile(r"-?[0-9]*(\.[0-9]*)?([eE][-+]?[0-9]*)?")

_BEGINS: Final[Mapping[str, re.Pattern[str]]] = {
    "null": re.compile("(n(u(ll?)?)?)?|(N(o(ne?)?)?)?"),
    "boolean": re.compile("([tT](r(ue?)?)?)?|([fF](a(l(se?)?)?)?)?"),
    "integer": _NUMBER_BEGINS,
    "number": _NUMBER_BEGINS,
    "object": re.compile(r"(\{.*)?", re.DOTALL),
    "array": re.compile(r"(\[.*)?", re.DOTALL),
}


def kind_of(name: str, schema: Mapping[str, Any]) -> Kind:
    """How the text of the parameter `name` of a tool with this input schema is read."""
    properties = schema.get("properties")
    if isinstance(properties, dict) and name in properties:
        wanted: object = cast("dict[str, object]", properties)[name]
    else:
        wanted = schema.get("additionalProperties", True)
    types = _Types(schema).of(wanted)
    return Kind("string" in types, types - {"string"})


class _Types:
    """The JSON types that a subschema lets through, as far as keywords of its own say so."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._steps = _MOST_STEPS

    def of(self, schema: object) -> frozenset[str]:
        everything = frozenset((*TYPES, "string"))
        self._steps -= 1
        if not isinstance(schema, dict) or self._steps < 0:
            return everything
        rules = cast("dict[str, object]", schema)
        found = everything
        if "type" in rules:
            given = rules["type"]
            found &= frozenset(cast("list[str]", given) if isinstance(given, list) else [cast("str", given)])
        if "const" in rules:
            found &= {_type_of(rules["const"])}
        if isinstance(rules.get("enum"), list):
            found &= frozenset(map(_type_of, cast("list[object]", rules["enum"])))
        for key in ("anyOf", "oneOf"):
            if isinstance(rules.get(key), list):
                found &= frozenset[str]().union(*map(self.of, cast("list[object]", rules[key])))
        for inner in cast("list[object]", rules.get("allOf") or []):
            found &= self.of(inner)
        if isinstance(reference := rules.get("$ref"), str):
            found &= self.of(referred(self._root, reference))
        if "number" in found:
            found |= {"integer"}
        return found or everything


def referred(root: Mapping[str, Any], reference: str) -> object:
    """What a reference within the schema `root` leads to; None where it leads nowhere. Source: RFC 6901."""
    target: object = root
    if not reference.startswith("#"):
        return None
    for key in reference[1:].split("/")[1:]:
        if not isinstance(target, Mapping):
            return None
        target = cast("Mapping[str, object]", target).get(key.replace("~1", "/").replace("~0", "~"))
    return target


def _type_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


_encode: Final = json.JSONEncoder(ensure_ascii=False).encode


def quoted_parts(value: object) -> Iterator[tuple[str, bool]]:
    """The parts of `quoted_value`, those that are strings told apart."""
    if isinstance(value, str):
        yield value, True
    elif isinstance(value, Mapping):
        items = sorted(cast("Mapping[str, object]", value).items(), key=lambda item: item[0].lower())
        for at, (key, item) in enumerate(items):
            yield "," if at else "{", False
            yield key, _BARE.fullmatch(key) is None
            yield ":", False
            yield from quoted_parts(item)
        yield "}" if items else "{}", False
    elif isinstance(value, list):
        for at, item in enumerate(cast("list[object]", value)):
            yield "," if at else "[", False
            yield from quoted_parts(item)
        yield "]" if value else "[]", False
    else:
        yield to_json(value), False


def quoted_value(value: object, quote: str) -> str:
    """JSON with keys in alphabetical order, bare where they can be, and strings as they are between two quotes."""
    return "".join(f"{quote}{part}{quote}" if is_string else part for part, is_string in quoted_parts(value))


def to_json(value: object) -> str:
    """JSON as models have read most of it: a space behind commas and colons, characters as they are."""
    return _encode(value)

"""What may stand where a call's arguments are: JSON by its schema, or tagged values that are read back as such."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from antiphon.dialogue.tools import Tool
from antiphon.render.families.argument_kinds import Kind, kind_of
from antiphon.render.families.syntax import CallSyntax, JsonArguments, QuotedArguments, TaggedArguments
from antiphon.render.grammar import lark
from antiphon.render.grammar.forms import alternatives, table, types_of, values_of
from antiphon.render.grammar.lark import Literals, Rules
from antiphon.render.grammar.patterns import whole_pattern
from antiphon.render.grammar.quoted import QuotedGrammar
from antiphon.render.grammar.schemas import has_own_bounds

_SPACE: Final = r"[ \t\r\n]*"

_NAME: Final = "/[a-zA-Z0-9_.-]{1,64}/"

_MOST_VALUES: Final = 500

_READ_AS: Final[Mapping[str, str]] = {
    "null": "null|None",
    "boolean": "true|false|True|False",
    "integer": r"-?(0|[1-9][0-9]*)",
    "number": r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?",
    "object": r"\{(?s:.*)",
    "array": r"\[(?s:.*)",
}
"""Texts that are read as something else where the schema allows that beside strings."""

_SCALARS: Final = frozenset({"null", "boolean", "integer", "number"})


def arguments(syntax: CallSyntax, tool: Tool, schema: Mapping[str, Any], rules: Rules, literals: Literals) -> str:
    """The expression for the arguments of a call of this tool; `schema`: what the grammar can hold of its own."""
    match syntax.arguments:
        case JsonArguments():
            return lark.json_value(schema)
        case TaggedArguments() as tags:
            return _Tagged(tags, tool, schema, rules, literals).write()
        case QuotedArguments(quote=quote):
            return QuotedGrammar(quote, schema, rules, literals).write()


class _Tagged:
    def __init__(
        self, tags: TaggedArguments, tool: Tool, schema: Mapping[str, Any], rules: Rules, literals: Literals
    ) -> None:
        self._tags = tags
        self._tool = tool
        self._schema = schema
        self._rules = rules
        self._literals = literals
        self._mark = tags.close.strip()
        self._end = tags.close.rstrip()
        self._tail = tags.close[len(self._end) :]

    def write(self) -> str:
        if "anyOf" in self._schema and not table(self._schema, "properties"):
            return f"({' | '.join(self._write_each())})"
        properties = table(self._schema, "properties")
        required = cast("list[str]", self._schema.get("required") or [])
        if not properties and not required:
            return self._any_parameters()
        names = [*properties, *(name for name in required if name not in properties)]
        told = [(self._parameter(name, properties.get(name, {})), name in required) for name in names]
        return " ".join(rule if needed else f"{rule}?" for rule, needed in told if rule) or ""

    def _write_each(self) -> Iterator[str]:
        """Each way that the arguments as a whole may go."""
        definitions = {key: self._schema[key] for key in ("$defs", "definitions") if key in self._schema}
        for way in alternatives(self._schema, self._schema):
            whole = {**way, **definitions}
            yield _Tagged(self._tags, self._tool, whole, self._rules, self._literals).write() or '""'

    def _any_parameters(self) -> str:
        further: object = self._schema.get("additionalProperties", True)
        patterns = list(table(self._schema, "patternProperties").items())
        if further is False and not patterns:
            return ""
        values = [value for _, value in patterns] or [further]
        alternatives = dict.fromkeys(
            f"{self._literals.write(self._tags.open)} {_NAME} {self._literals.write(self._tags.after_name)} "
            f"({self._value(_kind(value, self._schema), value)})"
            for value in values
        )
        least = self._schema.get("minProperties", 0)
        return f"({' | '.join(alternatives)}){{{least},}}" if least else f"({' | '.join(alternatives)})*"

    def _parameter(self, name: str, schema: object) -> str:
        opening = self._literals.write(f"{self._tags.open}{name}{self._tags.after_name}")
        value = self._value(kind_of(name, self._tool.schema), schema)
        return self._rules.rule(f"{opening} ({value})")

    def _value(self, kind: Kind, schema: object) -> str:
        ways = alternatives(schema, self._schema)
        told: list[str] = []
        if kind.string:
            # Texts and the scalars beside them are one terminal: of two, only the longer would ever be found.
            reserved = [f"/{_SPACE}({_READ_AS[other]}){_SPACE}/" for other in sorted(kind.others)]
            texts = [text for way in ways for text in (*self._texts(way, reserved), *_scalars(way))]
            if texts:
                terminal = self._rules.terminal(f"({' | '.join(dict.fromkeys(texts))}) {lark.quoted(self._end)}")
                told.append(f"{self._rules.lazy(terminal)} {lark.quoted(self._tail) if self._tail else ''}")
            ways = [held for way in ways if (held := _only(way, ("object", "array"))) is not None]
        close = self._literals.write(self._tags.close)
        told += [f"{self._json(way)} {close}" for way in ways]
        return " | ".join(dict.fromkeys(told))

    def _json(self, schema: Mapping[str, Any]) -> str:
        definitions = {key: self._schema[key] for key in ("$defs", "definitions") if key in self._schema}
        refers = definitions and '"$ref"' in json.dumps(schema)
        return lark.json_value({**schema, **definitions} if refers else schema)

    def _texts(self, way: Mapping[str, Any], reserved: list[str]) -> list[str]:
        """The strings of one way, as parts of a terminal. None of them holds the tag that closes them."""
        values = values_of(way)
        if values is not None:
            texts = [value for value in values if isinstance(value, str) and self._mark not in value]
            return [lark.quoted(text) for text in texts[:_MOST_VALUES]]
        if "string" not in types_of(way):
            return []
        least, most = way.get("minLength", 0), way.get("maxLength", "")
        body = f"/(?s:.){{{least},{most}}}/" if least or most != "" else lark.ANY_TEXT
        patterns = [one.get("pattern") for one in (way, *(way.get("allOf") or ()))]
        bounds = [whole_pattern(pattern) for pattern in patterns if isinstance(pattern, str)]
        body = " & ".join((body, *(f"/{bound}/" for bound in bounds if bound is not None)))
        return [f"({lark.without(body, (lark.contains(self._mark), *reserved))})"]


def _scalars(way: Mapping[str, Any]) -> list[str]:
    """The null, booleans and numbers of one way, as parts of a terminal; bounded numbers are left out."""
    values = values_of(way)
    if values is not None:
        scalars = [value for value in values if value is None or isinstance(value, int | float)]
        return [lark.quoted(json.dumps(value)) for value in scalars]
    if has_own_bounds(way):
        return ["/null/"] if "null" in types_of(way) else []
    words = {"null": "/null/", "boolean": "/true|false/"}
    return [words.get(kind) or f"/{_READ_AS[kind]}/" for kind in types_of(way) if kind in _SCALARS]


def _only(way: Mapping[str, Any], kinds: tuple[str, ...]) -> Mapping[str, Any] | None:
    """What a way says of these types."""
    values = values_of(way)
    if values is not None:
        held: list[object] = [value for value in values if isinstance(value, dict | list)]
        return {"enum": held} if held else None
    types = [kind for kind in types_of(way) if kind in kinds]
    return {**way, "type": types[0] if len(types) == 1 else types} if types else None


def _kind(schema: object, root: Mapping[str, Any]) -> Kind:
    return kind_of("", {**root, "properties": {}, "additionalProperties": schema})

"""What may stand where a call's arguments are: JSON by its schema, or tagged values that are read back as such."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from antiphon.dialogue.tools import Tool
from antiphon.render.families.argument_kinds import Kind, kind_of
from antiphon.render.families.fixed_texts import of_parameter
from antiphon.render.families.markers import Marker
from antiphon.render.families.syntax import CallSyntax, JsonArguments, QuotedArguments, TaggedArguments
from antiphon.render.families.value_ends import ending_pattern, holds_ending
from antiphon.render.grammar import lark
from antiphon.render.grammar.forms import alternatives, table, types_of, values_of
from antiphon.render.grammar.lark import Literals, Rules
from antiphon.render.grammar.patterns import strings
from antiphon.render.grammar.quoted import QuotedGrammar
from antiphon.render.grammar.schemas import has_own_bounds

_SPACE: Final = r"[ \t\r\n]*"

_NAME: Final = "/[a-zA-Z0-9_.-]{1,64}/"

_MOST_VALUES: Final = 500

_AGAIN: Final = "\ufdd0"

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
    """The expression for the arguments of a call of this tool and for the end of the call; `schema`: what the grammar
    can hold of its own."""
    match syntax.arguments:
        case JsonArguments():
            told = lark.json_value(schema)
        case QuotedArguments(quote=quote):
            told = QuotedGrammar(quote, schema, rules, literals).write()
        case TaggedArguments() as tags:
            return f"({_Tagged(tags, syntax, tool, schema, rules, literals).write()})"
    return f"{told} {literals.write(syntax.call_close)}".strip()


_Next = tuple[str, str]
"""A text that may stand behind a value, and the expression for what comes behind that text."""


class _Tagged:
    """A value's terminal goes on to the text that may follow it: only that tells that it has ended."""

    def __init__(
        self,
        tags: TaggedArguments,
        syntax: CallSyntax,
        tool: Tool,
        schema: Mapping[str, Any],
        rules: Rules,
        literals: Literals,
    ) -> None:
        self._tags = tags
        self._syntax = syntax
        self._tool = tool
        self._schema = schema
        self._rules = rules
        self._literals = literals
        self._ends: _Next = (syntax.call_close, "")

    def write(self) -> str:
        if "anyOf" in self._schema and not table(self._schema, "properties"):
            return " | ".join(dict.fromkeys(self._write_each()))
        properties = table(self._schema, "properties")
        required = cast("list[str]", self._schema.get("required") or [])
        if not properties and not required:
            return self._any_parameters()
        names = [*properties, *(name for name in required if name not in properties)]
        further, may_end = "", True
        for name in reversed(names):
            nexts = [*([(self._tags.open, further)] if further else []), *([self._ends] if may_end else [])]
            told = self._parameter(name, properties.get(name, {}), nexts)
            further = self._rules.rule(told if name in required or not further else f"{told} | {further}")
            may_end = may_end and name not in required
        return self._begun(further, may_end=may_end)

    def _begun(self, further: str, *, may_end: bool) -> str:
        told = [f"{self._literals.write(self._tags.open)} {further}"]
        told += [self._literals.write(self._syntax.call_close)] if may_end else []
        return " | ".join(told)

    def _write_each(self) -> Iterator[str]:
        """Each way that the arguments as a whole may go."""
        definitions = {key: self._schema[key] for key in ("$defs", "definitions") if key in self._schema}
        for way in alternatives(self._schema, self._schema):
            whole = {**way, **definitions}
            yield _Tagged(self._tags, self._syntax, self._tool, whole, self._rules, self._literals).write()

    def _any_parameters(self) -> str:
        further: object = self._schema.get("additionalProperties", True)
        patterns = list(table(self._schema, "patternProperties").items())
        if further is False and not patterns:
            return self._literals.write(self._syntax.call_close)
        values = [value for _, value in patterns] or [further]
        least: int = self._schema.get("minProperties", 0)
        rest = self._rules.again(self._named(values, [(self._tags.open, _AGAIN), self._ends]), _AGAIN)
        for _ in range(least - 1):
            rest = self._rules.rule(self._named(values, [(self._tags.open, rest)]))
        return self._begun(rest, may_end=not least)

    def _named(self, values: Sequence[object], nexts: Sequence[_Next]) -> str:
        """One parameter of any name, with one of these schemas."""
        behind = self._literals.write(self._tags.after_name)
        kinds = [(_kind(value, self._schema), value) for value in values]
        told = (f"{_NAME} {behind} ({self._value(kind, value, frozenset(), nexts)})" for kind, value in kinds)
        return " | ".join(dict.fromkeys(told))

    def _parameter(self, name: str, schema: object, nexts: Sequence[_Next]) -> str:
        opening = self._literals.write(f"{name}{self._tags.after_name}")
        listed = of_parameter(name, self._tool.schema)
        return f"{opening} ({self._value(kind_of(name, self._tool.schema), schema, listed, nexts)})"

    def _value(self, kind: Kind, schema: object, listed: frozenset[str], nexts: Sequence[_Next]) -> str:
        ways = alternatives(schema, self._schema)
        told: list[str] = []
        if kind.string:
            # Texts and the scalars beside them are one terminal: of two, only the longer would ever be found.
            unwanted = [*self._ends_elsewhere(nexts)]
            unwanted += [f"/{_SPACE}({_READ_AS[other]}){_SPACE}/" for other in sorted(kind.others)]
            texts = [text for way in ways for text in (*self._texts(way, unwanted, listed), *_scalars(way))]
            given = [value for way in ways for value in values_of(way) or ()]
            is_free = any(values_of(way) is None for way in ways)
            is_long = any(isinstance(value, str) and self._is_long(value) for value in given)
            options = {"is_free": is_free, "is_long": is_long}
            told += [self._ended(dict.fromkeys(texts), following, **options) for following in nexts if texts]
            ways = [held for way in ways if (held := _only(way, ("object", "array"))) is not None]
        close = self._tags.close
        after = " | ".join(f"{self._literals.write(close + text)} {rest}".strip() for text, rest in nexts)
        told += [f"{self._json(way)} ({after})" for way in ways]
        return " | ".join(dict.fromkeys(told or [f"({after})"]))

    def _ended(self, texts: Iterable[str], following: _Next, *, is_free: bool, is_long: bool) -> str:
        """One of these parts of a terminal, and the text behind it; `is_long`: that may be inside of one, too."""
        text, rest = following
        close = self._tags.close
        # Behind a text that the model makes up, it may space the tags as it likes; the reader does not mind.
        lead = close[: len(close) - len(close.lstrip())]
        end = f"/{lark.pattern_of(lead)}{Marker(close, text).pattern()}/" if is_free else lark.quoted(close + text)
        terminal = self._rules.terminal(f"({' | '.join(texts)}) {end}")
        spaced = self._literals.write(text[len(text.rstrip()) :]) if is_free else ""
        return f"{terminal if is_long else self._rules.lazy(terminal)} {spaced} {rest}".strip()

    def _ends_elsewhere(self, nexts: Sequence[_Next]) -> Iterator[str]:
        """What may not be in a text. A model that is about to go on where it cannot is turned round at once."""
        yield f"/(?s:.*)({ending_pattern(self._tags, self._syntax)})(?s:.*)/"
        both = self._tags.open, self._syntax.call_close
        shared = next(at for at, (one, other) in enumerate(zip(*both, strict=False)) if one != other)
        for text in set(both) - {text for text, _ in nexts}:
            begun = f"{self._tags.close.lstrip()}{text[: shared + 1]}"
            yield lark.contains(begun)
            # It may also come to be with the tag that closes this text.
            for at in range(1, len(begun)):
                if self._tags.close.startswith(begun[at:]):
                    yield f"/(?s:.*){lark.pattern_of(begun[:at])}/"

    def _is_long(self, value: str) -> bool:
        return holds_ending(value, self._tags, self._syntax)

    def _json(self, schema: Mapping[str, Any]) -> str:
        definitions = {key: self._schema[key] for key in ("$defs", "definitions") if key in self._schema}
        refers = definitions and '"$ref"' in json.dumps(schema)
        return lark.json_value({**schema, **definitions} if refers else schema)

    def _texts(self, way: Mapping[str, Any], unwanted: Sequence[str], listed: frozenset[str]) -> list[str]:
        """The strings of one way, as parts of a terminal; `unwanted`: what one that is not given does without."""
        values = values_of(way)
        if values is not None:
            texts = [value for value in values if isinstance(value, str)]
            texts = [text for text in texts if text in listed or not self._is_long(text)]
            return [lark.quoted(text) for text in texts[:_MOST_VALUES]]
        if "string" not in types_of(way):
            return []
        return [f"({lark.without(strings(way), unwanted)})"]


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

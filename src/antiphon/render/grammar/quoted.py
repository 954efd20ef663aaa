"""Objects with bare keys and quoted strings, as far as a schema bounds them."""

from collections.abc import Mapping
from typing import Any, Final, cast

from antiphon.render.families.argument_kinds import quoted_parts
from antiphon.render.grammar import lark
from antiphon.render.grammar.forms import alternatives, table, types_of, values_of
from antiphon.render.grammar.lark import Literals, Rules
from antiphon.render.grammar.patterns import strings

_DEEPEST: Final = 6

_KEY: Final = "/[a-zA-Z0-9_.-]{1,64}/"


class QuotedGrammar:
    """The arguments of one tool; `schema` is an object's. What lies deeper than a few levels is free."""

    def __init__(self, quote: str, schema: Mapping[str, Any], rules: Rules, literals: Literals) -> None:
        self._quote = quote
        self._schema = schema
        self._rules = rules
        self._literals = literals

    def write(self) -> str:
        """The expression."""
        if "anyOf" in self._schema and not table(self._schema, "properties"):
            return self._value(self._schema, 0)
        return self._object(self._schema, 0)

    def _value(self, schema: object, depth: int) -> str:
        if depth == _DEEPEST:
            return self._free()
        told = [one for way in alternatives(schema, self._schema) for one in self._way(way, depth)]
        return self._rules.rule(" | ".join(dict.fromkeys(told)))

    def _way(self, way: Mapping[str, Any], depth: int) -> list[str]:
        values = values_of(way)
        if values is not None:
            return [self._listed(value) for value in values]
        told: list[str] = []
        for kind in types_of(way):
            match kind:
                case "string":
                    told.append(self._string(way))
                case "array":
                    told.append(self._array(way, depth))
                case "object":
                    told.append(self._object(way, depth))
                case _:
                    told.append(lark.json_value({**way, "type": kind}))
        return told

    def _listed(self, value: object) -> str:
        """A value that is given; what looks like a control token in its strings is text."""
        quote = self._literals.write(self._quote)
        parts = (
            (f"{quote} {lark.quoted(part)} {quote}" if is_string else lark.quoted(part))
            for part, is_string in quoted_parts(value)
        )
        return " ".join(parts)

    def _string(self, way: Mapping[str, Any]) -> str:
        body = strings(way)
        opening = self._literals.write(self._quote)
        if self._quote in self._literals.tokens:
            ended = f"/(?s:.*){lark.pattern_of(self._quote)}[ \\t\\r\\n]*[,}}\\]](?s:.*)/"
            return f"{opening} {self._rules.terminal(f'{lark.without(body, [ended])}')} {opening}"
        ending = self._rules.terminal(f"({lark.without(body, [lark.contains(self._quote)])}) {opening}")
        return f"{opening} {self._rules.lazy(ending)}"

    def _array(self, way: Mapping[str, Any], depth: int) -> str:
        item = self._value(way.get("items", {}), depth + 1)
        least, most = way.get("minItems", 0), way.get("maxItems")
        if most == 0:
            return '"[]"'
        more = f"{{{max(least - 1, 0)},{'' if most is None else most - 1}}}"
        items = f'{item} ("," {item}){more}'
        return f'"[" {items} "]"' if least else f'"[" ({items})? "]"'

    def _object(self, way: Mapping[str, Any], depth: int) -> str:
        properties = table(way, "properties")
        required = cast("list[str]", way.get("required") or [])
        names = sorted({*properties, *required}, key=str.lower)
        if not names:
            if way.get("additionalProperties", True) is False and not table(way, "patternProperties"):
                return '"{}"'
            pair = f'{_KEY} ":" {self._free()}'
            return f'"{{" ({pair} ("," {pair})*)? "}}"'
        pairs = [f"{lark.quoted(f'{name}:')} {self._value(properties.get(name, {}), depth + 1)}" for name in names]
        rest = '""'
        first = rest
        for name, pair in zip(reversed(names), reversed(pairs), strict=True):
            # What may follow once something is written, and what may come first.
            later = f'"," {pair} {rest}' if rest != '""' else f'"," {pair}'
            begin = f"{pair} {rest}" if rest != '""' else pair
            if name in required:
                first, rest = self._rules.rule(begin), self._rules.rule(later)
            else:
                first = self._rules.rule(f"{begin} | {first}" if first != '""' else f"{begin} |")
                rest = self._rules.rule(f"{later} | {rest}" if rest != '""' else f"{later} |")
        return f'"{{" {first} "}}"'

    def _free(self) -> str:
        """Any value."""
        simple = " | ".join(lark.json_value({"type": kind}) for kind in ("null", "boolean", "number"))
        name = "free_value"
        pair = f'{_KEY} ":" {name}'
        nested = f'"[" ({name} ("," {name})*)? "]" | "{{" ({pair} ("," {pair})*)? "}}"'
        return self._rules.named(name, f"{simple} | {self._string({})} | {nested}")

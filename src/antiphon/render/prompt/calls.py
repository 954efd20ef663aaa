"""Tool calls as text in a model's own syntax: how the calls of earlier turns are told."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from antiphon.dialogue.tools import Call, Tool
from antiphon.render.families.argument_kinds import _BARE, kind_of, quoted_value, to_json
from antiphon.render.families.syntax import CallSyntax, JsonArguments, QuotedArguments, TaggedArguments

_ALPHANUMERIC: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def write_calls(syntax: CallSyntax, calls: Sequence[Call], tools: Sequence[Tool]) -> str:
    """One section with these calls, as the model itself would write it; `tools` say which arguments are strings."""
    return CallWriter(syntax, tools).write(calls)


class CallWriter:
    """Writes the sections of one conversation."""

    def __init__(self, syntax: CallSyntax, tools: Sequence[Tool]) -> None:
        self._syntax = syntax
        self._schemas = {tool.name: tool.schema for tool in tools}
        self._strings: dict[tuple[str, str], bool] = {}

    def write(self, calls: Sequence[Call]) -> str:
        """One section with these calls."""
        syntax = self._syntax
        told = syntax.between.join(self._call(call, index) for index, call in enumerate(calls))
        return f"{syntax.section_open}{told}{syntax.section_close}"

    def _call(self, call: Call, index: int) -> str:
        syntax = self._syntax
        match syntax.arguments:
            case JsonArguments():
                arguments = to_json(call.input)
            case QuotedArguments(quote=quote):
                arguments = quoted_value(call.input, quote)
            case TaggedArguments() as tags:
                arguments = "".join(
                    f"{tags.open}{name}{tags.after_name}{self._value(call.name, name, value)}{tags.close}"
                    for name, value in call.input.items()
                )
        opening, named = _filled(syntax.call_open, call, index), _filled(syntax.after_name, call, index)
        return f"{opening}{call.name}{named}{arguments}{_filled(syntax.call_close, call, index)}"

    def _value(self, tool: str, name: str, value: object) -> str:
        if not isinstance(value, str):
            return to_json(value)
        key = tool, name
        if key not in self._strings:
            self._strings[key] = kind_of(name, self._schemas.get(tool) or {}).string
        return value if self._strings[key] else to_json(value)


def nine_characters(call_id: str) -> str:
    """A call's id in nine letters and digits, for models that know no other ids; the same id gives the same."""
    number = int.from_bytes(hashlib.sha256(call_id.encode()).digest()[:8], "big")
    characters: list[str] = []
    for _ in range(9):
        number, digit = divmod(number, len(_ALPHANUMERIC))
        characters.append(_ALPHANUMERIC[digit])
    return "".join(characters)


def _filled(marker: str, call: Call, index: int) -> str:
    if "{" not in marker:
        return marker
    marker = marker.replace("{index}", str(index))
    return marker.replace("{id}", nine_characters(call.id)) if "{id}" in marker else marker


def quoted_parts(value: object) -> Iterator[tuple[str, bool]]:
    """The same in parts, those that are strings told apart."""
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

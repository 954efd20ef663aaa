"""The notation of llguidance grammars: rules, texts, tokens, patterns and schemas, each written safely.

Source: guidance-ai/llguidance, docs/syntax.md.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from antiphon.render.families.markers import Marker

ANY_TEXT: Final = r"/(?s:.*)/"

SOME_TEXT: Final = r"/(?s:.+)/"

# One line with a space behind commas and colons: room for more is room to write white space for ever. No patterns:
# the llguidance inside of llama.cpp takes them to the letter.
_SPELLING: Final = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}

_OPEN_ENDED: Final = {"{index}": "/[0-9]{1,3}/", "{id}": "/[a-zA-Z0-9]{9}/"}

_META: Final = re.compile(r"[\\.+*?()|\[\]{}^$/&~#\-]")

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def quoted(text: str) -> str:
    """A text as a terminal: not empty."""
    # The notation's own escapes are fewer than JSON's, so what is rare is written as a pattern.
    plain = text.replace("\n", "").replace("\t", "")
    return f"/{pattern_of(text)}/" if _CONTROL.search(plain) else json.dumps(text, ensure_ascii=False)


def pattern_of(text: str) -> str:
    """A text inside of a pattern."""
    escaped = _META.sub(r"\\\g<0>", text)
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", escaped)


def contains(text: str) -> str:
    """Everything that has this text in it."""
    return f"/(?s:.*){pattern_of(text)}(?s:.*)/"


def contains_marker(marker: Marker) -> str:
    """Everything that has this marker in it, in any spelling."""
    return f"/(?s:.*){marker.pattern()}(?s:.*)/"


def contains_any(markers: Iterable[Marker]) -> str:
    """Everything that has one of these markers in it: the same as all of `contains_marker`, in one pattern."""
    return f"/(?s:.*)({'|'.join(marker.pattern() for marker in markers)})(?s:.*)/"


def begins_with(marker: Marker) -> str:
    """Everything that this marker begins, white space apart, in any spelling."""
    return rf"/[ \t\r\n]*{marker.pattern()}(?s:.*)/"


def without(terminal: str, unwanted: Iterable[str]) -> str:
    """What the terminal matches and none of the others does."""
    return " & ".join((terminal, *(f"~{other}" for other in dict.fromkeys(unwanted))))


def numbers_to(most: int) -> str:
    """The inside of a pattern: the whole numbers from 1 to `most`, which is not less, without leading zeros."""
    digits = str(most)
    told = ["[1-9]" + (f"[0-9]{{{length - 1}}}" if length > 1 else "") for length in range(1, len(digits))]
    for at, digit in enumerate(digits):
        least = "1" if at == 0 else "0"
        rest = len(digits) - at - 1
        if digit > least:
            told.append(f"{digits[:at]}[{least}-{int(digit) - 1}]" + (f"[0-9]{{{rest}}}" if rest else ""))
    return "|".join((*told, digits))


def json_value(schema: Mapping[str, Any]) -> str:
    """A JSON value that satisfies the schema, on one line."""
    return f"%json {json.dumps({**schema, 'x-guidance': _SPELLING}, ensure_ascii=False)}"


class Literals:
    """Texts with control tokens in them. `tokens`: the control tokens by their texts."""

    def __init__(self, tokens: Mapping[str, int]) -> None:
        self.tokens = dict(tokens)
        marks = sorted((*tokens, *_OPEN_ENDED), key=len, reverse=True)
        self._marks = re.compile(f"({'|'.join(map(re.escape, marks))})")

    def write(self, text: str) -> str:
        """The text as a sequence of terminals and tokens; empty for an empty text."""
        return " ".join(self._one(part) for part in self._marks.split(text) if part)

    def first_token(self, text: str) -> str | None:
        """The control token that the text begins with."""
        found = self._marks.match(text)
        return found[0] if found is not None and found[0] in self.tokens else None

    def _one(self, part: str) -> str:
        if part in self.tokens:
            return f"<[{self.tokens[part]}]>"
        return _OPEN_ENDED.get(part) or quoted(part)


class Rules:
    """The rules of one grammar, in order; a rule that says the same as an earlier one is that one."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._lines: list[str] = []

    def rule(self, body: str) -> str:
        """The name of a rule with this body."""
        return self._add("r", "", body)

    def terminal(self, body: str) -> str:
        """The name of a terminal with this body."""
        return self._add("T", "", body)

    def lazy(self, body: str) -> str:
        """The name of a rule whose terminals match as little as they can."""
        return self._add("l", "[lazy]", body)

    def named(self, name: str, body: str) -> str:
        """A rule with a name of its own, which its body may refer to."""
        if name not in self._names:
            self._names[name] = name
            self._lines.append(f"{name}: {body}")
        return name

    def again(self, body: str, again: str) -> str:
        """The name of a rule with this body, in which `again` stands for the rule itself."""
        key = f"again: {body}"
        if key not in self._names:
            name = self._names[key] = f"a{len(self._names)}"
            self._lines.append(f"{name}: {body.replace(again, name)}")
        return self._names[key]

    def grammar(self, start: str) -> str:
        """The whole grammar."""
        return "\n".join((f"start: {start}", *self._lines, ""))

    def _add(self, letter: str, options: str, body: str) -> str:
        key = f"{letter}{options}: {body}"
        if key not in self._names:
            self._names[key] = f"{letter}{len(self._names)}"
            self._lines.append(f"{self._names[key]}{options}: {body}")
        return self._names[key]

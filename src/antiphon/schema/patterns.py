"""Regular expressions of a schema, rewritten so that every engine reads them alike.

A `pattern` is written in the regular expressions of ECMA-262, which the constrained decoder, validators in other
languages and the clients read with small differences: what `.` and `\\s` match, what `[` means inside brackets, which
flags exist. Each construct is therefore spelled out; where readings differ the narrower one is taken, so that what is
produced is right under all of them. Anchors are brought to the edges, where all find them. What cannot be decoded
(looking around or back) is named.

Source: JSON Schema 2020-12 Core, 6.4; ECMA-262, Patterns; the syntax of Rust's `regex` crate.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from pydantic_core import SchemaError, SchemaValidator, core_schema

from antiphon.schema.anchors import at_the_edges

MOST_CHARACTERS: Final = 2_000
MOST_REPEATS: Final = 1_000
MOST_GROUPS: Final = 50

_DIGIT: Final = "0-9"
_WORD: Final = "0-9A-Za-z_"
# White space by ECMA-262 and by Unicode alike; what only one of them counts is in neither `\s` nor `\S`.
_SPACE: Final = r"\t\n\x0b\x0c\r \u{a0}\u{1680}\u{2000}-\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}"
_DOUBTFUL_SPACE: Final = r"\x1c-\x1f\u{85}\u{feff}"
_CLASSES: Final = {
    "d": f"[{_DIGIT}]",
    "D": r"[^0-9\p{Nd}]",
    "w": f"[{_WORD}]",
    "W": rf"[^{_WORD}\p{{L}}\p{{M}}\p{{N}}]",
    "s": f"[{_SPACE}]",
    "S": f"[^{_SPACE}{_DOUBTFUL_SPACE}]",
}
# The same with every reading's characters, for brackets that exclude them.
_EXCLUDED: Final = {
    "d": r"[0-9\p{Nd}]",
    "D": f"[^{_DIGIT}]",
    "w": rf"[{_WORD}\p{{L}}\p{{M}}\p{{N}}]",
    "W": f"[^{_WORD}]",
    "s": f"[{_SPACE}{_DOUBTFUL_SPACE}]",
    "S": f"[^{_SPACE}]",
}
_ANY: Final = r"[^\n\r\u{2028}\u{2029}]"
# A class and its opposite in one pair of brackets: the usual way to write any character at all.
_COMPLEMENTS: Final = tuple({_CLASSES[kind], _CLASSES[kind.upper()]} for kind in "dws")
_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}
_HEX: Final = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}")
_PROPERTY: Final = re.compile(r"[pP]\{[A-Za-z_=]{1,60}\}")
_REPEAT: Final = re.compile(r"\{(\d{1,9})(,(\d{0,9}))?\}")
_NAME: Final = re.compile(r"\?<[A-Za-z_$][A-Za-z0-9_$]*>")
_META: Final = frozenset(r"\.+*?()|[]{}^$-&~#/")


class UnsupportedPattern(Exception):  # noqa: N818 - what it says is about the pattern
    """The pattern has a construct that cannot be decoded; the argument names it."""


@lru_cache(maxsize=1024)
def rewritten(pattern: str) -> str:
    """The pattern with every construct spelled out, anchors at the edges of its alternatives alone; raises
    `UnsupportedPattern`."""
    if len(pattern) > MOST_CHARACTERS:
        raise UnsupportedPattern(f"more than {MOST_CHARACTERS} characters")
    told = at_the_edges(_Rewriter(pattern).run())
    if told is None:
        raise UnsupportedPattern("an anchor in the middle")
    return told


def matches(pattern: str, text: str) -> bool:
    """Whether a rewritten pattern is found in the text; the time is linear in the text's length."""
    compiled = _compiled(pattern)
    return compiled is not None and compiled.isinstance_python(text)


def literal(text: str) -> str:
    """The text as a pattern."""
    return "".join(map(_quoted, text))


def anything_but(texts: Iterable[str]) -> str:
    """A pattern of whole strings: everything except these texts."""
    return f"^{_except(sorted(set(texts)), 0)}$"


def _except(texts: list[str], depth: int) -> str:
    # All texts share their first `depth` characters; what may follow those.
    heads: dict[str, list[str]] = {}
    for text in texts:
        if len(text) > depth:
            heads.setdefault(text[depth], []).append(text)
    if not heads:
        return r"[\s\S]+"
    others = "[^" + "".join(map(_quoted, heads)) + r"][\s\S]*"
    ways = [others, *(_quoted(head) + _except(tail, depth + 1) for head, tail in heads.items())]
    end_is_taken = any(len(text) == depth for text in texts)
    return f"(?:{'|'.join(ways)})" + ("" if end_is_taken else "?")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> SchemaValidator | None:
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:
        return None


def _quoted(character: str) -> str:
    if character in _META:
        return "\\" + character
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"


class _Rewriter:
    """One pass over a pattern."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._out: list[str] = []
        self._open = 0
        self._repeatable = False

    def run(self) -> str:
        while self._at < len(self._text):
            self._step()
        if self._open:
            raise UnsupportedPattern("an unclosed group")
        return "".join(self._out)

    def _step(self) -> None:
        character = self._text[self._at]
        self._at += 1
        match character:
            case "\\":
                self._atom(self._escape())
            case "[":
                self._atom(self._set())
            case "(":
                self._group()
            case ")":
                if not self._open:
                    raise UnsupportedPattern("an unopened group")
                self._open -= 1
                self._atom(")")
            case "|":
                self._out.append("|")
                self._repeatable = False
            case "^" | "$":
                self._anchor(character)
            case "*" | "+" | "?" | "{":
                self._repeat(character)
            case ".":
                self._atom(_ANY)
            case _:
                self._atom(_quoted(character))

    def _atom(self, text: str) -> None:
        self._out.append(text)
        self._repeatable = True

    def _anchor(self, anchor: str) -> None:
        # Twice the same place is once.
        if not self._out or self._out[-1] != anchor:
            self._out.append(anchor)
        self._repeatable = False

    def _group(self) -> None:
        self._open += 1
        if self._open > MOST_GROUPS:
            raise UnsupportedPattern("groups nested too deeply")
        if self._text.startswith("?:", self._at):
            self._at += 2
        elif named := _NAME.match(self._text, self._at):
            self._at = named.end()
        elif self._text.startswith(("?=", "?!", "?<=", "?<!"), self._at):
            raise UnsupportedPattern("look-around")
        elif self._text.startswith("?", self._at):
            raise UnsupportedPattern("flags")
        self._out.append("(?:")
        self._repeatable = False

    def _repeat(self, sign: str) -> None:
        if sign == "{":
            bounds = _REPEAT.match(self._text, self._at - 1)
            if bounds is None:
                self._atom(r"\{")
                return
            self._at = bounds.end()
            least, most = int(bounds[1]), int(bounds[3]) if bounds[3] else int(bounds[1])
            if most > MOST_REPEATS:
                raise UnsupportedPattern(f"more than {MOST_REPEATS} repetitions")
            if most < least:
                raise UnsupportedPattern("repetitions out of order")
            sign = bounds[0]
        if not self._repeatable:
            raise UnsupportedPattern(f"'{sign}' without anything to repeat")
        if self._text.startswith("?", self._at):
            self._at += 1  # how eagerly a repetition matches does not change which texts match
        self._out.append(sign)
        self._repeatable = False

    def _escape(self) -> str:
        """Outside of brackets, behind the backslash."""
        character = self._text[self._at : self._at + 1]
        if character in _CLASSES:
            self._at += 1
            return _CLASSES[character]
        if character in ("b", "B"):
            raise UnsupportedPattern("word boundaries")
        if character == "k" or (character.isdecimal() and character != "0"):
            raise UnsupportedPattern("back-references")
        named = _PROPERTY.match(self._text, self._at)
        if named is not None:
            self._at = named.end()
            return "\\" + named[0]
        return _quoted(self._character())

    def _character(self) -> str:
        """The one character that an escape stands for, in brackets or not."""
        character = self._text[self._at : self._at + 1]
        if found := _HEX.match(self._text, self._at):
            self._at = found.end()
            point = int(found[1] or found[2] or found[3], 16)
            if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
                raise UnsupportedPattern("half of a surrogate pair")
            return chr(point)
        self._at += 1
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character == "0" and not self._text[self._at : self._at + 1].isdecimal():
            return "\0"
        if not character or character.isalnum() or character == "_":
            raise UnsupportedPattern(f"the escape '\\{character}'")
        return character

    def _set(self) -> str:
        negated = self._text.startswith("^", self._at)
        self._at += negated
        if self._text.startswith("]", self._at):
            raise UnsupportedPattern("empty brackets")
        classes = _EXCLUDED if negated else _CLASSES
        members: list[str] = []
        while not self._text.startswith("]", self._at):
            if self._at >= len(self._text):
                raise UnsupportedPattern("unclosed brackets")
            first = self._member(classes)
            is_range = self._text.startswith("-", self._at) and not self._text.startswith("-]", self._at)
            if not is_range:
                members.append(first)
                continue
            self._at += 1
            last = self._member(classes)
            if first.startswith("[") or last.startswith("["):
                raise UnsupportedPattern("a range between classes")
            members.append(f"{first}-{last}")
        self._at += 1
        if not negated and any(pair <= set(members) for pair in _COMPLEMENTS):
            return r"[\s\S]"
        return f"[{'^' if negated else ''}{''.join(members)}]"

    def _member(self, classes: Mapping[str, str]) -> str:
        character = self._text[self._at : self._at + 1]
        self._at += 1
        if character != "\\":
            return _quoted(character)
        escaped = self._text[self._at : self._at + 1]
        if escaped in classes:
            self._at += 1
            return classes[escaped]
        if escaped == "b":
            self._at += 1
            return r"\u{8}"
        named = _PROPERTY.match(self._text, self._at)
        if named is not None:
            self._at = named.end()
            return f"[\\{named[0]}]"
        return _quoted(self._character())

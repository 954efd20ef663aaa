"""One JSON value out of a stream of characters: what may be sent of it now, where it ends, and that it is one.

What comes out is JSON: small slips that models make are put right on the way (raw line breaks in strings, single
quotes, Python's `True`, a comma too many, half a surrogate pair). Numbers, words and escapes come out when they are
complete, so that the text so far can be completed at any time.
"""

import re
from math import isfinite
from typing import Final

from antiphon.render.reading.nesting import Nesting

_WORDS: Final = {
    "true": "true",
    "false": "false",
    "null": "null",
    "True": "true",
    "False": "false",
    "None": "null",
}

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")

_PLAIN: Final = {'"': re.compile(r'[^"\\\x00-\x1f]+'), "'": re.compile(r"[^'\"\\\x00-\x1f]+")}

_SPACE: Final = " \t\n\r"

_ESCAPES: Final = '"\\/bfnrt'

_LOST: Final = "\\ufffd"

_NAMED: Final = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class JsonStream(Nesting):
    """Reads one value, an object where `object_only`. `done`: it is complete; `broken`: this is no JSON."""

    def __init__(self, *, object_only: bool = False) -> None:
        super().__init__()
        self._object_only = object_only
        self._quote = ""
        self._is_key = False
        self._held = ""  # a word, number or escape that is not complete, or half a surrogate pair

    def feed(self, text: str, at: int = 0) -> tuple[str, int]:
        """What the text from `at` adds to the value, and where reading stopped: its end, or the text's."""
        out: list[str] = []
        while at < len(text) and not self.done and not self.broken:
            at = self._string(text, at, out) if self._quote else self._structure(text, at, out)
        return "".join(out), at

    def end(self) -> str:
        """The text is over: what was held back of a value that its own end does not show, a number or word."""
        out: list[str] = []
        if self._held and not self._quote:
            self._scalar(out)
        self.broken |= not self.done
        return "".join(out)

    def closing(self) -> str:
        """What completes the value from here on; a key without a value gets null."""
        text = '"' if self._quote else ""
        if (self._quote and self._is_key) or self._next == "colon":
            text += ": null"
        elif self._next == "value" and self._closers and self._closers[-1] == "}" and not self._quote:
            text += " null"
        return text + "".join(reversed(self._closers))

    def _structure(self, text: str, at: int, out: list[str]) -> int:
        char = text[at]
        if self._object_only and not self._closers and char not in " \t\n\r{":
            self.broken = True
            return at
        if self._held or (self._next in ("value", "first") and (char.isalnum() or char in "-+.")):
            if char.isalnum() or char in "-+._":
                self._held += char
                self.broken = len(self._held) > 400
                return at + 1
            self._scalar(out)
            return at
        if char in _SPACE:
            if not self._comma and self._closers:
                out.append(char)
        elif char in "\"'" and self._next != "more" and self._next != "colon":
            self._begin(out)
            self._is_key = self._next == "first key"
            self._quote = char
            out.append('"')
        elif char in "{[" and self._next in ("value", "first"):
            self._open(char, out)
        elif char in "}]":
            self._close(char, out)
        elif char == "," and self._next == "more" and not self._comma and self._closers:
            self._another()
        elif char == ":" and self._next == "colon":
            out.append(char)
            self._next = "value"
        else:
            self.broken = True
        return at if self.broken else at + 1

    def _scalar(self, out: list[str]) -> None:
        held, self._held = self._held, ""
        # A number that is infinite as a double is none that a client could read.
        is_number = _NUMBER.fullmatch(held) is not None and isfinite(float(held))
        word = _WORDS.get(held) or (held if is_number else None)
        if word is None:
            self.broken = True
            return
        self._begin(out)
        out.append(word)
        self._value_ended()

    def _string(self, text: str, at: int, out: list[str]) -> int:
        if self._held:
            return self._escape(text[at], at, out)
        plain = _PLAIN[self._quote].match(text, at)
        if plain is not None:
            out.append(plain[0])
            return plain.end()
        char = text[at]
        if char == self._quote:
            self._quote = ""
            out.append('"')
            if self._is_key:
                self._next = "colon"
            else:
                self._value_ended()
        elif char == "\\":
            self._held = char
        else:
            out.append(escaped(char))
        return at + 1

    def _escape(self, char: str, at: int, out: list[str]) -> int:
        """Go on with an escape, or with the low half that must follow a high one."""
        held = self._held
        body = held[6:] if len(held) >= 6 else held
        if body in ("", "\\") and len(held) >= 6 and char != ("\\" if not body else "u"):
            # Half a pair: nothing can decode it.
            out.append(_LOST)
            self._held = body
            return at
        if body == "\\" and char != "u":
            self._held = ""
            if char in _ESCAPES or char == "'":
                out.append("'" if char == "'" else f"\\{char}")
            else:
                out.append(f"\\\\{escaped(char)}")
            return at + 1
        if body[:2] == "\\u" and char not in "0123456789abcdefABCDEF":
            out.append(_LOST)
            self._held = ""
            return at
        self._held += char
        if len(self._held) in (6, 12):
            self._unit(out)
        return at + 1

    def _unit(self, out: list[str]) -> None:
        first, second = self._held[:6], self._held[6:]
        if not second:
            value = int(first[2:], 16)
            if 0xD800 <= value < 0xDC00:
                return
            out.append(_LOST if 0xDC00 <= value < 0xE000 else first)
            self._held = ""
        elif 0xDC00 <= int(second[2:], 16) < 0xE000:
            out.append(first + second)
            self._held = ""
        else:
            out.append(_LOST)
            self._held = second
            self._unit(out)


_ESCAPED: Final = re.compile(r'["\\\x00-\x1f]')


def escaped(text: str) -> str:
    """Text as it stands inside a JSON string."""
    return _ESCAPED.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    if char in '"\\':
        return f"\\{char}"
    return _NAMED.get(char) or f"\\u{ord(char):04x}"


def as_json(text: str) -> str | None:
    """The text as one JSON value, put right where it slipped; None where it is none."""
    stream = JsonStream()
    text = text.strip(_SPACE)
    value, end = stream.feed(text)
    value += stream.end() if not stream.done else ""
    return None if stream.broken or end < len(text) else value

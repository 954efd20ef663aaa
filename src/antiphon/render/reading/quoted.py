"""Arguments with bare keys and strings between two quoting markers, read as JSON.

{city:<escape>Paris<escape>,days:[1,2],options:{metric:true}}
"""

from typing import Final

from antiphon.render.reading.json_stream import as_json, escaped
from antiphon.render.reading.nesting import Nesting

_SPACE: Final = " \t\n\r"

_MOST_BARE: Final = 400


class QuotedStream(Nesting):
    """Reads one object and gives JSON, piece by piece. `done`: it is complete; `broken`: it is no such object."""

    def __init__(self, quote: str) -> None:
        super().__init__()
        self._quote = quote
        self._inside = False
        self._held = ""  # a bare word that is not complete, or what may be the beginning of a quote

    def feed(self, text: str, at: int = 0) -> tuple[str, int]:
        """What the text from `at` adds, and where reading stopped: the object's end, or past the last character."""
        out: list[str] = []
        while at < len(text) and not self.done and not self.broken:
            at = self._string(text, at, out) if self._inside else self._structure(text[at], at, out)
        return "".join(out), at

    def end(self) -> str:
        """The text is over: what was held back of a string as the possible beginning of its end."""
        held, self._held = self._held, ""
        self.broken |= not self.done
        return escaped(held) if self._inside else ""

    def closing(self) -> str:
        """What completes the object from here on; a key without a value gets null."""
        text = '"' if self._inside else ""
        if self._next == "colon" or (self._inside and self._next == "first key"):
            text += ": null"
        elif self._next == "value" and self._closers and self._closers[-1] == "}" and not self._inside:
            text += "null"
        return text + "".join(reversed(self._closers))

    def _string(self, text: str, at: int, out: list[str]) -> int:
        rest = self._held + text[at:]
        end = rest.find(self._quote)
        if end < 0:
            kept = _overlap(rest, self._quote)
            out.append(escaped(rest[: len(rest) - kept]))
            self._held = rest[len(rest) - kept :]
            return len(text)
        out.append(escaped(rest[:end]) + '"')
        at += end + len(self._quote) - len(self._held)
        self._held = ""
        self._inside = False
        if self._next == "first key":
            self._next = "colon"
        else:
            self._value_ended()
        return at

    def _structure(self, char: str, at: int, out: list[str]) -> int:
        expects_key = self._next == "first key"
        delimiters = ":}" if expects_key else "{}[],"
        if char in _SPACE and not self._held:
            return at + 1
        if self._next not in ("more", "colon") and (char not in delimiters or self._opens_quote(char)):
            self._bare(char, out)
            return at + 1
        if self._held:
            self._word(out, key=expects_key)
            return at
        if char == ":" and self._next == "colon":
            out.append(": ")
            self._next = "value"
        elif char in "{[" and self._next in ("value", "first"):
            self._open(char, out)
        elif char in "}]":
            self._close(char, out)
        elif char == "," and self._next == "more" and not self._comma:
            self._another()
        else:
            self.broken = True
        return at if self.broken else at + 1

    def _opens_quote(self, char: str) -> bool:
        """A quote may hold what is a delimiter elsewhere."""
        return self._quote.startswith(self._held + char)

    def _bare(self, char: str, out: list[str]) -> None:
        self._held += char
        if self._held == self._quote and self._closers:
            self._held = ""
            self._begin(out)
            out.append('"')
            self._inside = True
        self.broken = not self._closers or len(self._held) > _MOST_BARE

    def _word(self, out: list[str], *, key: bool) -> None:
        held, self._held = self._held.strip(), ""
        word = f'"{escaped(held)}"' if key else as_json(held)
        if word is None:
            self.broken = True
            return
        self._begin(out)
        out.append(word)
        if key:
            self._next = "colon"
        else:
            self._value_ended()

    def _open(self, char: str, out: list[str]) -> None:
        super()._open(char, out)
        self.broken |= self._closers[0] == "]"


def _overlap(text: str, marker: str) -> int:
    """The length of the longest end of the text that the marker begins with."""
    longest = min(len(text), len(marker) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(marker[:size])), 0)

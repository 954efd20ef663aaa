"""Arguments with bare keys and strings between two quoting markers, read as JSON.

{city:<escape>Paris<escape>,days:[1,2],options:{metric:true}}
"""

from collections.abc import Iterable
from typing import Final

from antiphon.render.families.fixed_texts import FixedTexts
from antiphon.render.families.markers import skip_space
from antiphon.render.reading.json_stream import as_json, escaped
from antiphon.render.reading.nesting import Nesting

_SPACE: Final = " \t\n\r"

_MOST_BARE: Final = 400


class QuotedStream(Nesting):
    """Reads one object and gives JSON, piece by piece. `done`: it is complete; `broken`: it is no such object.

    A quote ends a string where something follows that may stand behind one; elsewhere it is part of the string.
    `fixed`: texts that a schema lists, of which even such a quote is part: the longest that fits is the string.
    """

    def __init__(self, quote: str, fixed: Iterable[str] = ()) -> None:
        super().__init__()
        self._quote = quote
        self._listed = [text for text in fixed if quote in text]
        self._fixed = FixedTexts(())
        self._inside = False
        self._held = ""  # a bare word that is not complete
        self.final = False
        """No more text is to come."""

    def feed(self, text: str, at: int = 0) -> tuple[str, int]:
        """What the text from `at` adds, and how far it was read: the rest is to come again with more."""
        out: list[str] = []
        while at < len(text) and not self.done and not self.broken:
            if not self._inside:
                at = self._structure(text[at], at, out)
                continue
            at = self._string(text, at, out)
            if self._inside:
                break
        return "".join(out), at

    def closing(self) -> str:
        """What completes the object from here on; a key without a value gets null."""
        text = '"' if self._inside else ""
        if self._next == "colon" or (self._inside and self._next == "first key"):
            text += ": null"
        elif self._next == "value" and self._closers and self._closers[-1] == "}" and not self._inside:
            text += "null"
        return text + "".join(reversed(self._closers))

    def _string(self, text: str, at: int, out: list[str]) -> int:
        safe, end = self._end_in(text, at)
        out.append(escaped(text[at:safe]))
        self._fixed.passed(text[at:safe])
        if end is None:
            return safe
        out.append('"')
        self._inside = False
        if self._next == "first key":
            self._next = "colon"
        else:
            self._value_ended()
        return end

    def _end_in(self, text: str, at: int) -> tuple[int, int | None]:
        """How far the text is the string's, and where the quote ends that ends it."""
        begin = at
        while (quoted := text.find(self._quote, begin)) >= 0:
            ended = self._ended(text, quoted)
            if ended is None:
                return quoted, None
            if not ended:
                begin = quoted + 1
                continue
            for rest in self._fixed.rests:
                longer = at + len(rest)
                if longer <= quoted:
                    break
                if text.startswith(rest + self._quote, at) and (ended := self._ended(text, longer)) is not False:
                    return (longer, longer + len(self._quote)) if ended else (quoted, None)
                if (rest + self._quote).startswith(text[at:]) and not self.final:
                    return quoted, None
            return quoted, quoted + len(self._quote)
        return len(text) - _overlap(text[at:], self._quote), None

    def _ended(self, text: str, quoted: int) -> bool | None:
        """Whether the quote there ends the string; None where more text will tell."""
        follow = skip_space(text, quoted + len(self._quote))
        if follow == len(text):
            return True if self.final else None
        return text[follow] in (":" if self._next == "first key" else ",}]")

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
            self._fixed = FixedTexts(self._listed if self._next != "first key" else ())
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

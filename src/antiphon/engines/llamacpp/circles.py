"""A text that goes in circles behind numbers: "1. Do it. 2. Do it. 3. Do it."

llama.cpp's DRY (`sampling.guarded`) sees sequences of tokens, and a number that counts up ends each of them: so many
a circle of a small model is none to it. Here a text is taken apart into what a person would call its lines, and
those that differ by the mark before them only are the same.
"""

import re
from typing import Final

_OFTEN: Final = 5
"""Times that the same is said, one after the other, before it is a circle."""

_LONGEST: Final = 3
"""Lines that a circle has at most."""

_WORDS: Final = 4
"""Words that a line has at least: names in a list, brackets of a program and rows of numbers may well be repeated."""

_END: Final = re.compile(r"\n|(?<=[.!?])[ \t]+")
_MARK: Final = re.compile(
    r"^[\s\-*+•#>|]*(?:(?:step|day|question)\s+)?(?:\(?\d+[.):]+|[a-z][.)](?=\s))?[\s*_]*", re.IGNORECASE
)
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_LINE_LIMIT: Final = 2000


class Circles:
    """Watches one text while it is written."""

    def __init__(self) -> None:
        self._line = ""
        self._said: list[str] = []

    def closed_by(self, text: str) -> bool:
        """Whether the text, with this piece more, has said the same `_OFTEN` times in a row."""
        *lines, self._line = _END.split(self._line + text)
        # A line that does not end is none that comes again.
        self._line = self._line[-_LINE_LIMIT:]
        return any(self._is_closed_by(line) for line in lines)

    def _is_closed_by(self, line: str) -> bool:
        bare = _MARK.sub("", line).strip(" \t*_").casefold()
        if not bare:  # an empty line, or a number on its own: it parts what is the same as little as its mark does
            return False
        self._said = [*self._said, bare][-_OFTEN * _LONGEST :]
        return any(self._goes_round(length) for length in range(1, _LONGEST + 1))

    def _goes_round(self, length: int) -> bool:
        turns = self._said[-_OFTEN * length :]
        last = turns[-length:]
        return (
            len(turns) == _OFTEN * length
            and turns == last * _OFTEN
            and all(len(_WORD.findall(line)) >= _WORDS for line in last)
        )

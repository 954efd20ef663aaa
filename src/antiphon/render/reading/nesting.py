"""Objects and lists in each other, while their text is read: which are open, and what may come next."""

from typing import Final, Literal

MOST_DEPTH: Final = 100
"""Deeper values are refused: clients' own parsers end not far above."""

Next = Literal["value", "first", "first key", "colon", "more"]
"""What may come: a value; a value or the end (`first`, `first key` in an object); `more`: a comma or the end."""


class Nesting:
    """One value that is read piece by piece. `done`: it is complete; `broken`: it is none."""

    def __init__(self) -> None:
        self.done = False
        self.broken = False
        self._closers: list[str] = []
        self._next: Next = "value"
        self._comma = False

    def _begin(self, out: list[str]) -> None:
        if self._comma:
            # A comma counts only when something follows it.
            out.append(", ")
            self._comma = False

    def _open(self, char: str, out: list[str]) -> None:
        self._begin(out)
        out.append(char)
        self._closers.append("}" if char == "{" else "]")
        self._next = "first key" if char == "{" else "first"
        self.broken = len(self._closers) > MOST_DEPTH

    def _close(self, char: str, out: list[str]) -> None:
        if not self._closers or self._closers[-1] != char or self._next in ("value", "colon"):
            self.broken = True
            return
        self._comma = False
        out.append(self._closers.pop())
        self._value_ended()

    def _another(self) -> None:
        """A comma was read."""
        self._comma = True
        self._next = "first key" if self._closers[-1] == "}" else "first"

    def _value_ended(self) -> None:
        self._next = "more"
        self.done = not self._closers

"""Texts that took long to make, kept for the next time."""

import marshal
from collections.abc import Callable
from typing import Any, Final

from antiphon.memory import Kept

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of all that is kept for one model."""

_WORTH_KEEPING: Final = 256

# The last version in which equal values have one spelling, whoever else holds on to them.
_SPELLING: Final = 2


class KeptTexts:
    """Texts by what they were made of, the longest unused ones dropped first.

    What a text is made of counts to the last type, order and digit: 1, 1.0 and True are three things.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._texts: Kept[tuple[str, bytes], str] = Kept(most, _weight)

    def get(self, kind: str, value: Any, make: Callable[[], str]) -> str:
        """What `make` makes of the value; `kind` tells this way of making texts from others.

        Values other than those of JSON, and small ones, are not worth it.
        """
        try:
            spelled = marshal.dumps(value, _SPELLING)
        except ValueError:
            return make()
        if len(spelled) < _WORTH_KEEPING:
            return make()
        key = (kind, spelled)
        text = self._texts.get(key)
        if text is None:
            text = make()
            self._texts.put(key, text)
        return text


def _weight(key: tuple[str, bytes], text: str) -> int:
    return len(key[1]) + len(text.encode("utf-8", "surrogatepass"))

"""A thought that goes round in circles: the model says one thing over and over, and will to the end of its budget.

Small models do that, above all where they are told to think and have no word for it. Nothing comes of it any more, so
that the reply does better to go on with its answer.
"""

from typing import Final

LEAST_TIMES: Final = 8

LEAST_LENGTH: Final = 600
"""Characters; what repeats itself has to be that long in all. A drawn line or a row of zeros is shorter."""

_LONGEST: Final = 400  # characters of what is said over and over

_KEPT: Final = LEAST_TIMES * _LONGEST

_STEP: Final = 64  # characters between two looks

_MARK: Final = 24  # characters at the end that are looked for before it

_TRIES: Final = 8


class Circles:
    """Reads one thought while it is written."""

    def __init__(self) -> None:
        self._tail = ""
        self._unread = 0

    def found(self, text: str) -> bool:
        """Whether with this text the thought ends in one and the same, `LEAST_TIMES` at least, to the character."""
        self._tail = (self._tail + text)[-_KEPT:]
        self._unread += len(text)
        if self._unread < _STEP:
            return False
        self._unread = 0
        return any(self._repeats(every) for every in self._distances())

    def _repeats(self, every: int) -> bool:
        length = max(LEAST_LENGTH, LEAST_TIMES * every)
        end = self._tail[-length:]
        return len(end) == length and end[every:] == end[:-every]

    def _distances(self) -> list[int]:
        """How far before its end the text has said the same as there."""
        tail = self._tail
        mark, start, distances = tail[-_MARK:], len(tail) - _MARK, list[int]()
        at = start
        while len(distances) < _TRIES:
            at = tail.rfind(mark, max(0, start - _LONGEST), at + _MARK - 1)
            if at < 0:
                break
            distances.append(start - at)
        return distances

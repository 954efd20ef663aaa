"""The machine's clock and dice, as arguments: with fixed ones a transcript repeats to the byte."""

from typing import Protocol


class Clock(Protocol):
    """Time as the service sees it."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        ...


class Entropy(Protocol):
    """Dice."""

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""
        ...

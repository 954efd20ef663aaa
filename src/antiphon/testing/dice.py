"""Dice for tests."""


class CountingEntropy:
    """Dice that count up: 1, 2, 3, …, each as wide as it is asked for."""

    def __init__(self) -> None:
        self._count = 0

    def bytes(self, count: int) -> bytes:
        """The next number, in `count` bytes."""
        self._count += 1
        return self._count.to_bytes(count, "big")

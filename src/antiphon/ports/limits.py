"""Buckets that fill up again: the port."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct


class Draw(Struct, frozen=True):
    """What is wanted of a bucket. It holds `size`, and from empty it is full again in a minute; nothing is taken
    where it holds less than `need`. `take` may be more than it holds: then it is in debt. Below 0: given back."""

    bucket: str
    size: int
    need: float
    take: float


class Drawn(Struct, frozen=True):
    """What buckets hold now. `granted`: each held what was needed, and so it was taken from all."""

    granted: bool
    levels: tuple[float, ...]


class Buckets(Protocol):
    """Keeps buckets, full at first."""

    async def draw(self, draws: Sequence[Draw]) -> Drawn | None:
        """Take from all of them or from none; None where it cannot be known."""
        ...

    def settle(self, draws: Sequence[Draw]) -> None:
        """Take, whatever they hold, and let nobody wait for it."""
        ...

    async def aclose(self) -> None:
        """Settle what is to be settled."""
        ...

"""What only one of several processes does at a time: the port."""

from typing import Protocol


class Leases(Protocol):
    """Turns that all servers of one store take. Both raise `StoreError`.

    Times are the callers' own, of clocks that may be apart a little, or be set back: a turn that would last longer
    than its taker asked for is over.
    """

    async def take(self, name: str, holder: str, now: float, lasting: float) -> bool:
        """Have the turn of this name from `now` for so many seconds; False where somebody else has it. Who has it may
        take it again, from then on for so long."""
        ...

    async def release(self, name: str, holder: str) -> None:
        """Give it up before its time; nothing happens where somebody else has it."""
        ...

"""The port of the cache ledger: which prefixes are kept for how long. It holds their names, and nothing of them.

What an engine holds of a prompt is its own affair; the ledger says what of that may be told to a client as read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """A prefix by its key, which is the same for no other prefix, model or tenant; kept for so many `seconds`."""

    key: bytes
    seconds: int


class Ledger(Protocol):
    """Knows prefixes from their first `keep` on, each until its time is over; may forget any of them earlier.

    Times are seconds since the Unix epoch, as the caller's clock has them.
    """

    async def find(self, keys: Sequence[bytes], now: float) -> int | None:
        """Which of the keys is the first that is known, by its place; its own time begins anew. None: not one."""
        ...

    async def keep(self, entries: Sequence[Entry], since: float) -> None:
        """Know these prefixes from `since` on. One that is known keeps the longer of its times, which begins anew."""
        ...

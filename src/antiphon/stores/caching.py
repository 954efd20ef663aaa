"""The cache ledger of one process."""

from collections.abc import Iterable, Sequence
from typing import Final

from antiphon.memory import Kept
from antiphon.ports.caching import Entry

MOST_ENTRIES: Final = 100_000
"""Some 300 bytes each."""


class MemoryLedger:
    """A `Ledger` that forgets what nobody has asked for longest."""

    def __init__(self, most: int = MOST_ENTRIES) -> None:
        self._kept: Kept[bytes, tuple[float, int]] = Kept(most)

    def know(self, entries: Iterable[tuple[Entry, float]]) -> None:
        """Know prefixes from before this process, each until then."""
        for entry, until in entries:
            if until > self._until(entry.key):
                self._kept.put(entry.key, (until, entry.seconds))

    async def find(self, keys: Sequence[bytes], now: float) -> int | None:
        """The first of the keys that is known; its time begins anew."""
        for at, key in enumerate(keys):
            seconds = self._seconds(key, now)
            if seconds is not None:
                self._kept.put(key, (now + seconds, seconds))
                return at
        return None

    async def keep(self, entries: Sequence[Entry], since: float) -> None:
        """Know these prefixes from now on."""
        for entry in entries:
            seconds = max(self._seconds(entry.key, since) or 0, entry.seconds)
            until = max(since + seconds, self._until(entry.key))
            self._kept.put(entry.key, (until, seconds))

    def _until(self, key: bytes) -> float:
        known = self._kept.get(key)
        return 0.0 if known is None else known[0]

    def _seconds(self, key: bytes, now: float) -> int | None:
        """How long the prefix is kept, None where it is not."""
        known = self._kept.get(key)
        if known is None:
            return None
        if known[0] <= now:
            self._kept.drop(key)
            return None
        return known[1]

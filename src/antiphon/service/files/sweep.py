"""What is taken away in time: bytes of expired files, what is known of them, bytes that became no file."""

from typing import Final

from antiphon.ports.files import FOLDER, FileStore
from antiphon.ports.objects import ObjectStore
from antiphon.service.files.library import MICROSECONDS
from antiphon.service.leftovers import UNFINISHED, Leftovers

GRACE: Final = 3600
"""Seconds behind its expiry after which a file's bytes are taken away: a clock that is wrong may be set right."""

TOLD: Final = 30 * 86_400
"""Seconds behind its expiry in which a file is still told of."""

REMEMBERED: Final = 86_400
"""Seconds in which who walks the list may still go on from a file that was removed."""

_AT_ONCE: Final = 500


class Sweep:
    """Takes away what is due; may run in several servers at once, and break off anywhere. Raises `StoreError`."""

    def __init__(self, rows: FileStore, objects: ObjectStore) -> None:
        self._rows = rows
        self._objects = objects
        self._leftovers = Leftovers(FOLDER, objects, rows.unknown)

    async def run(self, at: float) -> None:
        """Sweep once. `at`: the clock's time."""
        now = round(at * MICROSECONDS)
        await self._empty_expired(now)
        await self._rows.forget(now - TOLD * MICROSECONDS, now - REMEMBERED * MICROSECONDS)
        await self._leftovers.clear(now)

    async def _empty_expired(self, now: int) -> None:
        while files := await self._rows.expired(now - GRACE * MICROSECONDS, _AT_ONCE):
            for file in files:
                await self._objects.delete(file.key)
                await self._rows.mark_gone(file.id)


__all__ = ["GRACE", "REMEMBERED", "TOLD", "UNFINISHED", "Sweep"]

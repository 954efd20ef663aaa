"""What is taken away in time: bytes of expired files, what is known of them, bytes that became no file."""

import logging
from typing import Final

from antiphon.ports.files import FOLDER, FileStore
from antiphon.ports.objects import ObjectStore
from antiphon.service.files.library import MICROSECONDS
from antiphon.service.files.uploads import KEY_DIGITS

GRACE: Final = 3600
"""Seconds behind its expiry after which a file's bytes are taken away: a clock that is wrong may be set right."""

TOLD: Final = 30 * 86_400
"""Seconds behind its expiry in which a file is still told of."""

REMEMBERED: Final = 86_400
"""Seconds in which who walks the list may still go on from a file that was removed."""

UNFINISHED: Final = 86_400
"""Seconds after which bytes without a file will never be one: no upload lasts as long."""

_AT_ONCE: Final = 500

log = logging.getLogger(__name__)


class Sweep:
    """Takes away what is due; may run in several servers at once, and break off anywhere. Raises `StoreError`."""

    def __init__(self, rows: FileStore, objects: ObjectStore) -> None:
        self._rows = rows
        self._objects = objects

    async def run(self, at: float) -> None:
        """Sweep once. `at`: the clock's time."""
        now = round(at * MICROSECONDS)
        await self._empty_expired(now)
        await self._rows.forget(now - TOLD * MICROSECONDS, now - REMEMBERED * MICROSECONDS)
        await self._clear(now)

    async def _empty_expired(self, now: int) -> None:
        while files := await self._rows.expired(now - GRACE * MICROSECONDS, _AT_ONCE):
            for file in files:
                await self._objects.delete(file.key)
                await self._rows.mark_gone(file.id)

    async def _clear(self, now: int) -> None:
        """Remove objects without files, where no upload can be about to make one of them."""
        keys: list[str] = []
        async for key in self._objects.keys(FOLDER):
            begun = key.removeprefix(FOLDER)[:KEY_DIGITS]
            if _time(begun) < now - UNFINISHED * MICROSECONDS:
                keys.append(key)
            if len(keys) >= _AT_ONCE:
                await self._remove_unknown(keys)
                keys = []
        await self._remove_unknown(keys)

    async def _remove_unknown(self, keys: list[str]) -> None:
        for key in await self._rows.unknown(keys) if keys else ():
            log.info("files: %s became no file, and is removed", key)
            await self._objects.delete(key)


def _time(digits: str) -> int:
    """When an object was begun; one whose key says nothing of it is of no age."""
    try:
        return int(digits, 16)
    except ValueError:
        return 2**63

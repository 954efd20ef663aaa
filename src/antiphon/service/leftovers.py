"""Bytes that were kept for something that never came to be: found by when they were begun, and removed."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from antiphon.ports.objects import ObjectStore

UNFINISHED: Final = 86_400
"""Seconds after which bytes that belong to nothing never will: no upload lasts as long."""

_DIGITS: Final = 16
"""Hexadecimal digits at the beginning of a key: when its object was begun."""

_MICROSECONDS: Final = 1_000_000
_AT_ONCE: Final = 500

log = logging.getLogger(__name__)


def key_of(folder: str, begun: int, id_: str) -> str:
    """The key of an object that is begun at this time, in microseconds."""
    return f"{folder}{begun:0{_DIGITS}x}-{id_}"


class Leftovers:
    """Those in one folder of an object store. `unknown`: which of some keys belong to nothing.

    Raises `StoreError`."""

    def __init__(
        self, folder: str, objects: ObjectStore, unknown: Callable[[Sequence[str]], Awaitable[Sequence[str]]]
    ) -> None:
        self._folder = folder
        self._objects = objects
        self._unknown = unknown

    async def clear(self, now: int) -> None:
        """Remove objects that belong to nothing, where no upload can be about to make something of them."""
        keys: list[str] = []
        async for key in self._objects.keys(self._folder):
            begun = key.removeprefix(self._folder)[:_DIGITS]
            if _time(begun) < now - UNFINISHED * _MICROSECONDS:
                keys.append(key)
            if len(keys) >= _AT_ONCE:
                await self._remove_unknown(keys)
                keys = []
        await self._remove_unknown(keys)

    async def _remove_unknown(self, keys: list[str]) -> None:
        for key in await self._unknown(keys) if keys else ():
            log.info("%s belongs to nothing, and is removed", key)
            await self._objects.delete(key)


def _time(digits: str) -> int:
    """When an object was begun; one whose key says nothing of it is of no age."""
    try:
        return int(digits, 16)
    except ValueError:
        return 2**63

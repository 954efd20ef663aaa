"""Objects in a folder, whose library is loaded when the first of them comes or is asked for.

Where no files are used it never is: 4 MiB. It is loaded in a thread, so that other requests go on.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon.ports.stores import StoreUnfit
from antiphon.stores.drafts import clear_drafts, holds_any
from antiphon.stores.place import folder_of

if TYPE_CHECKING:
    from antiphon.stores.objects import Objects


class LateObjects:
    """An `ObjectStore` in a folder."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._opened: Objects | None = None
        self.shown = str(folder)

    @classmethod
    def open(cls, url: str) -> "LateObjects":
        """The store behind `file:///path`; the folder is made where it is missing. Raises `StoreUnfit`."""
        folder = folder_of(url)
        if folder is None:
            raise StoreUnfit(f"{url} is no folder")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            clear_drafts(folder)
        except OSError as problem:
            raise StoreUnfit(f"{folder} cannot be opened: {problem}") from problem
        return cls(url, folder)

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        return await (await self._objects()).put(key, chunks)

    async def read(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        async for piece in (await self._objects()).read(key, start):
            yield piece

    async def delete(self, key: str) -> None:
        await (await self._objects()).delete(key)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        # Sweeps ask at every start, and again and again, for what is mostly not there.
        if self._opened is None and not await asyncio.to_thread(holds_any, self._folder):
            return
        async for key in (await self._objects()).keys(prefix):
            yield key

    async def aclose(self) -> None:
        if self._opened is not None:
            await self._opened.aclose()

    async def _objects(self) -> "Objects":
        if self._opened is None:
            self._opened = await asyncio.to_thread(_open, self._url)
        return self._opened


def _open(url: str) -> "Objects":
    from antiphon.stores.objects import Objects

    return Objects.open(url)

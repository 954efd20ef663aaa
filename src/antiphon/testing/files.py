"""Rows of files in memory, for an app in a test's own process."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from antiphon.ports.files import Place, StoredFile


class MemoryFiles:
    """A `FileStore` that is gone with its process."""

    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}
        self._removed: dict[str, tuple[StoredFile, int]] = {}

    async def add(self, file: StoredFile, quota: int | None) -> bool:
        if quota is not None and await self.used() + file.size > quota:
            return False
        self._files[file.id] = file
        return True

    async def used(self) -> int:
        return sum(file.size for file in self._files.values() if not file.gone)

    async def find(self, tenant: str, ids: Sequence[str]) -> Sequence[StoredFile]:
        return self._newest(lambda file: file.tenant == tenant and file.id in ids)

    async def older(self, tenant: str, than: Place | None, limit: int) -> Sequence[StoredFile]:
        return self._newest(lambda file: file.tenant == tenant and (than is None or _order(file) < _at(than)))[:limit]

    async def newer(self, tenant: str, than: Place, limit: int) -> Sequence[StoredFile]:
        return self._newest(lambda file: file.tenant == tenant and _order(file) > _at(than))[-limit:]

    async def place(self, tenant: str, id_: str) -> Place | None:
        removed = self._removed.get(id_)
        file = self._files.get(id_) if removed is None else removed[0]
        return None if file is None or file.tenant != tenant else Place(file.created_at, id_)

    async def remove(self, tenant: str, id_: str, now: int) -> StoredFile | None:
        file = self._files.get(id_)
        if file is None or file.tenant != tenant:
            return None
        self._removed[id_] = self._files.pop(id_), now
        return file

    async def expired(self, before: int, limit: int) -> Sequence[StoredFile]:
        due = [file for file in self._files.values() if not file.gone and (file.expires_at or before + 1) <= before]
        return due[:limit]

    async def mark_gone(self, id_: str) -> None:
        if id_ in self._files:
            self._files[id_] = replace(self._files[id_], gone=True)

    async def forget(self, expired: int, removed: int) -> None:
        over = [file.id for file in self._files.values() if file.gone and (file.expires_at or 0) <= expired]
        for id_ in over:
            del self._files[id_]
        self._removed = {id_: (file, at) for id_, (file, at) in self._removed.items() if at > removed}

    async def unknown(self, keys: Sequence[str]) -> Sequence[str]:
        known = {file.key for file in self._files.values() if not file.gone}
        return [key for key in keys if key not in known]

    def _newest(self, wanted: Callable[[StoredFile], bool]) -> list[StoredFile]:
        return sorted((file for file in self._files.values() if wanted(file)), key=_order, reverse=True)


def _order(file: StoredFile) -> tuple[int, str]:
    return file.created_at, file.id


def _at(place: Place) -> tuple[int, str]:
    return place.created_at, place.id

"""The files of each workspace: listed, told of, given out, read for a request, taken away."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from antiphon.errors import InvalidRequest
from antiphon.ports.files import FileStore, Place, StoredFile
from antiphon.ports.objects import ObjectStore
from antiphon.ports.stores import ObjectMissing, StoreError, StoreFull
from antiphon.ports.system import Clock
from antiphon.request.files.listing import Listing
from antiphon.request.files.wording import expired_file, not_downloadable, unknown_file
from antiphon.service.files.faults import store_error, told

MICROSECONDS: Final = 1_000_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A part of the list, newest first. `more`: there is more of it in the direction that was asked for."""

    files: Sequence[StoredFile]
    more: bool

    @property
    def end(self) -> Place | None:
        """Where the next part begins; None where there is none."""
        return Place(self.files[-1].created_at, self.files[-1].id) if self.more else None


class Library:
    """The files that are there. Raises `ApiError` only; other workspaces' files are not there."""

    def __init__(self, rows: FileStore, objects: ObjectStore, clock: Clock) -> None:
        self._rows = rows
        self._objects = objects
        self._clock = clock

    @property
    def now(self) -> int:
        """The clock's time, in microseconds."""
        return round(self._clock.now() * MICROSECONDS)

    async def get(self, tenant: str, id_: str) -> StoredFile:
        """What is known of a file, which may have expired."""
        with told():
            found = await self._rows.find(tenant, (id_,))
        if not found:
            raise unknown_file(id_)
        return found[0]

    async def shelf(self, tenant: str, asked: Listing) -> Shelf:
        """The part of the list that is asked for."""
        with told():
            if asked.scope_id is not None:
                return Shelf((), more=False)
            if asked.ids is not None:
                return Shelf(await self._rows.find(tenant, asked.ids), more=False)
            if asked.before_id is not None:
                before = await self._place(tenant, asked.before_id, "before_id")
                found = await self._rows.newer(tenant, before, asked.limit + 1)
                return Shelf(found[-asked.limit :], more=len(found) > asked.limit)
            behind = asked.page
            if asked.after_id is not None:
                behind = await self._place(tenant, asked.after_id, "after_id")
            found = await self._rows.older(tenant, behind, asked.limit + 1)
            return Shelf(found[: asked.limit], more=len(found) > asked.limit)

    async def download(self, tenant: str, id_: str) -> tuple[StoredFile, AsyncGenerator[bytes]]:
        """A file that a tool has made, and its bytes. What goes wrong later with the bytes is a `StoreError`."""
        file = await self.get(tenant, id_)
        if not file.downloadable:
            raise not_downloadable()
        if file.has_expired(self.now):
            raise expired_file(id_)
        chunks = self._objects.read(file.key)
        first = await self._first(file, chunks)
        return file, _joined(first, chunks)

    async def delete(self, tenant: str, id_: str) -> None:
        """Take a file away, whether it has expired or not."""
        with told():
            try:
                file = await self._rows.remove(tenant, id_, self.now)
            except StoreFull:
                # Nothing can be written, not even this: its bytes make room.
                for file in await self._rows.find(tenant, (id_,)):
                    await self._objects.delete(file.key)
                file = await self._rows.remove(tenant, id_, self.now)
        if file is None:
            raise unknown_file(id_)
        try:
            await self._objects.delete(file.key)
        except StoreError as problem:
            log.warning("files: the bytes of a deleted file are left for a later sweep: %s", problem)

    async def named(self, tenant: str, ids: Iterable[str]) -> dict[str, StoredFile]:
        """The files that a request names, by their ids; the first that cannot be had is the error."""
        asked = tuple(dict.fromkeys(ids))
        if not asked:
            return {}
        with told():
            found = {file.id: file for file in await self._rows.find(tenant, asked)}
        now = self.now
        for id_ in asked:
            if id_ not in found:
                raise unknown_file(id_)
            if found[id_].has_expired(now):
                raise expired_file(id_)
        return found

    async def read(self, file: StoredFile) -> bytes:
        """All bytes of a file, of which there are not too many."""
        chunks = self._objects.read(file.key)
        data = bytearray(await self._first(file, chunks))
        with told():
            async for chunk in chunks:
                data += chunk
        return bytes(data)

    async def stream(self, file: StoredFile) -> AsyncIterator[bytes]:
        """The bytes of a file as they are read: it may be large."""
        chunks = self._objects.read(file.key)
        yield await self._first(file, chunks)
        with told():
            async for chunk in chunks:
                yield chunk

    async def _first(self, file: StoredFile, chunks: AsyncIterator[bytes]) -> bytes:
        try:
            return await anext(chunks, b"")
        except StoreError as problem:
            if isinstance(problem, ObjectMissing):
                # Somebody may have deleted it meanwhile, which is the client's own affair.
                await self.get(file.tenant, file.id)
            raise store_error(problem) from problem

    async def _place(self, tenant: str, id_: str, name: str) -> Place:
        place = await self._rows.place(tenant, id_)
        if place is None:
            raise InvalidRequest(f"{name}: no file has the id {id_!r}")
        return place


async def _joined(first: bytes, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    if first:
        yield first
    async for chunk in chunks:
        yield chunk

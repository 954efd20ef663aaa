"""New files: their bytes are kept first, while they come, and are a file when all of them are there.

Whatever ends an upload before that leaves nothing that is ever listed: not a row, and not the bytes either, unless
the whole server ends. What remains then is swept away (`service.files.sweep`).
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

from antiphon.errors import InvalidRequest
from antiphon.ids import ENTROPY_BYTES, make_id
from antiphon.ports.files import FOLDER, FileStore, StoredFile
from antiphon.ports.objects import ObjectStore
from antiphon.ports.stores import StoreError, StoreFull
from antiphon.ports.system import Clock, Entropy
from antiphon.request.files.expiry import MOST_TEXT, expires_in
from antiphon.request.files.names import kept_name
from antiphon.request.files.types import HEAD, stored_type
from antiphon.request.files.wording import MOST_BYTES, no_room, too_large_a_file
from antiphon.service.files.faults import store_error, told
from antiphon.service.files.form import Form, Part
from antiphon.service.files.library import MICROSECONDS
from antiphon.service.leftovers import key_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Bytes that are kept, and are no file yet."""

    id: str
    key: str
    filename: str
    mime_type: str
    size: int
    digest: str


class Uploads:
    """Keeps new files. `quota`: bytes of all workspaces' files together, None: no limit; `most`: bytes of one.

    Raises `ApiError`, and what forms and chunks raise."""

    def __init__(
        self,
        rows: FileStore,
        objects: ObjectStore,
        clock: Clock,
        entropy: Entropy,
        *,
        quota: int | None = None,
        most: int = MOST_BYTES,
    ) -> None:
        self._rows = rows
        self._objects = objects
        self._clock = clock
        self._entropy = entropy
        self._quota = quota
        self.most = most

    async def upload(self, tenant: str, form: Form) -> StoredFile:
        """The file in a form that a client sends; the form may say how long the file lives, before or behind it."""
        kept: _Kept | None = None
        seconds: int | None = None
        try:
            async for part in form:
                if part.name == "file" and kept is None:
                    kept = await self._keep(part)
                elif part.name == "expires_in_seconds" and seconds is None:
                    seconds = expires_in(await _short(part.chunks))
                else:
                    raise InvalidRequest(f"{part.name[:100]}: Extra inputs are not permitted")
            if kept is None:
                raise InvalidRequest("file: Field required")
        except BaseException:
            if kept is not None:
                await self._discard(kept.key)
            raise
        return await self._add(tenant, kept, seconds, downloadable=False)

    async def make(self, tenant: str, filename: str, media_type: str, chunks: AsyncIterator[bytes]) -> StoredFile:
        """A file that a tool has made for this workspace: it can be downloaded, and stays until it is deleted."""
        kept = await self._keep(Part("file", filename, media_type, chunks))
        return await self._add(tenant, kept, None, downloadable=True)

    async def _keep(self, part: Part) -> _Kept:
        head = bytearray()
        async for chunk in part.chunks:
            head += chunk
            if len(head) >= HEAD:
                break
        mime_type = stored_type(part.media_type, bytes(head[:HEAD]))
        filename = kept_name(part.filename, mime_type)
        id_ = make_id("file_", self._entropy.bytes(ENTROPY_BYTES))
        begun = round(self._clock.now() * MICROSECONDS)
        key = key_of(FOLDER, begun, id_)
        counted = _Counted(bytes(head), part.chunks, await self._room())
        with told():
            await self._objects.put(key, counted.chunks(self.most))
        return _Kept(id_, key, filename, mime_type, counted.size, counted.digest)

    async def _room(self) -> int | None:
        if self._quota is None:
            return None
        with told():
            room = self._quota - await self._rows.used()
        if room <= 0:
            raise no_room()
        return room

    async def _add(self, tenant: str, kept: _Kept, seconds: int | None, *, downloadable: bool) -> StoredFile:
        now = round(self._clock.now() * MICROSECONDS)
        expires_at = None if seconds is None else now + seconds * MICROSECONDS
        file = StoredFile(
            kept.id,
            tenant,
            kept.filename,
            kept.mime_type,
            kept.size,
            now,
            kept.key,
            kept.digest,
            downloadable,
            expires_at,
        )
        try:
            added = await self._rows.add(file, self._quota)
        except StoreFull as problem:
            # The disk may be full of these very bytes.
            await self._discard(kept.key)
            raise store_error(problem) from problem
        except StoreError as problem:
            # Nobody knows whether the file is there: its bytes stay, and are swept if not.
            raise store_error(problem) from problem
        if not added:
            await self._discard(kept.key)
            raise no_room()
        return file

    async def _discard(self, key: str) -> None:
        """Nothing is left under the key; done even where nobody waits for it any more."""
        await asyncio.shield(asyncio.ensure_future(self._deleted(key)))

    async def _deleted(self, key: str) -> None:
        try:
            await self._objects.delete(key)
        except StoreError as problem:
            log.warning("files: the bytes of an upload that failed are left for a later sweep: %s", problem)


class _Counted:
    """Counts and hashes what passes. `room`: bytes that there is room for, None: enough for all."""

    def __init__(self, head: bytes, rest: AsyncIterator[bytes], room: int | None) -> None:
        self.size = 0
        self._head = head
        self._rest = rest
        self._room = room
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """Of all that has passed."""
        return self._hash.hexdigest()

    async def chunks(self, most: int) -> AsyncIterator[bytes]:
        """All of it; raises `ApiError` where it is more than `most`, or than there is room for."""
        if self._head:
            yield self._passed(self._head, most)
        async for chunk in self._rest:
            yield self._passed(chunk, most)

    def _passed(self, chunk: bytes, most: int) -> bytes:
        self.size += len(chunk)
        if self.size > most:
            raise too_large_a_file(most)
        if self._room is not None and self.size > self._room:
            raise no_room()
        self._hash.update(chunk)
        return chunk


async def _short(chunks: AsyncIterator[bytes]) -> bytes:
    """A value that is short; of a long one only enough to see that it is."""
    value = b""
    async for chunk in chunks:
        value = (value + chunk)[: MOST_TEXT + 1]
    return value

"""Batches as clients see them: made of a body that streams in, looked at, canceled, deleted; their results."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Generator, Sequence
from typing import Final

from antiphon.errors import ApiError, InvalidRequest
from antiphon.ids import ENTROPY_BYTES, make_id
from antiphon.ports.batches import Batch, BatchStore, NewRow, NoRoom, Page, Result, Room, Said
from antiphon.ports.stores import StoreError
from antiphon.ports.system import Clock, Entropy
from antiphon.request.batches.envelope import Envelope, Row
from antiphon.service.aside import aside_by
from antiphon.service.batches.enqueued import Enqueued
from antiphon.service.faults import store_error
from antiphon.wire.base import WireContext
from antiphon.wire.batches import line
from antiphon.wire.moments import micros

MOST_BODY: Final = 256 * 1024 * 1024
"""Bytes of a batch."""

LIFETIME: Final = 24 * 3600.0
"""Seconds in which the requests of a batch are begun."""

RETENTION: Final = 29 * 24 * 3600.0
"""Seconds for which results are kept, from the creation of their batch."""

_PIECE: Final = 256 * 1024
_MOST_ROWS: Final = 1000
_MOST_BYTES: Final = 4 * 1024 * 1024
_SMALL: Final = 64 * 1024
_PAGE: Final = 64


class Batches:
    """The use cases of batches. `most`: bytes of one request. `told`: called when there is something to be done for a
    runner. `enqueued`: how many requests may wait; None: any number. Raises `ApiError` only."""

    def __init__(
        self,
        store: BatchStore,
        clock: Clock,
        entropy: Entropy,
        most: int,
        told: Callable[[], None] = lambda: None,
        enqueued: Enqueued | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._most = most
        self._told = told
        self._enqueued = enqueued

    async def create(self, body: AsyncIterable[bytes], context: WireContext) -> Batch:
        """A batch of all that is in a body; of a body with a mistake, or without its end, nothing is kept."""
        id_ = make_id("msgbatch_", self._entropy.bytes(ENTROPY_BYTES))
        said = Said(context.version, tuple(sorted(context.betas)), context.client, context.key, context.models)
        upload = _Upload(self._store, lambda: self._store.begin(id_, context.tenant, said, micros(self._clock.now())))
        with _telling():
            try:
                await self._fill(upload, body)
                now = self._clock.now()
                rooms = () if self._enqueued is None else self._enqueued.rooms(context)
                batch = await upload.complete(micros(now), micros(now + LIFETIME), rooms)
            except NoRoom as narrow:
                await upload.abandon()
                assert self._enqueued is not None
                raise self._enqueued.refusal(narrow.room) from narrow
            except BaseException:
                await upload.abandon()
                raise
        self._told()
        return batch

    async def get(self, id_: str, context: WireContext) -> Batch:
        """A batch."""
        with _telling():
            found = await self._store.get(context.tenant, id_)
        if found is None:
            raise _unknown(id_)
        return found

    async def page(self, limit: int, after: str | None, before: str | None, context: WireContext) -> Page:
        """A page of the list, newest first."""
        if after is not None and before is not None:
            raise InvalidRequest("after_id: only one of `after_id` and `before_id` may be given")
        with _telling():
            page = await self._store.page(context.tenant, limit, after=after, before=before)
        if page is None:
            name, cursor = ("after_id", after) if before is None else ("before_id", before)
            raise InvalidRequest(f"{name}: no message batch has the id {cursor!r}")
        return page

    async def cancel(self, id_: str, context: WireContext) -> Batch:
        """What has not been begun of the batch is not begun any more."""
        with _telling():
            found = await self._store.cancel(context.tenant, id_, micros(self._clock.now()))
        if found is None:
            raise _unknown(id_)
        self._told()
        return found

    async def delete(self, id_: str, context: WireContext) -> None:
        """The batch and its results go."""
        with _telling():
            deleted = await self._store.delete(context.tenant, id_)
        if deleted is None:
            raise _unknown(id_)
        if deleted == "running":
            raise InvalidRequest("In progress batches cannot be deleted. Consider canceling the batch instead.")

    async def results(self, id_: str, context: WireContext) -> AsyncGenerator[bytes]:
        """The lines of the results, some at a time."""
        batch = await self.get(id_, context)
        if batch.ended_at is None or batch.archived_at is not None:
            raise ApiError("not_found_error", f"Message Batch {id_} has no available results.")
        with _telling():
            return self._lines(batch, await self._store.results(batch.key, -1, _PAGE))

    async def forget(self) -> None:
        """Take away what is past its time. Raises `StoreError`."""
        now = self._clock.now()
        await self._store.forget(micros(now - RETENTION), micros(now - LIFETIME), micros(now))

    async def _lines(self, batch: Batch, found: Sequence[Result]) -> AsyncGenerator[bytes]:
        while found:
            yield b"".join(line(each.custom_id, each.result) for each in found)
            with _telling():
                found = await self._store.results(batch.key, found[-1].number, _PAGE)

    async def _fill(self, upload: "_Upload", body: AsyncIterable[bytes]) -> None:
        envelope = Envelope(self._most)
        async for piece in _pieces(body):
            for row in await aside_by(len(piece), lambda piece=piece: list(envelope.feed(piece)), large=_SMALL):
                await upload.add(row)
        envelope.end()


class _Upload:
    """Puts requests into the store as they come, some at a time. `begin`: gives the key of a new batch."""

    def __init__(self, store: BatchStore, begin: Callable[[], Awaitable[int]]) -> None:
        self._store = store
        self._begin = begin
        self._key: int | None = None
        self._waiting: list[NewRow] = []
        self._size = 0
        self._total = 0
        self._putting: asyncio.Task[None] | None = None

    async def add(self, row: Row) -> None:
        """One more."""
        self._waiting.append(NewRow(self._total, row.custom_id, row.params, row.prefix))
        self._total += 1
        self._size += len(row.params)
        if len(self._waiting) >= _MOST_ROWS or self._size >= _MOST_BYTES:
            await self._put()

    async def complete(self, now: int, expires_at: int, within: Sequence[Room]) -> Batch:
        """That was all. Raises `NoRoom`."""
        key = await self._put()
        await self._until_put()
        return await self._store.complete(key, self._total, now, expires_at, within)

    async def abandon(self) -> None:
        """Leave nothing behind, also where the client has gone away; what cannot be taken away now goes later."""
        if self._putting is not None:
            await asyncio.wait((self._putting,))
        if self._key is not None:
            with contextlib.suppress(StoreError):
                await asyncio.shield(self._store.abandon(self._key))

    async def _put(self) -> int:
        """Put away what waits, while the next comes; never more than that at once."""
        if self._key is None:
            self._key = await self._begin()
        await self._until_put()
        if self._waiting:
            self._putting = asyncio.create_task(self._store.add(self._key, self._waiting))
        self._waiting, self._size = [], 0
        return self._key

    async def _until_put(self) -> None:
        if self._putting is not None:
            await self._putting
            self._putting = None


async def _pieces(body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The body in pieces that are worth a thread."""
    held = bytearray()
    async for data in body:
        held += data
        if len(held) >= _PIECE:
            yield bytes(held)
            held.clear()
    yield bytes(held)


@contextlib.contextmanager
def _telling() -> Generator[None]:
    try:
        yield
    except StoreError as problem:
        raise store_error(problem) from problem


def _unknown(id_: str) -> ApiError:
    return ApiError("not_found_error", f"Message Batch {id_} not found.")

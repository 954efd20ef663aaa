"""Bytes in a folder, in memory, or in somebody's object store, through obstore.

What is being put into a folder lies beside its place under a name that ends in `#` and a number, which is never
listed; a process that is killed leaves it there, and a later start removes it.
"""

import asyncio
import contextlib
import errno
import os
import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Generator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, from_url

from antiphon.ports.objects import PIECE_BYTES
from antiphon.ports.stores import ObjectMissing, StoreError, StoreFull, StoreUnavailable, StoreUnfit
from antiphon.stores.drafts import clear_drafts
from antiphon.stores.place import folder_of, shown

if TYPE_CHECKING:
    from obstore import Bytes
    from obstore.store import RetryConfig

PART_BYTES: Final = 5 * 1024 * 1024
"""The least that S3 takes as a part of what comes in parts; of less, there is one part."""

_PARTS: Final = 2
"""On their way at once."""

_RETRIES: Final["RetryConfig"] = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}
"""Obstore's own are ten, in three minutes: for longer than a client waits."""

_NAME: Final = r"(?!\.+(?:/|$))[A-Za-z0-9._-]+"
_KEY: Final = re.compile(rf"{_NAME}(?:/{_NAME})*", re.ASCII)

_FULL: Final = re.compile(
    r"os error (?:{})\b|No space left|Disk quota exceeded|File too large|QuotaExceeded".format(
        "|".join(str(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
    )
)


class Objects:
    """An `ObjectStore` over one of obstore's. `folder`: where it lies, if in a folder of this machine."""

    def __init__(self, store: Any, shown: str, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder
        self.shown = shown

    @classmethod
    def open(cls, url: str) -> "Objects":
        """The store behind a URL: `file:///path`, `memory://`, `s3://bucket/prefix`, `gs://…`, `az://…`.

        A folder is made where it is missing. What the clouds want to know beside it is in their own variables of the
        environment. Raises `StoreUnfit`.
        """
        try:
            if (folder := folder_of(url)) is not None:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                clear_drafts(folder)
                return cls(LocalStore(folder), str(folder), folder)
            if url == "memory://":
                return cls(MemoryStore(), url)
            return cls(from_url(url, retry_config=_RETRIES), shown(url))
        except (BaseError, OSError, ValueError) as problem:
            raise StoreUnfit(f"{shown(url)} cannot be opened: {_first_line(problem)}") from problem

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        _check(key)
        feed = _Feed(chunks)
        first = await feed.part()
        if len(first) < PART_BYTES:
            with _told(key):
                await obstore.put_async(self._store, key, first, use_multipart=False)
        else:
            await self._put_parts(key, first, feed)
        if self._folder is not None and os.name == "posix":
            with _told(key):
                await asyncio.to_thread(_settle, self._folder, key)
        return feed.count

    async def _put_parts(self, key: str, first: bytes, feed: "_Feed") -> None:
        """Obstore asks for parts in a task of its own; whatever ends this one, that one is ended too, and waited
        for, so that it takes away what it has written."""
        parts = _Parts(first)

        async def putting() -> None:
            await obstore.put_async(self._store, key, parts, chunk_size=PART_BYTES, max_concurrency=_PARTS)

        task = asyncio.create_task(putting())
        task.add_done_callback(lambda _: parts.nobody_asks())
        try:
            while part := await feed.part():
                if not await parts.give(part):
                    break
            await parts.give(b"")
            with _told(key):
                await asyncio.shield(task)
        except BaseException:
            parts.fail()
            with contextlib.suppress(Exception):
                await _ended(task)
            if not task.cancelled() and task.exception() is None:
                await self.delete(key)  # it was complete before it could be ended
            raise

    async def read(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        _check(key)
        if (size := await self.size(key)) is None:
            raise ObjectMissing(_missing(key))
        if start >= size:
            return
        async for chunk in self._stream(key, start) if self._folder is not None else self._ranges(key, start, size):
            view = memoryview(chunk)
            for at in range(0, len(view), PIECE_BYTES):
                yield bytes(view[at : at + PIECE_BYTES])

    async def _stream(self, key: str, start: int) -> AsyncIterator["Bytes | bytes"]:
        """Out of one open file, which stays readable when it is deleted."""
        with _told(key):
            found = await obstore.get_async(self._store, key, options={"range": {"offset": start}} if start else {})
            stream = found.stream(min_chunk_size=PIECE_BYTES)
        while True:
            with _told(key):
                chunk = await anext(stream, None)
            if chunk is None:
                return
            yield chunk

    async def _ranges(self, key: str, start: int, size: int) -> AsyncIterator["Bytes | bytes"]:
        """A call each, since a call has its time, and who reads may take long."""
        for at in range(start, size, PART_BYTES):
            with _told(key):
                chunk = await obstore.get_range_async(self._store, key, start=at, end=min(at + PART_BYTES, size))
            yield chunk

    async def delete(self, key: str) -> None:
        _check(key)
        with contextlib.suppress(ObjectMissing), _told(key):
            await obstore.delete_async(self._store, key)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        async for key, _ in self.sizes(prefix):
            yield key

    async def sizes(self, prefix: str) -> AsyncIterator[tuple[str, int]]:
        """The keys that begin so, and how many bytes each has."""
        # Obstore's prefixes are whole names.
        within = prefix.rpartition("/")[0]
        stream = obstore.list(self._store, within or None, chunk_size=1000)  # pyright: ignore[reportUnknownMemberType]
        while True:
            with _told(prefix):
                found = await anext(stream, None)
            if found is None:
                return
            for meta in found:
                if meta["path"].startswith(prefix):
                    yield meta["path"], meta["size"]

    async def size(self, key: str) -> int | None:
        """How many bytes are kept under the key; None: nothing is. Raises `StoreError`."""
        _check(key)
        try:
            with _told(key):
                return (await obstore.head_async(self._store, key))["size"]
        except ObjectMissing:
            return None

    async def check(self) -> None:
        """Nothing, where it can be written to and read; what is tried leaves no trace. Else `StoreError`."""

        async def chunks() -> AsyncIterator[bytes]:
            yield b"antiphon"

        key = f"trial/{secrets.token_hex(8)}"
        await self.put(key, chunks())
        try:
            async for _ in self.read(key):
                pass
        finally:
            await self.delete(key)

    async def aclose(self) -> None:
        """Nothing: what was given back is all that it held."""


class _Feed:
    """The chunks, together as parts."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = aiter(chunks)
        self.count = 0

    async def part(self) -> bytes:
        """The next `PART_BYTES` or a little more; less only at the end."""
        part = bytearray()
        while len(part) < PART_BYTES and (chunk := await anext(self._chunks, None)) is not None:
            part += chunk
        self.count += len(part)
        return bytes(part)


class _Parts:
    """Parts on the way from the task that has them to obstore's, which asks for one after another."""

    def __init__(self, first: bytes) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._queue.put_nowait(first)
        self._gone = asyncio.Event()

    async def give(self, part: bytes) -> bool:
        """Hand it over once there is room; False where nobody asks any more."""
        putting = asyncio.ensure_future(self._queue.put(part))
        gone = asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait((putting, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            putting.cancel()
            gone.cancel()
        return not self._gone.is_set()

    def fail(self) -> None:
        """No further part comes, and those that came are to be forgotten."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    def nobody_asks(self) -> None:
        """The other task has ended."""
        self._gone.set()

    def __aiter__(self) -> "_Parts":
        return self

    async def __anext__(self) -> bytes:
        part = await self._queue.get()
        if part is None:
            raise _GivenUp
        if not part:
            raise StopAsyncIteration
        return part


class _GivenUp(Exception):  # noqa: N818
    """What was being put is not wanted any more."""


async def _ended(task: asyncio.Task[None]) -> None:
    """Until the task has ended, however often somebody cancels the wait."""
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait((task,))
    if not task.cancelled():
        task.exception()


def _settle(folder: Path, key: str) -> None:
    """What lies there is there after a power failure too, and so are the folders around it."""
    path = folder / key
    for place in (path, *path.parents[: key.count("/") + 1]):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _check(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no key")


@contextlib.contextmanager
def _told(key: str) -> Generator[None]:
    """Obstore's failures, and the system's, as the port's."""
    try:
        yield
    except FileNotFoundError as problem:
        raise ObjectMissing(_missing(key)) from problem
    except (BaseError, OSError) as problem:
        raise _error(problem) from problem


def _missing(key: str) -> str:
    return f"nothing is kept under {key}"


def _error(problem: Exception) -> StoreError:
    if _FULL.search(str(problem)) or (isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT)):
        return StoreFull(f"there is no room left for objects: {_first_line(problem)}")
    return StoreUnavailable(f"objects cannot be read or written: {_first_line(problem)}")


def _first_line(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0]

"""Bytes under keys: one suite over a folder and the memory, and what only a folder does."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from antiphon.ports.objects import PIECE_BYTES, ObjectStore
from antiphon.ports.stores import ObjectMissing, StoreUnavailable, StoreUnfit
from antiphon.stores.late_objects import LateObjects
from antiphon.stores.objects import PART_BYTES, Objects
from tests.stores.bucket import serving_bucket, variables

BOUND = 60.0

SIZES = [0, 1, PIECE_BYTES, PIECE_BYTES + 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 7]


class Broke(Exception):  # noqa: N818 - what a source of chunks says
    """The source of the bytes failed."""


@pytest.fixture(params=["folder", "late", "memory", "bucket"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ObjectStore]:
    """Every kind of object store, empty."""
    if request.param == "late":
        yield LateObjects.open(f"file://{tmp_path / 'objects'}")
        return
    if request.param != "bucket":
        yield Objects.open("memory://" if request.param == "memory" else f"file://{tmp_path / 'objects'}")
        return
    async with serving_bucket() as served:
        for name, value in variables(served).items():
            monkeypatch.setenv(name, value)
        yield Objects.open("s3://bucket")
        assert served.uploads == {}  # parts of what is not there would cost their owner money for ever


async def chunks(data: bytes, size: int = 300_000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def broken(data: bytes) -> AsyncIterator[bytes]:
    async for chunk in chunks(data):
        yield chunk
    raise Broke


async def read(store: ObjectStore, key: str, start: int = 0) -> bytes:
    pieces = [piece async for piece in store.read(key, start)]
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)
    return b"".join(pieces)


async def keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return sorted([key async for key in store.keys(prefix)])


def files_in(folder: Path) -> list[str]:
    return [name for _, _, names in os.walk(folder) for name in names]


def data_of(size: int) -> bytes:
    return (b"0123456789abcde\n" * (size // 16 + 1))[:size]


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_put_is_read_again_to_the_byte(store: ObjectStore, size: int) -> None:
    data = data_of(size)
    assert await store.put("files/ab/one", chunks(data)) == size
    assert await read(store, "files/ab/one") == data
    for start in {1, size // 2, size - 1, size, size + 5} - {-1, 0}:
        assert await read(store, "files/ab/one", start) == data[start:]


async def test_what_is_put_anew_replaces_what_was_there(store: ObjectStore) -> None:
    await store.put("one", chunks(data_of(PART_BYTES * 2)))
    await store.put("one", chunks(b"short"))
    assert await read(store, "one") == b"short"


async def test_nothing_is_there_before_all_of_it_is(store: ObjectStore) -> None:
    seen: list[list[str]] = []

    async def watched() -> AsyncIterator[bytes]:
        for chunk in [data_of(PART_BYTES)] * 3:
            yield chunk
            seen.append(await keys(store))
            with pytest.raises(ObjectMissing):
                await read(store, "one")

    await store.put("one", watched())
    assert seen == [[], [], []]
    assert await keys(store) == ["one"]


@pytest.mark.parametrize("size", [0, 1000, PART_BYTES * 3 + 5])
async def test_of_a_source_that_fails_nothing_is_left(store: ObjectStore, size: int, tmp_path: Path) -> None:
    await store.put("kept", chunks(b"before"))
    for key in ("new", "kept"):
        with pytest.raises(Broke):
            await store.put(key, broken(data_of(size)))
    assert await keys(store) == ["kept"]
    assert await read(store, "kept") == b"before"
    assert files_in(tmp_path) in (["kept"], [])


@pytest.mark.parametrize("size", [1000, PART_BYTES * 3 + 5])
async def test_of_a_put_that_is_cancelled_nothing_is_left(store: ObjectStore, size: int, tmp_path: Path) -> None:
    reached = asyncio.Event()

    async def stalls() -> AsyncIterator[bytes]:
        async for chunk in chunks(data_of(size)):
            yield chunk
        reached.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(BOUND):
        task = asyncio.create_task(store.put("one", stalls()))
        await reached.wait()
        task.cancel()
        await asyncio.wait((task,))
    assert task.cancelled()
    assert await keys(store) == []
    assert files_in(tmp_path) == []
    served = [task for task in asyncio.all_tasks() if "RequestHandler" in repr(task)]
    assert len(asyncio.all_tasks()) - len(served) == 1


async def test_what_is_deleted_is_gone_and_may_be_deleted_again(store: ObjectStore) -> None:
    await store.put("files/one", chunks(b"1"))
    await store.delete("files/one")
    await store.delete("files/one")
    await store.delete("never")
    assert await keys(store) == []
    assert not isinstance(store, Objects) or await store.size("files/one") is None
    for start in (0, 5):
        with pytest.raises(ObjectMissing, match="files/one"):
            await read(store, "files/one", start)


async def test_keys_are_told_by_how_they_begin(store: ObjectStore) -> None:
    for key in ("files/a1", "files/a2", "files/b/c", "filesystem", "batches/a1"):
        await store.put(key, chunks(b"1"))
    assert await keys(store, "files/") == ["files/a1", "files/a2", "files/b/c"]
    assert await keys(store, "files/a") == ["files/a1", "files/a2"]
    assert await keys(store, "file") == ["files/a1", "files/a2", "files/b/c", "filesystem"]
    assert await keys(store, "nothing/") == []
    assert len(await keys(store)) == 5


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.", "a b", "ü", "a#1", "a\n", "a\x00"])
async def test_a_key_that_could_lead_elsewhere_is_no_key(store: ObjectStore, key: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no key"):
        await store.put(key, chunks(b"1"))
    with pytest.raises(ValueError, match="is no key"):
        await read(store, key)
    with pytest.raises(ValueError, match="is no key"):
        await store.delete(key)
    assert files_in(tmp_path) == []


async def test_one_key_that_many_put_at_once_holds_what_one_of_them_put(store: ObjectStore) -> None:
    bodies = [bytes([number]) * (PART_BYTES + number) for number in range(4)]
    async with asyncio.timeout(BOUND):
        await asyncio.gather(*(store.put("one", chunks(body)) for body in bodies))
    assert await read(store, "one") in bodies


async def test_what_a_killed_process_left_in_a_folder_is_never_listed_and_goes_with_time(tmp_path: Path) -> None:
    old, new, whole = tmp_path / "files/ab/one#1", tmp_path / "files/two#1", tmp_path / "files/three"
    old.parent.mkdir(parents=True)
    for path in (old, new, whole):
        path.write_bytes(b"half")
    for path in (old, whole):
        os.utime(path, (1, 1))
    store = Objects.open(f"file://{tmp_path}")
    assert await keys(store) == ["files/three"]
    assert sorted(files_in(tmp_path)) == ["three", "two#1"]


async def test_a_folder_is_asked_for_its_objects_when_there_are_some(tmp_path: Path) -> None:
    url = f"file://{tmp_path / 'objects'}"
    store = LateObjects.open(url)
    assert await keys(store) == []
    await Objects.open(url).put("files/one", chunks(b"1"))
    assert await keys(store) == ["files/one"]
    assert await keys(store, "batches/") == []
    assert await read(LateObjects.open(url), "files/one") == b"1"


def test_a_late_folder_that_cannot_be_made_is_said_at_once() -> None:
    for url in ("file:///proc/nothing", "memory://"):
        with pytest.raises(StoreUnfit):
            LateObjects.open(url)


@pytest.mark.parametrize("url", ["ftp://host/x", "file:///proc/nothing", "gibberish"])
def test_a_place_that_cannot_be_used_is_said_with_its_reason(url: str) -> None:
    with pytest.raises(StoreUnfit, match="cannot be opened: "):
        Objects.open(url)


@pytest.mark.promise("stores.gone-and-back")
async def test_a_bucket_that_does_not_answer_is_said_in_bounded_time_and_used_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with asyncio.timeout(BOUND), serving_bucket() as bucket:
        for name, value in variables(bucket).items():
            monkeypatch.setenv(name, value)
        store = Objects.open("s3://bucket/prefix")
        await store.put("one", chunks(b"1"))
        assert list(bucket.objects) == ["prefix/one"]
        for status in (503, 403):
            bucket.broken = status
            for attempt in (store.put("two", chunks(b"2")), store.put("two", chunks(data_of(PART_BYTES * 2)))):
                with pytest.raises(StoreUnavailable, match="objects cannot be read or written"):
                    await attempt
            with pytest.raises(StoreUnavailable):
                await read(store, "one")
            with pytest.raises(StoreUnavailable):
                await keys(store)
        bucket.broken = 0
        assert await read(store, "one") == b"1"
        assert await keys(store) == ["one"]
        await store.check()
        assert list(bucket.objects) == ["prefix/one"]

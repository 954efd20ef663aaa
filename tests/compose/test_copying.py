"""What a server keeps, copied: objects first, rows last, so that it can be taken up again."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.compose import copying
from antiphon.compose.copying import Target, copy_stores
from antiphon.compose.stores import Places
from antiphon.ports.stores import StoreError, StoreUnfit
from antiphon.stores.objects import PART_BYTES, Objects
from antiphon.stores.place import database_in, objects_in
from antiphon.stores.sql.database import Database
from tests.stores.bucket import serving_bucket, variables

SIZES = {"files/a/one": 0, "files/b/two": 10, "batches/three": PART_BYTES * 2 + 1}


def places(folder: Path) -> Places:
    return Places(database_in(folder), objects_in(folder))


def target(folder: Path) -> Target:
    return Target(database_in(folder), objects_in(folder))


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.fixture
async def source(tmp_path: Path) -> Places:
    """A store with a few objects."""
    found = places(tmp_path / "source")
    objects = Objects.open(found.objects)
    for key, size in SIZES.items():
        await objects.put(key, chunks(os.urandom(size)))
    await (await Database.open(found.database)).aclose()
    return found


async def contents(url: str) -> dict[str, bytes]:
    objects = Objects.open(url)
    return {key: b"".join([piece async for piece in objects.read(key)]) async for key in objects.keys("")}


def untold(what: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.mark.promise("stores.copied")
async def test_every_object_arrives_and_is_told_of(source: Places, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    there = target(tmp_path / "there")
    copied = await copy_stores(source, there, lambda what, done, total: told.append((what, done, total)))
    total = sum(SIZES.values())
    assert (copied.objects, copied.size, copied.new) == (3, total, 3)
    assert there.objects is not None
    assert await contents(there.objects) == await contents(source.objects)
    assert [entry for entry in told if entry[0] == "objects"][-1] == ("objects", total, total)


@pytest.mark.promise("stores.copied")
async def test_a_copy_that_was_broken_off_is_taken_up_where_it_was(source: Places, tmp_path: Path) -> None:
    there = target(tmp_path / "there")

    def breaks(what: str, done: int, total: int) -> None:
        if what == "objects" and done >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await copy_stores(source, there, breaks)
    again = await copy_stores(source, there, untold)
    assert again.objects == 3
    assert 0 < again.new < 3
    assert there.objects is not None
    assert await contents(there.objects) == await contents(source.objects)


@pytest.mark.promise("stores.copied")
async def test_what_comes_while_the_rows_are_copied_is_in_the_copy_too(
    source: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = copying.copy_rows

    async def meanwhile(*given: Any) -> dict[str, int]:
        await Objects.open(source.objects).put("files/late", chunks(b"late"))
        return await rows(*given)

    monkeypatch.setattr(copying, "copy_rows", meanwhile)
    there = target(tmp_path / "there")
    copied = await copy_stores(source, there, untold)
    assert (copied.objects, copied.new) == (4, 4)
    assert there.objects is not None
    assert (await contents(there.objects))["files/late"] == b"late"


@pytest.mark.promise("stores.copied")
async def test_objects_go_to_a_bucket_and_back(
    source: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving_bucket() as bucket:
        for name, value in variables(bucket).items():
            monkeypatch.setenv(name, value)
        away, back = Target(objects="s3://bucket/kept"), Target(objects=objects_in(tmp_path / "back"))
        assert (await copy_stores(source, away, untold)).new == 3
        assert sorted(bucket.objects) == sorted(f"kept/{key}" for key in SIZES)
        assert (await copy_stores(Places(source.database, "s3://bucket/kept"), back, untold)).new == 3
    assert back.objects is not None
    assert await contents(back.objects) == await contents(source.objects)


async def test_what_is_not_named_is_not_copied(source: Places, tmp_path: Path) -> None:
    copied = await copy_stores(source, Target(database=database_in(tmp_path / "rows")), untold)
    assert copied.objects == 0
    assert "objects" not in os.listdir(tmp_path / "rows")
    copied = await copy_stores(source, Target(objects=objects_in(tmp_path / "bytes")), untold)
    assert (copied.objects, copied.rows) == (3, {})
    assert os.listdir(tmp_path / "bytes") == ["objects"]


async def test_a_store_is_not_copied_onto_itself(source: Places, tmp_path: Path) -> None:
    before = await contents(source.objects)
    for there in (Target(objects=source.objects), Target(database=source.database)):
        with pytest.raises(StoreUnfit, match="the same place"):
            await copy_stores(source, there, untold)
    assert await contents(source.objects) == before


async def test_a_source_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for there in (target(tmp_path / "there"), Target(objects=objects_in(tmp_path / "there"))):
        with pytest.raises(StoreUnfit, match=r"there is no .*typo/.* to copy from"):
            await copy_stores(places(tmp_path / "typo"), there, untold)
    assert os.listdir(tmp_path) == []


async def test_a_target_that_cannot_be_reached_is_said(source: Places) -> None:
    with pytest.raises(StoreError, match="does not answer"):
        await copy_stores(source, Target(database="postgresql://127.0.0.1:1/nothing"), untold)

"""Rows of files: what the port promises, in memory, in SQLite and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon.ports.files import FileStore, Place, StoredFile
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.files import SqlFiles
from antiphon.testing.files import MemoryFiles
from tests.stores.databases import fresh_postgres

KINDS = ("memory", "sqlite", "postgres")


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FileStore]:
    if request.param == "memory":
        yield MemoryFiles()
        return
    if request.param == "sqlite":
        database = await Database.open(f"sqlite:///{tmp_path / 'a.db'}")
        yield SqlFiles(database)
        await database.aclose()
        return
    async with fresh_postgres(request.getfixturevalue("postgres")) as url:
        database = await Database.open(url)
        yield SqlFiles(database)
        await database.aclose()


def stored(name: str, at: int = 0, *, tenant: str = "mine", size: int = 1) -> StoredFile:
    """A file that was made at this time; times are large, as microseconds of today are."""
    return StoredFile(
        f"file_{name}", tenant, f"{name}.txt", "text/plain", size, 2**50 + at, f"files/{name}", "ab" * 32
    )


def ids(files: Sequence[StoredFile]) -> list[str]:
    return [file.id.removeprefix("file_") for file in files]


async def test_a_file_comes_back_as_it_was_added(store: FileStore) -> None:
    plain = stored("a")
    made = replace(stored("b", 1), filename="Übersicht 😀.pdf", size=2**40, downloadable=True, expires_at=2**51)
    assert await store.add(plain, None)
    assert await store.add(made, None)
    assert await store.find("mine", ["file_a"]) == [plain]
    assert await store.find("mine", ["file_b"]) == [made]


async def test_files_are_found_newest_first_and_others_do_not_exist(store: FileStore) -> None:
    for file in (stored("a", 1), stored("b", 3), stored("c", 2), stored("theirs", 4, tenant="theirs")):
        await store.add(file, None)
    assert ids(await store.find("mine", ["file_a", "file_b", "file_c", "file_theirs", "file_no", "\0", "é"])) == [
        "b",
        "c",
        "a",
    ]
    assert await store.find("mine", []) == []
    assert await store.place("mine", "file_theirs") is None
    assert await store.place("mine", "\0") is None
    assert await store.remove("mine", "file_theirs", 0) is None
    assert await store.remove("mine", "\0", 0) is None
    assert ids(await store.older("theirs", None, 9)) == ["theirs"]


async def test_more_files_are_found_at_once_than_a_statement_can_name(store: FileStore) -> None:
    for n in range(3):
        await store.add(stored(f"f{n}", n), None)
    asked = [f"file_no{n}" for n in range(40_000)]
    asked[0], asked[20_000], asked[-1] = "file_f1", "file_f0", "file_f2"
    assert ids(await store.find("mine", asked)) == ["f2", "f1", "f0"]


async def test_the_list_is_walked_both_ways_and_no_file_of_one_moment_is_lost(store: FileStore) -> None:
    names = ["A", "B", "a", "b", "c", "d", "e"]
    for name in names:
        await store.add(stored(name, names.index(name) // 3), None)
    # Of one moment the ids decide, by their bytes.
    order = [
        file[0] for file in sorted(((name, (names.index(name) // 3, name)) for name in names), key=lambda of: of[1])
    ][::-1]
    walked: list[str] = []
    place: Place | None = None
    while found := await store.older("mine", place, 2):
        walked += ids(found)
        place = Place(found[-1].created_at, found[-1].id)
    assert walked == order
    back: list[str] = []
    while place is not None and (found := await store.newer("mine", place, 2)):
        back = ids(found) + back
        place = Place(found[0].created_at, found[0].id)
    assert back == order[:-1]


async def test_a_removed_file_is_gone_but_its_place_is_known_for_a_while(store: FileStore) -> None:
    await store.add(stored("a", 1), None)
    await store.add(stored("b", 2), None)
    removed = await store.remove("mine", "file_b", 100)
    assert removed == stored("b", 2)
    assert await store.remove("mine", "file_b", 101) is None
    assert ids(await store.older("mine", None, 9)) == ["a"]
    assert await store.place("mine", "file_b") == Place(2**50 + 2, "file_b")
    await store.forget(0, 99)
    assert await store.place("mine", "file_b") is not None
    await store.forget(0, 100)
    assert await store.place("mine", "file_b") is None
    assert await store.place("mine", "file_a") is not None


async def test_no_more_is_added_than_the_quota_allows(store: FileStore) -> None:
    assert await store.used() == 0
    assert await store.add(stored("a", size=60), 100)
    assert not await store.add(stored("b", size=41, tenant="theirs"), 100)
    assert await store.find("theirs", ["file_b"]) == []
    assert await store.add(stored("c", size=40, tenant="theirs"), 100)
    assert await store.used() == 100
    await store.remove("mine", "file_a", 0)
    assert await store.used() == 40
    assert await store.add(stored("b", size=60), 100)


async def test_the_quota_holds_for_those_who_add_at_once(store: FileStore) -> None:
    added = await asyncio.gather(*(store.add(stored(f"f{n}", size=30), 100) for n in range(8)))
    assert sum(added) == 3
    assert await store.used() == 90


async def test_what_has_expired_is_told_until_it_is_gone_and_then_forgotten(store: FileStore) -> None:
    for name, expires in (("a", 10), ("b", 20), ("c", None)):
        await store.add(replace(stored(name, size=5), expires_at=expires), None)
    assert ids(await store.expired(9, 9)) == []
    assert ids(await store.expired(10, 9)) == ["a"]
    assert ids(await store.expired(99, 1)) == ["a"]
    await store.mark_gone("file_a")
    assert ids(await store.expired(99, 9)) == ["b"]
    assert await store.used() == 10
    (gone,) = await store.find("mine", ["file_a"])
    assert gone.gone
    await store.forget(9, 0)
    assert len(await store.find("mine", ["file_a", "file_b", "file_c"])) == 3
    await store.forget(99, 0)
    # Of b the bytes are still there, and somebody has to take them away first.
    assert ids(await store.older("mine", None, 9)) == ["c", "b"]


async def test_keys_of_no_file_are_told_from_those_of_files(store: FileStore) -> None:
    for name in ("a", "b", "c"):
        await store.add(stored(name), None)
    await store.remove("mine", "file_b", 0)
    await store.mark_gone("file_c")
    keys = ["files/a", "files/b", "files/c", "files/d"]
    assert list(await store.unknown(keys)) == keys[1:]

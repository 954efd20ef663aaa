"""What is swept away, and what is not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from antiphon.ports.files import StoredFile
from antiphon.service.files.files import Files
from antiphon.service.files.form import Part
from antiphon.service.files.sweep import GRACE, REMEMBERED, TOLD, UNFINISHED
from antiphon.stores.objects import Objects
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.files import SqlFiles
from antiphon.testing import CountingEntropy, FixedClock

HOUR = 3600
START = 1_770_000_000.0


class World:
    """Files in a real database and a real folder, and a clock."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self.clock = FixedClock(START)
        self.objects, self.rows = objects, SqlFiles(database)
        self.files = Files.over(self.rows, objects, self.clock, CountingEntropy())

    async def upload(self, expires: int | None = None) -> StoredFile:
        async def form() -> AsyncIterator[Part]:
            yield Part("file", "a", "text/plain", chunks(b"abc"))
            if expires is not None:
                yield Part("expires_in_seconds", "", "", chunks(str(expires).encode()))

        return await self.files.uploads.upload("mine", form())

    async def sweep(self, after: float) -> None:
        """Sweep so many seconds after the start."""
        self.clock.time = START + after
        await self.files.sweep.run(self.clock.time)

    async def listed(self) -> list[str]:
        return [file.id for file in await self.rows.older("mine", None, 99)]

    async def kept(self) -> list[str]:
        return sorted([key async for key in self.objects.keys("")])


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    database = await Database.open(database_url)
    yield World(database, Objects.open((tmp_path / "objects").as_uri()))
    await database.aclose()


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.mark.promise("files.swept", "files.expiry")
async def test_an_expired_file_loses_its_bytes_and_is_told_of_for_thirty_days(world: World) -> None:
    file, lasting = await world.upload(HOUR), await world.upload()
    await world.sweep(HOUR + GRACE - 1)
    assert len(await world.kept()) == 2
    await world.sweep(HOUR + GRACE)
    assert await world.kept() == [lasting.key]
    assert set(await world.listed()) == {file.id, lasting.id}
    # Whatever the clock says now: the bytes are gone.
    world.clock.time = START
    assert (await world.files.library.get("mine", file.id)).has_expired(world.files.library.now)
    await world.sweep(HOUR + TOLD - 1)
    assert len(await world.listed()) == 2
    await world.sweep(HOUR + TOLD)
    assert await world.listed() == [lasting.id]


@pytest.mark.promise("files.swept")
async def test_a_clock_that_is_set_right_again_finds_files_as_they_were(world: World) -> None:
    file = await world.upload(HOUR)
    await world.sweep(HOUR + GRACE / 2)
    assert (await world.files.library.get("mine", file.id)).has_expired(world.files.library.now)
    world.clock.time = START + 1
    assert not (await world.files.library.get("mine", file.id)).has_expired(world.files.library.now)
    assert await world.files.library.read(file) == b"abc"
    # Nor does a clock that goes back make anything older than it is.
    await world.sweep(-10 * TOLD)
    assert (await world.listed(), await world.kept()) == ([file.id], [file.key])


@pytest.mark.promise("files.swept", "files.no-halves")
async def test_bytes_that_became_no_file_are_removed_after_a_day(world: World) -> None:
    file = await world.upload()
    lost = file.key[:-1] + "x"
    await world.objects.put(lost, chunks(b"lost"))
    await world.objects.put("files/by-hand", chunks(b"ours"))
    await world.objects.put("batches/a", chunks(b"another's"))
    await world.sweep(UNFINISHED)
    assert lost in await world.kept()
    await world.sweep(UNFINISHED + 1)
    assert await world.kept() == sorted([file.key, "files/by-hand", "batches/a"])


@pytest.mark.promise("files.swept")
async def test_a_removed_file_is_forgotten_after_a_day(world: World) -> None:
    file = await world.upload()
    await world.files.library.delete("mine", file.id)
    await world.sweep(REMEMBERED - 1)
    assert await world.rows.place("mine", file.id) is not None
    await world.sweep(REMEMBERED)
    assert await world.rows.place("mine", file.id) is None

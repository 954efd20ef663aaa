"""What fails outside: full disks, locks, servers that go and come back, processes that are killed. All of it is real."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from antiphon.ports.stores import StoreError, StoreUnavailable
from antiphon.stores.objects import Objects
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.tables import leases
from tests.stores.databases import PostgresServer, postgres_server

BOUND = 60.0
ROOT = Path(__file__).parent.parent.parent


def small_disks() -> bool:
    """Whether this user may mount a small disk, in a world of its own."""
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=1m", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


async def write(database: Database, name: str) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(leases), {"name": name, "holder": "x", "taken": 1, "until": 2})


async def count(database: Database) -> int:
    async with database.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(leases))).scalar_one()


@asynccontextmanager
async def process(*arguments: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Another process of ours; none is left."""
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.stores.other_process", *arguments),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


def halves(folder: Path) -> list[str]:
    """What is being put, or was."""
    return [name for name in os.listdir(folder / "objects") if name.startswith("half")]


@pytest.mark.promise("stores.full")
@pytest.mark.skipif(not small_disks(), reason="this machine lets nobody mount a small disk")
def test_on_a_full_disk_nothing_half_written_is_kept_and_what_was_kept_stays(tmp_path: Path) -> None:
    script = f'mount -t tmpfs -o size=3m none "{tmp_path}" && exec "{sys.executable}" -m tests.stores.small_disk "$0"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        timeout=BOUND,
        check=True,
    )
    said = json.loads(done.stdout)
    kept, large, other = said["sizes"].values()
    assert kept == "kept"
    assert all(problem.startswith("StoreFull: there is no room left for objects: ") for problem in (large, other))
    assert said["keys"] == said["files"] == ["file-1048576"]
    assert said["database"] == "there is no room left for the database: database or disk is full"
    assert said["written"] == said["kept"] == said["afterwards"] > 10


@pytest.mark.promise("stores.locked")
async def test_a_file_that_another_process_holds_for_too_long_can_be_read_and_is_written_to_later(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.db"
    database = await Database.open(f"sqlite:///{path}", busy=0.2)
    await write(database, "before")
    async with asyncio.timeout(BOUND), process("hold", str(path)) as other:
        assert other.stdout is not None
        assert await other.stdout.readline() == b"held\n"
        with pytest.raises(StoreUnavailable, match="another process holds the database for too long"):
            await write(database, "meanwhile")
        assert await count(database) == 1
        with pytest.raises(StoreUnavailable, match=r"a\.db: another process holds"):
            await Database.open(f"sqlite:///{path}", opening=0.2)
    await write(database, "after")
    assert await count(database) == 2
    await database.aclose()


async def test_connections_that_are_all_taken_are_not_waited_for_without_end(database_url: str) -> None:
    database = await Database.open(database_url, connections=2, busy=0.2)
    async with database.reading(), database.reading():
        with pytest.raises(StoreUnavailable):
            await count(database)
    assert await count(database) == 0
    await database.aclose()


@pytest.mark.promise("stores.shared")
async def test_several_processes_start_on_one_new_database_and_write_to_it(database_url: str) -> None:
    async with asyncio.timeout(BOUND):
        async with process("write", database_url, "a", "25") as one, process("write", database_url, "b", "25") as two:
            assert (await one.wait(), await two.wait()) == (0, 0)
    database = await Database.open(database_url)
    assert await count(database) == 50
    await database.aclose()


@pytest.mark.promise("stores.opened-again")
async def test_a_process_that_opens_it_a_second_time_and_another_one_still_see_what_each_writes(
    database_url: str,
) -> None:
    first = await Database.open(database_url)
    await write(first, "before")
    second = await Database.open(database_url)
    assert await count(second) == 1
    await second.aclose()
    async with asyncio.timeout(BOUND), process("write", database_url, "other", "3") as other:
        # The last that has a SQLite file open takes its log away: this one must not think that it is.
        assert await other.wait() == 0
    await write(first, "after")
    fresh = await Database.open(database_url)
    assert (await count(first), await count(fresh)) == (5, 5)
    await fresh.aclose()
    await first.aclose()


@pytest.mark.promise("stores.killed")
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_of_a_process_that_is_killed_all_that_it_kept_is_there_and_nothing_half(
    database_url: str, tmp_path: Path
) -> None:
    folder = f"file://{tmp_path / 'objects'}"
    async with asyncio.timeout(BOUND), process("until-killed", database_url, folder) as other:
        assert other.stdout is not None
        said = 0
        while said < 20 or not halves(tmp_path):
            said = int(await other.stdout.readline())
        other.send_signal(signal.SIGKILL)
        lines = (await other.stdout.read()).splitlines()
    last = int(lines[-1]) if lines else said
    database = await Database.open(database_url)
    assert await count(database) in (last + 1, last + 2)  # one may have been kept and not told any more
    await database.aclose()
    objects = Objects.open(folder)
    assert [key async for key in objects.keys("")] == []
    assert halves(tmp_path) == ["half#1"]


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that may be stopped."""
    with postgres_server() as server:
        yield server


async def refused(database: Database, name: str) -> str:
    """What a write says that cannot be done."""
    with pytest.raises(StoreUnavailable) as caught:
        await write(database, name)
    return str(caught.value)


@pytest.mark.promise("stores.gone-and-back")
async def test_a_server_that_stops_is_said_and_is_used_again_when_it_is_back(own_server: PostgresServer) -> None:
    async with asyncio.timeout(BOUND):
        database = await Database.open(own_server.url())
        await asyncio.gather(*(write(database, f"before{n}") for n in range(4)))

        async def while_it_stops() -> None:
            async with database.writing() as connection:
                await connection.execute(insert(leases), {"name": "x", "holder": "x", "taken": 1, "until": 2})
                await asyncio.to_thread(own_server.stop)
                await connection.execute(text("SELECT 1"))

        with pytest.raises(StoreUnavailable):
            await while_it_stops()
        for number in range(3):
            assert "does not answer" in await refused(database, f"meanwhile{number}")
        with pytest.raises(StoreUnavailable):
            await count(database)
        with pytest.raises(StoreUnavailable):
            await Database.open(own_server.url())
        await asyncio.to_thread(own_server.start)
        await asyncio.gather(*(write(database, f"after{n}") for n in range(4)))
        assert await count(database) == 8
        await database.aclose()


@pytest.mark.promise("stores.gone-and-back")
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_a_server_that_says_nothing_at_all_is_not_waited_for_without_end(own_server: PostgresServer) -> None:
    async with asyncio.timeout(BOUND):
        database = await Database.open(own_server.url(), busy=0.5)
        await write(database, "before")
        own_server.freeze()
        try:
            assert "does not answer" in await refused(database, "meanwhile")
        finally:
            own_server.thaw()
        await write(database, "after")
        assert await count(database) == 2
        await database.aclose()


@pytest.mark.promise("stores.gone-and-back")
async def test_a_database_that_nobody_has_made_is_said_in_the_servers_words(postgres: PostgresServer) -> None:
    with pytest.raises(StoreError, match='database "nothing" does not exist'):
        await Database.open(postgres.url("nothing"))

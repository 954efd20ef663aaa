"""Databases of both kinds: transactions, failures, several processes, and the way from one schema to the next."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from antiphon.ports.stores import StoreUnfit
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.tables import leases, micros, seconds

BOUND = 60.0


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url)
    yield opened
    await opened.aclose()


def row(name: str) -> dict[str, object]:
    return {"name": name, "holder": "somebody", "taken": 1, "until": 2**53}


async def count(database: Database) -> int:
    async with database.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(leases))).scalar_one()


async def test_what_a_transaction_wrote_is_kept_when_it_ends(database: Database, database_url: str) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(leases), [row("a"), row("b")])
    assert await count(database) == 2
    again = await Database.open(database_url)
    assert await count(again) == 2
    await again.aclose()


async def test_of_a_transaction_that_fails_nothing_is_kept(database: Database) -> None:
    async def fail() -> None:
        async with database.writing() as connection:
            await connection.execute(insert(leases), row("a"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await count(database) == 0


async def test_a_transaction_that_is_cancelled_keeps_nothing_and_holds_nobody_up(database: Database) -> None:
    inside = asyncio.Event()

    async def write() -> None:
        async with database.writing() as connection:
            await connection.execute(insert(leases), row("a"))
            inside.set()
            await asyncio.Event().wait()

    async with asyncio.timeout(BOUND):
        task = asyncio.create_task(write())
        await inside.wait()
        task.cancel()
        await asyncio.wait((task,))
        async with database.writing() as connection:
            await connection.execute(insert(leases), row("b"))
    assert task.cancelled()
    assert await count(database) == 1


async def test_a_statement_that_is_cancelled_holds_nobody_up(database: Database) -> None:
    slow = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000000) SELECT sum(x) FROM n"
        if database.dialect == "sqlite"
        else "SELECT pg_sleep(60)"
    )
    began = asyncio.Event()

    async def write() -> None:
        async with database.writing() as connection:
            await connection.execute(insert(leases), row("a"))
            began.set()
            await connection.execute(text(slow))

    async with asyncio.timeout(BOUND):
        task = asyncio.create_task(write())
        await began.wait()
        task.cancel()
        await asyncio.wait((task,))
        async with database.writing() as connection:
            await connection.execute(insert(leases), row("b"))
    assert await count(database) == 1


async def test_a_rule_of_the_tables_that_is_broken_is_the_callers_to_hear(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.writing() as connection:
            await connection.execute(insert(leases), [row("a"), row("a")])


async def test_many_may_write_at_once_and_each_is_kept(database: Database) -> None:
    async def write(name: str) -> None:
        async with database.writing() as connection:
            await connection.execute(insert(leases), row(name))

    async with asyncio.timeout(BOUND):
        await asyncio.gather(*(write(f"n{number}") for number in range(40)))
    assert await count(database) == 40


async def test_many_may_open_one_database_at_once(database_url: str) -> None:
    async with asyncio.timeout(BOUND):
        opened = await asyncio.gather(*(Database.open(database_url) for _ in range(4)))
        for database in opened:
            assert await count(database) == 0
            await database.aclose()


async def test_keys_are_ordered_by_their_bytes_in_every_database(database: Database) -> None:
    names = ["a_1", "B", "a-1", "A", "b", "a.1", "_", "a1"]
    async with database.writing() as connection:
        await connection.execute(insert(leases), [row(name) for name in names])
    async with database.reading() as connection:
        found = (await connection.execute(select(leases.c.name).order_by(leases.c.name))).scalars().all()
    assert list(found) == sorted(names)


async def test_a_moment_of_this_century_is_kept_to_the_microsecond() -> None:
    assert micros(1_764_384_000.123457) == 1_764_384_000_123_457
    assert micros(seconds(1_764_384_000_123_457)) == 1_764_384_000_123_457


async def test_a_database_of_a_newer_version_is_refused_in_plain_words(database: Database, database_url: str) -> None:
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnfit, match=r"newer Antiphon .step 9999; this one knows 0"):
        await Database.open(database_url)

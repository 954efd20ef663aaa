"""All rows of one database in another, between both kinds."""

import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
    text,
)

from antiphon.ports.stores import StoreUnfit
from antiphon.stores.sql import copying
from antiphon.stores.sql.copying import check_empty, copy_rows
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.tables import Key, Moment, Number
from tests.stores.databases import fresh_postgres

SAMPLES = MetaData()
PARENT = Table(
    "sample_parent",
    SAMPLES,
    Column("key", Number, primary_key=True),
    Column("id", Key, nullable=False, unique=True),
    Column("said", LargeBinary),
    Column("words", Text),
    Column("gone", Boolean, nullable=False),
    Column("made", Moment, nullable=False),
)
CHILD = Table(
    "sample_child",
    SAMPLES,
    Column("parent", Number, ForeignKey("sample_parent.key"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
)
OURS = copying.tables


def every_table() -> list[Table]:
    """What there is, and the samples."""
    return [*OURS(), PARENT, CHILD]


def value(column: Column[Any], row: int) -> Any:
    """What stands there in a row: references lead to the row of the same number."""
    if column.nullable and row % 2:
        return None
    kind = column.type.as_generic() if not isinstance(column.type, String | LargeBinary) else column.type
    if isinstance(kind, LargeBinary):
        return bytes(range(256)) * 8 + bytes([row % 256])
    if isinstance(kind, String):
        return f"ü {row}" if isinstance(kind, Text) else f"v{row}"
    return row % 2 == 0 if isinstance(kind, Boolean) else row + 1


def rows_of(table: Table, count: int) -> list[dict[str, Any]]:
    return [{column.name: value(column, row) for column in table.columns} for row in range(count)]


async def fill(database: Database, count: int) -> None:
    async with database.writing() as connection:
        for table in every_table():
            await connection.execute(insert(table), rows_of(table, count))


async def held(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, in order."""
    async with database.reading() as connection:
        return {
            table.name: [
                dict(row) for row in (await connection.execute(select(table).order_by(*table.primary_key))).mappings()
            ]
            for table in every_table()
        }


@pytest.fixture(params=list(itertools.product(("sqlite", "postgres"), repeat=2)), ids="-to-".join)
async def pair(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Database, Database]]:
    """A source and a target, with tables of the samples too."""
    monkeypatch.setattr(copying, "tables", every_table)
    async with contextlib.AsyncExitStack() as stack:
        urls = [
            f"sqlite:///{tmp_path / name}"
            if kind == "sqlite"
            else await stack.enter_async_context(fresh_postgres(request.getfixturevalue("postgres")))
            for kind, name in zip(request.param, ("one", "two"), strict=True)
        ]
        source, target = [await Database.open(url) for url in urls]
        for database in (source, target):
            async with database.writing() as connection:
                await connection.run_sync(SAMPLES.create_all)
        yield source, target
        await source.aclose()
        await target.aclose()


def untold(what: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.mark.promise("stores.copied")
async def test_every_row_of_every_table_arrives_as_it_was(pair: tuple[Database, Database]) -> None:
    source, target = pair
    await fill(source, 1203)
    told: list[tuple[str, int, int]] = []
    counts = await copy_rows(source, target, lambda what, done, total: told.append((what, done, total)))
    assert counts == {table.name: 1203 for table in every_table()}
    assert await held(target) == await held(source)
    assert {entry for entry in told if entry[1] == entry[2]} == {(table.name, 1203, 1203) for table in every_table()}


@pytest.mark.promise("stores.copied")
async def test_numbers_that_the_database_gives_go_on_behind_those_that_were_copied(
    pair: tuple[Database, Database],
) -> None:
    source, target = pair
    await fill(source, 5)
    await copy_rows(source, target, untold)
    async with target.writing() as connection:
        new = {column.name: value(column, 77) for column in PARENT.columns if column.name != "key"}
        assert (await connection.execute(insert(PARENT).returning(PARENT.c.key), new)).scalar_one() == 6


@pytest.mark.promise("stores.copied")
async def test_a_target_that_holds_something_is_refused_and_left_as_it_was(pair: tuple[Database, Database]) -> None:
    source, target = pair
    await fill(source, 3)
    await fill(target, 1)
    before = await held(target)
    with pytest.raises(StoreUnfit, match=r"holds 1 rows of .* already; name an empty database"):
        await copy_rows(source, target, untold)
    with pytest.raises(StoreUnfit):
        await check_empty(target)
    assert await held(target) == before


@pytest.mark.promise("stores.copied")
async def test_of_a_copy_that_breaks_off_no_row_is_kept(pair: tuple[Database, Database]) -> None:
    source, target = pair
    await fill(source, 600)
    async with target.writing() as connection:
        await connection.execute(text("DROP TABLE sample_child"))
    with pytest.raises(Exception, match="sample_child"):
        await copy_rows(source, target, untold)
    async with target.writing() as connection:
        await connection.run_sync(SAMPLES.create_all)
    await check_empty(target)


async def test_an_empty_database_is_copied_too(pair: tuple[Database, Database]) -> None:
    source, target = pair
    assert set((await copy_rows(source, target, untold)).values()) == {0}

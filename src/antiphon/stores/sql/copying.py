"""All rows of one database into another, of the same kind or not."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from sqlalchemy import Table, func, insert, select, text

from antiphon.ports.stores import StoreUnfit
from antiphon.stores.sql.asynchronous import AsyncConnection
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.tables import leases, whole_schema

Told = Callable[[str, int, int], None]
"""Is told which table it is, how many of its rows are copied, and of how many."""

_FETCHED: Final = 8
"""Rows that are read at once: one may be as large as a request."""

_ROWS: Final = 500
_BYTES: Final = 1024 * 1024
"""What is written at once, at most: rows, and bytes in them or a little more."""


async def copy_rows(source: Database, target: Database, told: Told) -> dict[str, int]:
    """Copy every table of `tables`; how many rows each has. All of it is there at the end, or nothing.

    The source is read as it is at one moment. Raises `StoreUnfit` where the target holds rows already.
    """
    counts: dict[str, int] = {}
    async with source.reading() as origin, target.writing() as destination:
        if source.dialect == "postgresql":
            await origin.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await _check_empty(destination, target.shown)
        for table in tables():
            total = await _count(origin, table)
            told(table.name, 0, total)
            done = 0
            async for rows in _portions(origin, table):
                await destination.execute(insert(table), rows)
                done += len(rows)
                told(table.name, done, total)
            if target.dialect == "postgresql":
                await _count_on(destination, table)
            counts[table.name] = await _count(destination, table)
            if counts[table.name] != total:
                raise StoreUnfit(
                    f"{table.name}: of {total} rows {counts[table.name]} arrived; nothing is kept of them"
                )
    return counts


async def check_empty(target: Database) -> None:
    """Nothing, where the target holds no rows; else `StoreUnfit`."""
    async with target.reading() as connection:
        await _check_empty(connection, target.shown)


def tables() -> list[Table]:
    """Every table with what is kept, those that others refer to first."""
    # Whose turn it is holds for moments, and for the servers of one database.
    return [table for table in whole_schema().sorted_tables if table is not leases]


async def _check_empty(connection: AsyncConnection, shown: str) -> None:
    for table in tables():
        if held := await _count(connection, table):
            raise StoreUnfit(f"{shown} holds {held} rows of '{table.name}' already; name an empty database")


async def _count(connection: AsyncConnection, table: Table) -> int:
    return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


async def _portions(connection: AsyncConnection, table: Table) -> AsyncIterator[list[dict[str, Any]]]:
    portion: list[dict[str, Any]] = []
    size = 0
    rows = await connection.stream(select(table), execution_options={"yield_per": _FETCHED})
    async for row in rows.mappings():
        values = dict(row)
        portion.append(values)
        size += sum(len(value) for value in values.values() if isinstance(value, bytes | str))
        if len(portion) == _ROWS or size >= _BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


async def _count_on(connection: AsyncConnection, table: Table) -> None:
    """Numbers that PostgreSQL gives by itself go on behind those that are there."""
    column = table.autoincrement_column
    if column is not None:
        last = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        await connection.execute(select(func.setval(sequence, last, False)))

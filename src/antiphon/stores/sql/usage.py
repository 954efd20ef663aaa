"""What requests came to, as rows: one a request."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Column, Index, Insert, Table, delete, func, select

from antiphon.ports.usage import Dimension, Tokens, UsageQuery, UsageRecord, UsageSum
from antiphon.stores.sql.asynchronous import AsyncConnection
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.tables import Key, Moment, Number, metadata

usages: Final = Table(
    "usage_record",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("key", Key),
    Column("workspace", Key, nullable=False),
    Column("model", Key, nullable=False),
    Column("tier", Key, nullable=False),
    Column("window", Key, nullable=False),
    Column("geo", Key, nullable=False),
    Column("uncached", Number, nullable=False),
    Column("read", Number, nullable=False),
    Column("brief", Number, nullable=False),
    Column("lasting", Number, nullable=False),
    Column("output", Number, nullable=False),
    Column("searches", Number, nullable=False),
    Index("usage_record_at", "at"),
)

_COUNTS: Final = ("uncached", "read", "brief", "lasting", "output", "searches")


class SqlUsage:
    """A `UsageStore` in a database, which its maker closes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, records: Sequence[UsageRecord]) -> None:
        """Keep them."""
        async with self._database.writing() as connection:
            await add_usage(connection, records)

    async def sums(self, query: UsageQuery) -> Sequence[UsageSum]:
        """The sums of the buckets that have any."""
        since = (usages.c.at - usages.c.at % query.width).label("since")
        told = [usages.c[name] for name in query.by]
        counts = [func.sum(usages.c[name]).label(f"sum_{name}") for name in _COUNTS]
        wanted = select(since, *told, *counts, func.count().label("requests"))
        wanted = wanted.where(usages.c.at >= query.since, usages.c.at < query.until)
        for name, values in query.only.items():
            wanted = wanted.where(usages.c[name].in_(list(values)))
        # By its name: PostgreSQL takes an expression with parameters for another one where it is said again.
        wanted = wanted.group_by("since", *told).order_by("since", *told)
        async with self._database.reading() as connection:
            return [_sum(row, query.by) for row in (await connection.execute(wanted)).mappings().all()]

    async def forget(self, before: int) -> None:
        """Take out what is older."""
        async with self._database.writing() as connection:
            await connection.execute(delete(usages).where(usages.c.at < before))


async def add_usage(connection: AsyncConnection, records: Sequence[UsageRecord]) -> None:
    """Keep them with all else that the transaction keeps; those that are there already stay as they are."""
    if records:
        await connection.execute(_into(connection.dialect.name), [_row(record) for record in records])


@cache
def _into(dialect: str) -> Insert:
    """One statement for every row, made once: as one of many rows it would be made anew for each number of them."""
    # Of the two, one is loaded already; the other is megabytes.
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as into_sqlite

        return into_sqlite(usages).on_conflict_do_nothing()
    from sqlalchemy.dialects.postgresql import insert as into_postgresql

    return into_postgresql(usages).on_conflict_do_nothing()


def _row(record: UsageRecord) -> dict[str, Any]:
    tokens = record.tokens
    return {
        "id": record.id,
        "at": record.at,
        "key": record.key,
        "workspace": record.workspace,
        "model": record.model,
        "tier": record.tier,
        "window": record.window,
        "geo": record.geo,
        "uncached": tokens.uncached,
        "read": tokens.read,
        "brief": tokens.brief,
        "lasting": tokens.lasting,
        "output": tokens.output,
        "searches": tokens.searches,
    }


def _sum(row: Any, by: Sequence[Dimension]) -> UsageSum:
    tokens = Tokens(*(int(row[f"sum_{name}"]) for name in _COUNTS))
    return UsageSum(row["since"], {name: row[name] for name in by}, tokens, row["requests"])

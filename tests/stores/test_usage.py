"""What requests came to as rows, in both databases."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from antiphon.ports.usage import Tokens, UsageQuery, UsageRecord, UsageSum
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.usage import SqlUsage


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[SqlUsage]:
    database = await Database.open(database_url)
    yield SqlUsage(database)
    await database.aclose()


def record(number: int, at: int, output: int = 1, **more: Any) -> UsageRecord:
    values: dict[str, Any] = {"key": "apikey_a", "workspace": "wrkspc_a", "model": "m", "tier": "standard"}
    values |= {"window": "0-200k", "geo": "not_available", **more}
    return UsageRecord(f"use_{number}", at, tokens=Tokens(10, 1, 2, 3, output, 1), **values)


async def test_sums_are_those_of_the_buckets_and_each_record_counts_once(store: SqlUsage) -> None:
    some = [record(1, 0, 1), record(2, 59, 2), record(3, 60, 4), record(4, 180, 8)]
    await store.add(some)
    await store.add(some[2:])
    found = await store.sums(UsageQuery(0, 180, 60))
    assert found == [UsageSum(0, {}, Tokens(20, 2, 4, 6, 3, 2), 2), UsageSum(60, {}, Tokens(10, 1, 2, 3, 4, 1), 1)]


async def test_what_is_told_apart_has_sums_of_its_own_and_filters_leave_the_rest_out(store: SqlUsage) -> None:
    await store.add(
        [record(1, 0), record(2, 0, 2, key=None), record(3, 0, 4, model="n"), record(4, 0, 8, tier="batch")]
    )
    by_model = await store.sums(UsageQuery(0, 60, 60, ("model", "tier")))
    assert [(each.told, each.tokens.output) for each in by_model] == [
        ({"model": "m", "tier": "batch"}, 8),
        ({"model": "m", "tier": "standard"}, 3),
        ({"model": "n", "tier": "standard"}, 4),
    ]
    (only,) = await store.sums(
        UsageQuery(0, 60, 60, only={"model": ("m",), "key": ("apikey_a",), "tier": ("standard",)})
    )
    assert only.tokens.output == 1


async def test_what_is_older_is_forgotten(store: SqlUsage) -> None:
    await store.add([record(1, 5), record(2, 6, 2)])
    await store.forget(6)
    (left,) = await store.sums(UsageQuery(0, 60, 60))
    assert left.tokens.output == 2

"""Batches as they are taken: in pieces, whole or not at all."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import func, select

from antiphon.errors import ApiError
from antiphon.ports.batches import NewRow
from antiphon.ports.stores import StoreError, StoreFull, StoreUnavailable
from antiphon.service.batches.taking import Batches
from antiphon.stores.sql.batch_tables import batches as batch_table
from antiphon.stores.sql.batch_tables import requests as request_table
from antiphon.stores.sql.batches import SqlBatches
from antiphon.stores.sql.database import Database
from antiphon.testing import CountingEntropy, FixedClock
from antiphon.wire.base import WireContext

MOST = 1 << 20
ME = WireContext(tenant="me")


class Watched(SqlBatches):
    """Remembers how much it was given at once, and fails where a test says so."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.added: list[int] = []
        self.fails: StoreError | None = None

    async def add(self, key: int, rows: Sequence[NewRow]) -> None:
        self.added.append(sum(len(row.params) for row in rows))
        if self.fails is not None:
            raise self.fails
        await super().add(key, rows)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(f"sqlite:///{tmp_path / 'antiphon.db'}")
    yield opened
    await opened.aclose()


async def kept(database: Database) -> tuple[int, int]:
    """How many batches and requests there are, seen or not."""
    async with database.reading() as connection:
        counts = [select(func.count()).select_from(table) for table in (batch_table, request_table)]
        return (await connection.execute(counts[0])).scalar_one(), (await connection.execute(counts[1])).scalar_one()


def item(number: int, size: int = 0) -> bytes:
    return json.dumps({"custom_id": f"id-{number}", "params": {"system": "x" * size}}).encode()


async def body(count: int, size: int = 0, *, breaks: Exception | None = None) -> AsyncIterator[bytes]:
    yield b'{"requests":['
    for number in range(count):
        yield (b"," if number else b"") + item(number, size)
    if breaks is not None:
        raise breaks
    yield b"]}"


def service(store: SqlBatches) -> Batches:
    return Batches(store, FixedClock(), CountingEntropy(), MOST)


@pytest.mark.promise("batches.large")
async def test_a_large_batch_is_put_away_while_it_comes(database: Database) -> None:
    store = Watched(database)
    batch = await service(store).create(body(120, 100_000), ME)
    assert batch.total == 120
    assert len(store.added) >= 3
    assert max(store.added) < 5_000_000
    assert await kept(database) == (1, 120)


@pytest.mark.promise("batches.large")
async def test_many_small_requests_are_put_away_some_at_a_time(database: Database) -> None:
    store = Watched(database)
    assert (await service(store).create(body(2_500), ME)).total == 2_500
    assert len(store.added) == 3


@pytest.mark.promise("batches.nothing-half")
async def test_of_an_upload_that_breaks_off_nothing_is_left(database: Database) -> None:
    store = Watched(database)
    gone = ApiError("invalid_request_error", "The client closed the connection.", status=408)
    with pytest.raises(ApiError, match="closed the connection"):
        await service(store).create(body(2_500, 1_000, breaks=gone), ME)
    assert store.added
    assert await kept(database) == (0, 0)


@pytest.mark.promise("batches.nothing-half")
async def test_of_an_upload_that_is_cancelled_nothing_is_left(database: Database) -> None:
    store = Watched(database)
    waits = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        async for piece in body(2_500, 1_000, breaks=None):
            if piece == b"]}":
                waits.set()
                await asyncio.Event().wait()
            yield piece

    creating = asyncio.create_task(service(store).create(endless(), ME))
    async with asyncio.timeout(30):
        await waits.wait()
        creating.cancel()
        await asyncio.wait((creating,))
    assert store.added
    assert await kept(database) == (0, 0)


@pytest.mark.promise("batches.nothing-half")
async def test_of_a_batch_with_a_mistake_at_its_end_nothing_is_left(database: Database) -> None:
    async def twice() -> AsyncIterator[bytes]:
        async for piece in body(2_500, 1_000):
            yield b"," + item(7) + piece if piece == b"]}" else piece

    store = Watched(database)
    with pytest.raises(ApiError, match="Duplicate custom_id found: id-7"):
        await service(store).create(twice(), ME)
    assert store.added
    assert await kept(database) == (0, 0)


@pytest.mark.parametrize(("problem", "status"), [(StoreFull("full"), 500), (StoreUnavailable("away"), 529)])
async def test_a_store_that_would_not_is_an_error_of_the_api_and_leaves_nothing(
    database: Database, problem: StoreError, status: int
) -> None:
    store = Watched(database)
    store.fails = problem
    with pytest.raises(ApiError) as caught:
        await service(store).create(body(3), ME)
    assert caught.value.status == status
    assert await kept(database) == (0, 0)


async def test_what_is_too_large_for_a_request_alone_is_too_large_in_a_batch(database: Database) -> None:
    with pytest.raises(ApiError, match="Request exceeds the maximum size"):
        await service(SqlBatches(database)).create(body(1, 2 * MOST), ME)

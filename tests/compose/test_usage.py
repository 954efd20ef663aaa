"""Records of use over the life of a server."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from antiphon.compose.stores import open_stores
from antiphon.compose.usage import book_in
from antiphon.config import Settings, StoreSettings, UsageSettings
from antiphon.ports.usage import UsageQuery
from antiphon.stores.sql.usage import SqlUsage
from antiphon.testing.clock import FixedClock
from antiphon.testing.dice import CountingEntropy
from tests.stores.test_usage import record

DAY = 86_400_000_000


@pytest.mark.promise("usage.forgotten")
async def test_what_is_older_than_the_settings_say_is_swept_out(tmp_path: Path) -> None:
    clock = FixedClock(100 * 86_400.0)
    settings = Settings(stores=StoreSettings(data=str(tmp_path)), usage=UsageSettings(days=30))
    async with AsyncExitStack() as running:
        stores = await open_stores(settings, clock, CountingEntropy())
        assert stores is not None
        running.push_async_callback(stores.aclose)
        book = book_in(stores, settings, running)
        assert book is not None
        book.note(record(1, 69 * DAY, 1))
        book.note(record(2, 71 * DAY, 2))
        assert await book.flush()
        await stores.sweeper.sweep()
        (left,) = await book.sums(UsageQuery(0, 100 * DAY, 100 * DAY))
        assert left.tokens.output == 2


@pytest.mark.promise("usage.outlives")
async def test_what_was_noted_last_is_written_before_the_stores_are_closed(tmp_path: Path) -> None:
    clock, settings = FixedClock(), Settings(stores=StoreSettings(data=str(tmp_path)))
    for number in range(2):
        async with AsyncExitStack() as running:
            stores = await open_stores(settings, clock, CountingEntropy())
            assert stores is not None
            running.push_async_callback(stores.aclose)
            book = book_in(stores, settings, running)
            assert book is not None
            if number == 0:
                book.note(record(1, DAY, 5))
            else:
                (kept,) = await SqlUsage(stores.database).sums(UsageQuery(0, 2 * DAY, DAY))
                assert kept.tokens.output == 5

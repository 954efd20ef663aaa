"""Records of use: written as long as the server runs, taken out when they are past their time, and summed up."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from antiphon.compose.stores import Places, Stores
from antiphon.config import Settings
from antiphon.ports.stores import StoreUnfit
from antiphon.service.usage.book import UsageBook
from antiphon.service.usage.costs import Costs
from antiphon.service.usage.summary import Column, Line, lines
from antiphon.wire.moments import micros

SWEEP: Final = 3600.0
"""Seconds between two looks for what is past its time."""

_DAY: Final = 86_400.0


def book_in(stores: Stores | None, settings: Settings, running: AsyncExitStack) -> UsageBook | None:
    """The book that lies in these stores, written until `running` is closed; None: nothing is written down.

    To be put on `running` right behind the stores, so that everything has ended that notes something in it.
    """
    days = settings.usage.days
    if stores is None or not days:
        return None
    from antiphon.stores.sql.usage import SqlUsage  # see `compose.stores`

    book = UsageBook(SqlUsage(stores.database))

    async def forget(now: float) -> None:
        await book.forget(micros(now - days * _DAY))

    stores.sweeper.add("usage", SWEEP, forget)
    book.start()
    running.push_async_callback(book.aclose)
    return book


async def lines_of(settings: Settings, columns: Sequence[Column], since: int, until: int) -> list[Line]:
    """What is written down of a server with these settings, whether it runs or not. Raises `StoreError` and
    OSError."""
    if not settings.stores.kept:
        raise StoreUnfit("nothing is kept (--data off), and so is no use; name a place, as in docs/stores.md")
    from antiphon.stores.sql.database import Database
    from antiphon.stores.sql.keys import SqlKeys
    from antiphon.stores.sql.usage import SqlUsage

    database = await Database.open(Places.of(settings).database, connections=1)
    try:
        costs = Costs(settings.prices, settings.other_prices)
        return await lines(SqlUsage(database), SqlKeys(database), costs, columns, since, until)
    finally:
        await database.aclose()

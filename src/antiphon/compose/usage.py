"""Records of use: written as long as the server runs, and taken out when they are past their time."""

from contextlib import AsyncExitStack
from typing import Final

from antiphon.compose.stores import Stores
from antiphon.config import Settings
from antiphon.service.usage.book import UsageBook
from antiphon.stores.sql.usage import SqlUsage
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
    book = UsageBook(SqlUsage(stores.database))

    async def forget(now: float) -> None:
        await book.forget(micros(now - days * _DAY))

    stores.sweeper.add("usage", SWEEP, forget)
    book.start()
    running.push_async_callback(book.aclose)
    return book

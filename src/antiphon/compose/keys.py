"""The owner's keys for callers, in the database of the settings."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from antiphon.compose.edges import SystemClock, SystemEntropy
from antiphon.compose.stores import Places
from antiphon.config import Settings
from antiphon.ports.stores import StoreUnfit
from antiphon.service.keys import Keys
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.keys import SqlKeys


@asynccontextmanager
async def keys_of(settings: Settings) -> AsyncGenerator[Keys]:
    """What can be done with the keys of a server with these settings, whether it runs or not. Raises `StoreError` and
    OSError."""
    if not settings.stores.kept:
        raise StoreUnfit("nothing is kept (--data off), and so are no keys; name a place, as in docs/stores.md")
    database = await Database.open(Places.of(settings).database, connections=1)
    try:
        yield Keys(SqlKeys(database), SystemClock(), SystemEntropy())
    finally:
        await database.aclose()

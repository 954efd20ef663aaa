"""The owner's keys for callers, in the database of the settings."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from antiphon.compose.edges import SystemClock, SystemEntropy
from antiphon.compose.stores import Places
from antiphon.config import Settings
from antiphon.ports.stores import StoreError, StoreUnfit
from antiphon.service.keys import Keys
from antiphon.stores.place import file_of


@asynccontextmanager
async def keys_of(settings: Settings) -> AsyncGenerator[Keys]:
    """What can be done with the keys of a server with these settings, whether it runs or not. Raises `StoreError` and
    OSError."""
    # A server that keeps nothing goes without the library.
    from antiphon.stores.sql.database import Database
    from antiphon.stores.sql.keys import SqlKeys

    if not settings.stores.kept:
        raise StoreUnfit("nothing is kept (--data off), and so are no keys; name a place, as in docs/stores.md")
    database = await Database.open(Places.of(settings).database, connections=1)
    try:
        yield Keys(SqlKeys(database), SystemClock(), SystemEntropy())
    finally:
        await database.aclose()


async def is_keyed(settings: Settings) -> bool:
    """Whether a server with these settings lets nobody in without a key, as far as that can be told from here."""
    if settings.api_keys or settings.require_keys:
        return True
    try:
        return await keys_made(settings)
    except (StoreError, OSError):
        # As `KeyRing` has it, which opens to nobody before it has read what there is.
        return True


async def keys_made(settings: Settings) -> bool:
    """Whether a key was ever made in the database of the settings; a file that is not there is not made. Raises
    `StoreError` and OSError."""
    if not settings.stores.kept:
        return False
    url = Places.of(settings).database
    if (path := file_of(url)) is not None and not path.exists():
        return False
    from antiphon.stores.sql.database import Database
    from antiphon.stores.sql.keys import SqlKeys

    database = await Database.open(url, connections=1, as_it_is=True)
    try:
        return await SqlKeys(database).version() > 0
    finally:
        await database.aclose()

"""The owner's keys for callers, in the database of the settings."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from antiphon.compose.edges import SystemClock, SystemEntropy
from antiphon.compose.stores import Places
from antiphon.config import Settings
from antiphon.ports.stores import StoreError, StoreUnfit
from antiphon.service.keys import Keys
from antiphon.stores.place import file_of

if TYPE_CHECKING:
    from antiphon.stores.sql.keys import SqlKeys


@asynccontextmanager
async def keys_of(settings: Settings) -> AsyncGenerator[Keys]:
    """What can be done with the keys of a server with these settings, whether it runs or not. Raises `StoreError` and
    OSError."""
    if not settings.stores.kept:
        raise StoreUnfit("nothing is kept (--data off), and so are no keys; name a place, as in docs/stores.md")
    async with _rows_at(Places.of(settings).database) as rows:
        yield Keys(rows, SystemClock(), SystemEntropy())


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
    async with _rows_at(url, as_it_is=True) as rows:
        return await rows.version() > 0


@asynccontextmanager
async def _rows_at(url: str, *, as_it_is: bool = False) -> "AsyncGenerator[SqlKeys]":
    from antiphon.stores.sql.database import Database  # see `compose.stores`
    from antiphon.stores.sql.keys import SqlKeys

    database = await Database.open(url, connections=1, as_it_is=as_it_is)
    try:
        yield SqlKeys(database)
    finally:
        await database.aclose()

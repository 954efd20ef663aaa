"""What a server keeps, copied to another place."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from antiphon.compose.stores import Places
from antiphon.ports.stores import StoreError, StoreUnfit
from antiphon.stores.objects import Objects
from antiphon.stores.place import file_of, folder_of
from antiphon.stores.sql.copying import check_empty, copy_rows
from antiphon.stores.sql.database import Database

Told = Callable[[str, int, int], None]
"""Is told what is copied, how much of it is done, and of how much: rows of a table, bytes of all objects."""

OBJECTS = "objects"
"""What the objects are called to who is told."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to copy to: the URL of a database, of an object store, or both. What is None is not copied."""

    database: str | None = None
    objects: str | None = None


@dataclass(slots=True)
class Copied:
    """What was copied: rows by their table, and objects; of these some may have been there."""

    rows: dict[str, int] = field(default_factory=dict[str, int])
    objects: int = 0
    size: int = 0
    there: int = 0


async def copy_stores(source: Places, target: Target, told: Told) -> Copied:
    """Copy objects first, then rows, so that a copy that was broken off has no rows, and is taken up where it was.

    Nobody may use either meanwhile. Raises `StoreError`.
    """
    if target.database == source.database or target.objects == source.objects:
        raise StoreUnfit("source and target are the same place")
    _check_there(None if target.database is None else file_of(source.database))
    _check_there(None if target.objects is None else folder_of(source.objects))
    copied = Copied()
    async with AsyncExitStack() as opened:
        databases: list[Database] = []
        if target.database is not None:
            for url in (source.database, target.database):
                database = await Database.open(url)
                opened.push_async_callback(database.aclose)
                databases.append(database)
            await check_empty(databases[1])
        if target.objects is not None:
            await _copy_objects(Objects.open(source.objects), Objects.open(target.objects), told, copied)
        if databases:
            copied.rows = await copy_rows(databases[0], databases[1], told)
    return copied


def _check_there(path: Path | None) -> None:
    """A source that is opened would be made where it is missing."""
    if path is not None and not path.exists():
        raise StoreUnfit(f"there is no {path} to copy from")


async def _copy_objects(source: Objects, target: Objects, told: Told, copied: Copied) -> None:
    total = sum([size async for _, size in source.sizes("")])
    told(OBJECTS, 0, total)
    async for key, size in source.sizes(""):
        if await target.size(key) == size:
            copied.there += 1
        elif (arrived := await target.put(key, source.read(key))) != size:
            raise StoreError(f"{key}: of {size} bytes {arrived} arrived")
        copied.objects += 1
        copied.size += size
        told(OBJECTS, copied.size, total)

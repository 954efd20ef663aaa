"""What a server keeps, copied to another place."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from antiphon.compose.stores import Places
from antiphon.ports.stores import ObjectMissing, StoreError, StoreUnfit
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
    """What is at the target: rows by their table, objects and their bytes; of the objects, so many are new there."""

    rows: dict[str, int] = field(default_factory=dict[str, int])
    objects: int = 0
    size: int = 0
    new: int = 0


async def copy_stores(source: Places, target: Target, told: Told) -> Copied:
    """Copy objects first, then rows, so that a copy that was broken off has no rows, and is taken up where it was.

    The target must not be in use. What is kept at the source meanwhile may be in the copy or not, whole in either
    case; what is removed there meanwhile may leave its bytes. Raises `StoreError`.
    """
    if target.database == source.database or target.objects == source.objects:
        raise StoreUnfit("source and target are the same place")
    _check_there(None if target.database is None else file_of(source.database))
    _check_there(None if target.objects is None else folder_of(source.objects))
    async with AsyncExitStack() as opened:
        databases: list[Database] = []
        if target.database is not None:
            for url in (source.database, target.database):
                database = await Database.open(url)
                opened.push_async_callback(database.aclose)
                databases.append(database)
            await check_empty(databases[1])
        copied = Copied()
        if target.objects is not None:
            await _copy_objects(source.objects, target.objects, told, copied)
        if databases:
            copied.rows = await copy_rows(databases[0], databases[1], told)
            if target.objects is not None:
                # What had come meanwhile is among the rows.
                await _copy_objects(source.objects, target.objects, told, copied)
    return copied


def _check_there(path: Path | None) -> None:
    """A source that is opened would be made where it is missing."""
    if path is not None and not path.exists():
        raise StoreUnfit(f"there is no {path} to copy from")


async def _copy_objects(source_url: str, target_url: str, told: Told, copied: Copied) -> None:
    source, target = Objects.open(source_url), Objects.open(target_url)
    total = sum([size async for _, size in source.sizes("")])
    copied.objects = copied.size = 0
    told(OBJECTS, 0, total)
    async for key, size in source.sizes(""):
        if await target.size(key) != size:
            try:
                arrived = await target.put(key, source.read(key))
            except ObjectMissing:  # it was removed since it was listed
                continue
            if arrived != size:
                raise StoreError(f"{key}: of {size} bytes {arrived} arrived")
            copied.new += 1
        copied.objects += 1
        copied.size += size
        told(OBJECTS, copied.size, total)

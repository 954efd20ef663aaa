"""What a server keeps: its database and its objects, opened together.

The libraries for either are imported where there is something to keep: without, a server takes 15 MiB less.
"""

import asyncio
import logging
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon.compose.observer import StartError
from antiphon.config import Settings, StoreSettings
from antiphon.ports.batches import BatchStore
from antiphon.ports.stores import StoreError
from antiphon.ports.system import Clock, Entropy
from antiphon.service.files.files import Files
from antiphon.service.keys import KeyRing
from antiphon.service.models import ModelService
from antiphon.service.readiness import Readiness
from antiphon.service.sweeping import Sweeper
from antiphon.stores.late_objects import LateObjects
from antiphon.stores.place import data_folder, database_in, file_of, folder_of, objects_in, shown

if TYPE_CHECKING:
    from antiphon.stores.objects import Objects
    from antiphon.stores.sql.database import Database

SWEEP_EVERY = 600.0
"""Seconds from one sweep of files to the next."""

log = logging.getLogger(__name__)

_ELSEWHERE = (
    "name another place (--data, or [stores] as in docs/stores.md), or keep neither files nor batches: --data off"
)


@dataclass(frozen=True, slots=True)
class Places:
    """The URLs of both stores."""

    database: str
    objects: str

    @classmethod
    def of(cls, settings: Settings) -> "Places":
        """As the settings say. `OSError` where they say nothing, and there is no home."""
        given = settings.stores
        if given.database and given.objects:
            return cls(given.database, given.objects)
        folder = data_folder(given.data, os.environ)
        return cls(given.database or database_in(folder), given.objects or objects_in(folder))


@dataclass(frozen=True, slots=True)
class Stores:
    """Both stores, and who forgets in them what is past its time."""

    database: "Database"
    objects: "LateObjects | Objects"
    sweeper: Sweeper

    async def aclose(self) -> None:
        """Close them; nothing is asked of them afterwards."""
        await self.sweeper.aclose()
        await self.objects.aclose()
        await self.database.aclose()


async def open_stores(settings: Settings, clock: Clock, entropy: Entropy) -> Stores | None:
    """The stores of the settings; who gets them closes them. None: nothing is kept. Raises `StartError`."""
    given = settings.stores
    if not given.kept:
        return None
    if given == StoreSettings(connections=given.connections) and (obstacle := _obstacle()):
        log.warning("files and batches are not kept, and refused: %s. Mend that, or %s.", obstacle, _ELSEWHERE)
        return None
    try:
        return await open_at(Places.of(settings), given.connections, clock, entropy)
    except (StoreError, OSError) as problem:
        raise StartError(f"stores: {problem}. Mend that, or {_ELSEWHERE}") from problem


def files_in(stores: Stores | None, settings: Settings, clock: Clock, entropy: Entropy) -> Files | None:
    """What is done with files in these stores, where what is past its time is swept away; None without stores."""
    if stores is None:
        return None
    from antiphon.stores.sql.files import SqlFiles

    rows, objects = SqlFiles(stores.database), stores.objects
    files = Files.over(rows, objects, clock, entropy, quota=settings.files.quota)
    stores.sweeper.add("files", SWEEP_EVERY, files.sweep.run)
    return files


def batches_in(stores: Stores | None) -> BatchStore | None:
    """The batches in these stores; None without stores."""
    if stores is None:
        return None
    from antiphon.stores.sql.batches import SqlBatches

    return SqlBatches(stores.database)


def ring_in(stores: Stores | None, clock: Clock, running: AsyncExitStack) -> KeyRing | None:
    """What is known of the keys in these stores, closed with `running`; None without stores."""
    if stores is None:
        return None
    from antiphon.stores.sql.keys import SqlKeys

    ring = KeyRing(SqlKeys(stores.database), clock)
    running.push_async_callback(ring.aclose)
    return ring


def readiness_of(models: ModelService, stores: Stores | None) -> Readiness:
    """Who knows whether requests can be answered: by these models, with these stores."""
    return Readiness(models, None if stores is None else stores.database.ping)


async def open_at(places: Places, connections: int, clock: Clock, entropy: Entropy) -> Stores:
    """The stores that lie there; what is missing is made, for this user alone. Raises `StoreError`."""
    from antiphon.stores.sql.database import Database
    from antiphon.stores.sql.leases import SqlLeases

    for path in (file_of(places.database), folder_of(places.objects)):
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    objects = await asyncio.to_thread(_objects, places.objects)  # it looks through a folder
    database = await Database.open(places.database, connections=connections)
    return Stores(database, objects, Sweeper(SqlLeases(database), clock, entropy))


def _objects(url: str) -> "LateObjects | Objects":
    if folder_of(url) is not None:
        return LateObjects.open(url)
    from antiphon.stores.objects import Objects

    return Objects.open(url)


def _obstacle() -> str:
    """Why the folder that nobody has named cannot be had, as in a container without a home; empty where it can."""
    try:
        folder = data_folder(None, os.environ)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        return str(problem)
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"nothing can be made in {folder}"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying a store. `shown`: where it is, without secrets. `new`: there is nothing yet."""

    what: str
    shown: str
    problem: str = ""
    new: bool = False


async def try_stores(settings: Settings) -> list[Trial]:
    """Write and read at both stores, and leave nothing behind; what is not there yet is not made."""
    if not settings.stores.kept:
        return []
    try:
        places = Places.of(settings)
    except OSError as problem:
        return [Trial("database", "", str(problem)), Trial("objects", "", str(problem))]
    return [await _try_database(places.database), await _try_objects(places.objects)]


async def _try_database(url: str) -> Trial:
    if (path := file_of(url)) is not None and not path.exists():
        return Trial("database", str(path), _unmakable(path), new=True)
    from antiphon.stores.sql.database import Database

    try:
        database = await Database.open(url, as_it_is=True)
    except StoreError as problem:
        return Trial("database", shown(url), str(problem))
    try:
        await database.check()
    except StoreError as problem:
        return Trial("database", database.shown, str(problem))
    finally:
        await database.aclose()
    return Trial("database", database.shown)


async def _try_objects(url: str) -> Trial:
    if (path := folder_of(url)) is not None and not path.exists():
        return Trial("objects", str(path), _unmakable(path), new=True)
    from antiphon.stores.objects import Objects

    try:
        objects = Objects.open(url)
        await objects.check()
    except StoreError as problem:
        return Trial("objects", shown(url), str(problem))
    return Trial("objects", objects.shown)


def _unmakable(path: Path) -> str:
    """Why it cannot be made; empty where it can."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"nothing can be made in {folder}"

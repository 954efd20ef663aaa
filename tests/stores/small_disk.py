"""Fills a disk, and prints as JSON what the stores on it made of that.

python -m tests.stores.small_disk FOLDER     a folder on a disk of some megabytes
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select

from antiphon.ports.stores import StoreError, StoreFull
from antiphon.stores.objects import Objects
from antiphon.stores.place import database_in, objects_in
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.tables import leases


async def fill(folder: Path) -> dict[str, Any]:
    """First the objects, then the database, then room is made again."""
    objects, database = Objects.open(objects_in(folder)), await Database.open(database_in(folder))
    said: dict[str, Any] = {"sizes": {}}
    for size in (1024 * 1024, 7 * 1024 * 1024, 4 * 1024 * 1024):
        said["sizes"][size] = await _put(objects, size)
    said["keys"] = [key async for key in objects.keys("")]
    said["files"] = [name for _, _, names in os.walk(folder / "objects") for name in names]

    written = 0
    try:
        while True:
            await _write(database, written)
            written += 1
    except StoreFull as problem:
        said["database"] = str(problem)
    said["written"], said["kept"] = written, await _count(database)

    await objects.delete("file-1048576")
    async with database.writing() as connection:
        await connection.execute(delete(leases).where(leases.c.name == "n0"))
    await _write(database, written)
    said["afterwards"] = await _count(database)
    await database.aclose()
    return said


async def _put(objects: Objects, size: int) -> str:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(size // 65_536):
            yield bytes(65_536)

    try:
        await objects.put(f"file-{size}", chunks())
    except StoreError as problem:
        return f"{type(problem).__name__}: {problem}"
    return "kept"


async def _write(database: Database, number: int) -> None:
    async with database.writing() as connection:
        row = {"name": f"n{number}", "holder": "x" * 20_000, "taken": 1, "until": 2}
        await connection.execute(insert(leases), row)


async def _count(database: Database) -> int:
    async with database.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(leases))).scalar_one()


if __name__ == "__main__":
    json.dump(asyncio.run(fill(Path(sys.argv[1]))), sys.stdout)

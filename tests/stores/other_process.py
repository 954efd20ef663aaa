"""Another process that uses a database, and objects in a folder.

python -m tests.stores.other_process write URL NAME COUNT     writes so many rows, each in a transaction of its own
python -m tests.stores.other_process until-killed URL FOLDER  writes and puts, and says what is kept, until it is killed
python -m tests.stores.other_process hold PATH                holds a SQLite file until its input ends
"""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator

from sqlalchemy import insert

from antiphon.stores.objects import PART_BYTES, Objects
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.tables import leases


async def write(url: str, name: str, count: str) -> None:
    database = await Database.open(url)
    for number in range(int(count)):
        await _row(database, f"{name}{number}")
    await database.aclose()


async def until_killed(url: str, folder: str) -> None:
    database, objects = await Database.open(url), Objects.open(folder)

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(3 * PART_BYTES)
        await asyncio.Event().wait()

    putting = asyncio.create_task(objects.put("half", endless()))
    for number in range(1_000_000):
        await _row(database, f"n{number}")
        _say(str(number))
    await putting


def hold(path: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    _say("held")
    sys.stdin.read()
    connection.close()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _row(database: Database, name: str) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(leases), {"name": name, "holder": "x", "taken": 1, "until": 2})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", url, name, count]:
            asyncio.run(write(url, name, count))
        case ["until-killed", url, folder]:
            asyncio.run(until_killed(url, folder))
        case ["hold", path]:
            hold(path)
        case _:
            sys.exit("see above")

"""One database for all subjects: connections, transactions, and what goes wrong with them."""

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, event, text

from antiphon.ports.stores import StoreError, StoreUnfit
from antiphon.stores.place import file_of, shown
from antiphon.stores.sql.asynchronous import AsyncConnection, AsyncEngine, create_async_engine
from antiphon.stores.sql.faults import telling
from antiphon.stores.sql.migrating import check, migrate

BUSY: Final = 10.0
"""Seconds that a statement waits for what another process holds, and a task for a connection."""

CONNECTING: Final = 5.0
"""Seconds in which a server that is there has answered."""

STATEMENT: Final = 60.0
"""Seconds after which a PostgreSQL that says nothing is taken for gone; steps of the schema may take longer."""

OPENING: Final = 60.0
"""Seconds to wait for another process that brings the tables up to date."""

CONNECTIONS: Final = 8
"""The most that one process has open."""

_WRITES: Final = "antiphon_writes"


class Database:
    """A SQLite file or a PostgreSQL database, with the tables that this version wants.

    Every use is one transaction. What goes wrong with the database itself is a `StoreError`; that a statement is
    wrong, or breaks a rule of the tables, is said as SQLAlchemy says it.
    """

    def __init__(self, engine: AsyncEngine, shown: str, busy: float = BUSY) -> None:
        self._engine = engine
        self._busy = busy
        self._writer = asyncio.Lock()
        self.shown = shown

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        connections: int = CONNECTIONS,
        busy: float = BUSY,
        opening: float = OPENING,
        as_it_is: bool = False,
    ) -> "Database":
        """Connect, and bring the tables up to date; a SQLite file is made where it is missing.

        `url`: `sqlite:///path` (absolute with four slashes) or `postgresql://…` as libpq has it. `connections`: the
        most of this process; `busy`: the seconds to wait for what others hold, `opening`: at the start; `as_it_is`:
        older tables are left as they are. Raises `StoreError`.
        """
        first = cls(_engine(url, 1, opening, None), shown(url), opening)
        try:
            async with first.writing() as connection:
                await connection.run_sync(check if as_it_is else migrate)
        except StoreError as problem:
            raise type(problem)(f"{first.shown}: {problem}") from problem
        finally:
            await first.aclose()
        return cls(_engine(url, connections, busy, STATEMENT), first.shown, busy)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """A connection within a transaction that sees one state of the database and keeps nothing."""
        with telling():
            async with self._connected() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """A connection within a transaction that is kept when the block ends, and forgotten when it raises.

        With SQLite nobody else writes meanwhile: keep it short, and wait for nothing else in it.
        """
        with telling():
            async with AsyncExitStack() as held:
                if self.dialect == "sqlite":
                    await held.enter_async_context(self._writer)
                connection = await held.enter_async_context(self._connected())
                await connection.execution_options(**{_WRITES: True})
                async with connection.begin():
                    yield connection

    async def check(self) -> None:
        """Nothing, where it can be written to and read; what is tried leaves no trace."""
        async with self.writing() as connection:
            await connection.execute(text("CREATE TABLE antiphon_trial (n INTEGER)"))
            await connection.execute(text("INSERT INTO antiphon_trial VALUES (1)"))
            await connection.execute(text("SELECT n FROM antiphon_trial"))
            await connection.rollback()

    async def ping(self) -> None:
        """Nothing, where it answers; `StoreError` where it does not."""
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[AsyncConnection]:
        """A connection that works, in bounded time: a server that says nothing at all is as good as gone."""
        async with AsyncExitStack() as held:
            async with asyncio.timeout(self._busy):
                connection = await held.enter_async_context(self._engine.connect())
            yield connection

    async def aclose(self) -> None:
        """Close every connection; nothing is asked of the database afterwards."""
        await self._engine.dispose()


def _engine(url: str, connections: int, busy: float, statement: float | None) -> AsyncEngine:
    if (path := file_of(url)) is not None:
        return _sqlite(path, connections, busy)
    if url.startswith(("postgresql://", "postgres://")):
        return _postgresql(url, connections, busy, statement)
    raise StoreUnfit(f"{shown(url)} is neither sqlite:///path nor postgresql://host/name")


def _sqlite(path: Path, connections: int, busy: float) -> AsyncEngine:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What lies beside it takes over its permissions.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        # Never opened here: to close a file takes away the locks that other connections of this process have on it,
        # and who finds none of them takes the log away that these write to (POSIX, fcntl).
        if not path.is_file() or not os.access(path, os.R_OK | os.W_OK):
            raise StoreUnfit(f"{path} is no file that may be read and written") from None
    except OSError as problem:
        raise StoreUnfit(f"{path} can be neither opened nor made: {problem}") from problem
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=busy,
        connect_args={"timeout": busy},
    )

    def connected(connection: Any, _: Any) -> None:
        # The driver's own idea of when a transaction begins is not ours; see `begin`.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "journal_size_limit=67108864"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begin(connection: Any) -> None:
        # One that reads first and writes later would fail, not wait, where another has written meanwhile.
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begin)
    return engine


def _postgresql(url: str, connections: int, busy: float, statement: float | None) -> AsyncEngine:
    try:
        # Who keeps to SQLite has not installed it.
        asyncpg: Any = importlib.import_module("asyncpg")
    except ImportError as problem:
        raise StoreUnfit(f"{problem}. Run: {sys.executable} -m pip install 'asyncpg>=0.31'") from problem

    async def connect(*_: Any, **given: Any) -> Any:
        # The driver reads the whole URL, sslmode and socket folders included, which SQLAlchemy does not.
        return await asyncpg.connect(url, timeout=CONNECTING, command_timeout=statement, **given)

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=busy,
        pool_pre_ping=True,
    )

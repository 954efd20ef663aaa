"""One database for all subjects: connections, transactions, and what goes wrong with them."""

import asyncio
import importlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from antiphon.ports.stores import StoreError, StoreUnfit
from antiphon.stores.sql.faults import telling
from antiphon.stores.sql.migrating import migrate

BUSY: Final = 10.0
"""Seconds that a statement waits for what another process holds, and a task for a connection."""

CONNECTING: Final = 5.0
"""Seconds in which a server that is there has answered."""

STATEMENT: Final = 60.0
"""Seconds after which a PostgreSQL that says nothing is taken for gone."""

CONNECTIONS: Final = 8
"""The most that one process has open."""

_WRITES: Final = "antiphon_writes"


class Database:
    """A SQLite file or a PostgreSQL database, with the tables that this version wants.

    Every use is one transaction. What goes wrong with the database itself is a `StoreError`; that a statement is
    wrong, or breaks a rule of the tables, is said as SQLAlchemy says it.
    """

    def __init__(self, engine: AsyncEngine, shown: str) -> None:
        self._engine = engine
        self._writer = asyncio.Lock()
        self.shown = shown

    @classmethod
    async def open(cls, url: str, *, connections: int = CONNECTIONS, busy: float = BUSY) -> "Database":
        """Connect, and bring the tables up to date; a SQLite file is made where it is missing.

        `url`: `sqlite:///path` (absolute with four slashes) or `postgresql://…` as libpq has it. `connections`: the
        most of this process; `busy`: the seconds to wait for what others hold. Raises `StoreError`.
        """
        scheme = urlsplit(url).scheme
        shown = _shown(url)
        if scheme == "sqlite":
            engine = _sqlite(Path(unquote(url.removeprefix("sqlite:///"))), connections, busy)
        elif scheme in ("postgresql", "postgres"):
            engine = _postgresql(url, connections, busy)
        else:
            raise StoreUnfit(f"{shown} is neither sqlite:///path nor postgresql://host/name")
        database = cls(engine, shown)
        try:
            async with database.writing() as connection:
                await connection.run_sync(migrate)
        except BaseException as problem:
            await engine.dispose()
            if isinstance(problem, StoreError):
                raise type(problem)(f"{shown}: {problem}") from problem
            raise
        return database

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """A connection within a transaction that sees one state of the database and keeps nothing."""
        with telling():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """A connection within a transaction that is kept when the block ends, and forgotten when it raises.

        With SQLite nobody else writes meanwhile: keep it short, and wait for nothing else in it.
        """
        with telling():
            if self.dialect != "sqlite":
                async with self._engine.begin() as connection:
                    yield connection
                return
            async with self._writer, self._engine.connect() as connection:
                await connection.execution_options(**{_WRITES: True})
                async with connection.begin():
                    yield connection

    async def aclose(self) -> None:
        """Close every connection; nothing is asked of the database afterwards."""
        await self._engine.dispose()


def _sqlite(path: Path, connections: int, busy: float) -> AsyncEngine:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise StoreUnfit(f"the folder of {path} cannot be made: {problem}") from problem
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{str(path).replace('?', '%3F')}",
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


def _postgresql(url: str, connections: int, busy: float) -> AsyncEngine:
    try:
        # Who keeps to SQLite has not installed it.
        asyncpg: Any = importlib.import_module("asyncpg")
    except ImportError as problem:
        raise StoreUnfit(f"{problem}; PostgreSQL needs: pip install 'antiphon[postgres]'") from problem

    async def connect(*_: Any, **given: Any) -> Any:
        # The driver reads the whole URL, sslmode and socket folders included, which SQLAlchemy does not.
        return await asyncpg.connect(url, timeout=CONNECTING, command_timeout=STATEMENT, **given)

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=busy,
        pool_pre_ping=True,
    )


def _shown(url: str) -> str:
    """The URL without what is secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

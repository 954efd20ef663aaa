"""Locks on files: shared, or alone. The system lets go of them when a process ends, however it ends.

A lock lasts until the file is closed. Python has no shared ones on Windows: there, whoever shares has one of many
places in the file, and whoever wants to be alone has all of them.
"""

import time
from typing import IO, Final

PLACES: Final = 1024
"""How many may share a file on Windows."""

_AGAIN: Final = 0.05


def share(file: IO[str]) -> None:
    """Have the file together with others, waiting for one that is alone. Raises OSError."""
    _lock(file, shared=True)


def take(file: IO[str]) -> None:
    """Have the file alone, waiting for all others. Raises OSError."""
    _lock(file)


def is_free(file: IO[str]) -> bool:
    """Whether nobody else has it; the caller does then. Raises OSError."""
    try:
        _lock(file, waits=False)
    except BlockingIOError:
        return False
    return True


def _lock(file: IO[str], *, shared: bool = False, waits: bool = True) -> None:
    try:
        import fcntl
    except ImportError:
        _lock_on_windows(file, shared=shared, waits=waits)
    else:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if waits else fcntl.LOCK_NB))


def _lock_on_windows(file: IO[str], *, shared: bool, waits: bool) -> None:
    while not any(_locked(file, at, 1) for at in range(PLACES)) if shared else not _locked(file, 0, PLACES):
        if not waits:
            raise BlockingIOError(f"{file.name} is held by others")
        time.sleep(_AGAIN)


def _locked(file: IO[str], at: int, places: int) -> bool:
    """Whether these places could be had."""
    # Its type is known on Windows alone.
    locking = __import__("msvcrt")
    file.seek(at)
    try:
        locking.locking(file.fileno(), locking.LK_NBLCK, places)
    except PermissionError:
        return False
    return True

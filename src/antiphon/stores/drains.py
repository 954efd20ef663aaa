"""Which engines are taken out of service: a file of this user's, which all servers of the user on this machine read.

A server that still works at one of them holds a lock for it, shared with the others, which the system lets go of
when a process ends, however it ends. So whoever gets the lock alone knows that nobody works there any more.
"""

import contextlib
import logging
import os
import tempfile
from collections.abc import Callable, Generator
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

from antiphon.stores.locks import is_free, share, take

_HEADER: Final = "# Engines that get nothing new. See: antiphon engines --help\n"
_log = logging.getLogger("antiphon.engine")


class Drains:
    """The file. Its folder need not be there before the first engine is drained."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._urls: frozenset[str] = frozenset()
        self._problem = ""

    def drained(self) -> frozenset[str]:
        """The URLs of engines that are to get nothing new; where the file cannot be read, those that it had last."""
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen != self._seen:
                lines = self._path.read_text("utf-8").splitlines()
                self._urls = frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))
                self._seen = seen
            self._problem = ""
        except FileNotFoundError:
            self._urls, self._seen = frozenset(), None
        except (OSError, UnicodeDecodeError) as problem:
            if str(problem) != self._problem:
                self._problem = str(problem)
                _log.warning("which engines are drained cannot be read: %s", problem)
        return self._urls

    def change(self, url: str, *, drain: bool) -> bool:
        """Take an engine out of service, or put it back; whether that changed anything. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock("drained.lock") as file:
            take(file)
            before = self.drained()
            after = before | {url} if drain else before - {url}
            if after == before:
                return False
            handle, half = tempfile.mkstemp(dir=self._path.parent, prefix=".drained-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as written:
                    written.write(_HEADER + "".join(f"{one}\n" for one in sorted(after)))
                Path(half).replace(self._path)
            except BaseException:
                Path(half).unlink(missing_ok=True)
                raise
        return True

    def hold(self, url: str) -> Callable[[], None]:
        """This process still works at the engine, until what is returned is called."""
        held = contextlib.ExitStack()
        try:
            file = held.enter_context(self._lock(_lock_of(url)))
            share(file)
        except OSError as problem:
            held.close()
            _log.warning("nobody will be told when %s has nothing to do any more: %s", url, problem)
        return held.close

    def is_held(self, url: str) -> bool:
        """Whether a process still works at the engine. Raises OSError."""
        with self._lock(_lock_of(url)) as file:
            return not is_free(file)

    @contextlib.contextmanager
    def _lock(self, name: str) -> Generator[IO[str]]:
        with self._path.with_name(name).open("a") as file:
            yield file


def _lock_of(url: str) -> str:
    return f"draining-{sha256(url.encode()).hexdigest()[:16]}.lock"

"""Memory that llama.cpp writes to and reads from as if it were files: names in a directory of this process alone.

On Linux a name leads to memory that has no other name, so that nothing is left of it when this process is gone.
Elsewhere it is a file.
"""

import contextlib
import os
import shutil
import sys
import tempfile
from itertools import count
from pathlib import Path


class Staged:
    """One piece of such memory; `name` is its name in the directory, `file` the number of the open file."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        if sys.platform == "linux":
            self.file = os.memfd_create(path.name, os.MFD_CLOEXEC)
            path.symlink_to(f"/proc/{os.getpid()}/fd/{self.file}")
        else:
            self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)

    @property
    def size(self) -> int:
        """Bytes in it."""
        return os.fstat(self.file).st_size

    def close(self) -> None:
        """Give it back; may be called more than once."""
        if self.file >= 0:
            # The name first: the file's number may be another's at once.
            with contextlib.suppress(OSError):
                self._path.unlink()
            os.close(self.file)
            self.file = -1


class Staging:
    """The directory. Raises OSError where there can be none."""

    def __init__(self) -> None:
        self._directory: Path | None = None
        self._numbers = count(1)

    @property
    def directory(self) -> Path:
        """Where it is; made when it is asked for."""
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix="antiphon-"))
        return self._directory

    def new(self) -> Staged:
        """An empty piece."""
        return Staged(self.directory / f"{next(self._numbers)}.state")

    def close(self) -> None:
        """Take the directory away."""
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

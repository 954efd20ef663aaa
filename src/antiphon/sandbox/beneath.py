"""Files in folders that hostile programs write to at the same time: opened by the kernel's own rules, never by luck.

Nothing here follows a link, crosses to another file system or leaves the folder, whatever is renamed meanwhile
(`openat2`), and nothing waits at a pipe.
"""

import ctypes
import errno
import os
import secrets
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from typing import Final, Self

from antiphon.ports.sandbox import Entry, SandboxProblem

_OPENAT2: Final = 437  # on every processor
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_TRIES: Final = 100

_libc = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(root: int, path: str, flags: int, mode: int = 0) -> int:
    """A file or folder beneath an open folder, no link of the path followed. Raises `OSError`."""
    resolve = _BENEATH | _NO_SYMLINKS | _NO_MAGICLINKS | _NO_XDEV
    how = _How(flags | os.O_CLOEXEC | os.O_NOFOLLOW, mode, resolve)
    problem = errno.EAGAIN
    for _ in range(_TRIES):
        found: int = _libc.syscall(_OPENAT2, root, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
        if found >= 0:
            return found
        problem = ctypes.get_errno()
        if problem != errno.EAGAIN:  # something was renamed on the way, look again
            break
    raise OSError(problem, os.strerror(problem), path)


@contextmanager
def opened(root: int, path: str, flags: int) -> Generator[int]:
    """The same for as long as a block lasts."""
    found = open_beneath(root, path, flags)
    try:
        yield found
    finally:
        os.close(found)


def open_file(root: int, path: str) -> tuple[int, int]:
    """A regular file to read, and its size. Raises `SandboxProblem`."""
    try:
        # Not waiting: a pipe without a writer would.
        found = open_beneath(root, path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as problem:
        raise _problem(problem) from problem
    about = os.fstat(found)
    if not stat.S_ISREG(about.st_mode):
        os.close(found)
        raise SandboxProblem("not_a_file", path)
    return found, about.st_size


class NewFile:
    """A file that is written beside the one whose place it takes at last. At the end of the block it is closed, and
    gone where it was not put in place."""

    def __init__(self, folder: int, file: int, written: str, name: str) -> None:
        self._folder, self.file, self._written, self._name = folder, file, written, name

    @classmethod
    def make(cls, root: int, path: str, owner: int | None) -> "NewFile":
        """One that will be at this path, whose folders are made where they are missing. Raises `SandboxProblem`."""
        name, written = PurePosixPath(path).name, f".{secrets.token_hex(8)}.new"
        folder = make_folder(root, str(PurePosixPath(path).parent), owner)
        try:
            _check_no_folder(folder, name)
            file = open_beneath(folder, written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            _own(file, owner)
        except OSError as problem:
            os.close(folder)
            raise _problem(problem) from problem
        return cls(folder, file, written, name)

    def put_in_place(self) -> None:
        """Give it its name, in the place of what had it. Raises `SandboxProblem`."""
        try:
            os.replace(self._written, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except OSError as problem:
            raise _problem(problem) from problem

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.file)
        with suppress(OSError):
            os.unlink(self._written, dir_fd=self._folder)
        os.close(self._folder)


def make_folder(root: int, path: str, owner: int | None) -> int:
    """The open folder of a path, made with all above it where they are missing. Raises `SandboxProblem`."""
    at = os.dup(root)
    try:
        for part in PurePosixPath(path).parts:
            try:
                os.mkdir(part, 0o755, dir_fd=at)
            except FileExistsError:
                new = False
            else:
                new = True
            below = open_beneath(at, part, _FOLDER)
            os.close(at)
            at = below
            if new:
                _own(at, owner)
    except OSError as problem:
        os.close(at)
        raise _problem(problem) from problem
    return at


def files_in(root: int, path: str) -> list[Entry]:
    """The regular files directly in a folder, by name; none where there is no such folder."""
    try:
        with opened(root, path, _FOLDER) as folder, os.scandir(folder) as found:
            return sorted(_regular(found), key=lambda entry: entry.name)
    except OSError:
        return []


def _regular(found: Iterator[os.DirEntry[str]]) -> Iterator[Entry]:
    for entry in found:
        with suppress(OSError):  # it may be gone by now
            about = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(about.st_mode):
                yield Entry(entry.name, about.st_size)


def _check_no_folder(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)


def _own(opened: int, owner: int | None) -> None:
    if owner is not None:
        os.fchown(opened, owner, owner)


def _problem(problem: OSError) -> SandboxProblem:
    if isinstance(problem, FileNotFoundError):
        return SandboxProblem("not_found", str(problem))
    full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
    return SandboxProblem("full" if full else "not_a_file", str(problem))

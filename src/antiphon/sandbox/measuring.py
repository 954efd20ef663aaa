"""How much a sandbox has on the disk: looked at from outside, while it writes."""

import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.ports.sandbox import Limits

DEEPEST: Final = 120
"""Folders within folders, at most: what is deeper could not be looked at with a bounded number of open files."""

_BLOCK: Final = 512
_MAPPED: Final = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ ([0-9a-f]+):([0-9a-f]+) (\d+) .* \(deleted\)$", re.M)


@dataclass(slots=True)
class Usage:
    """Bytes and files. `whole`: nothing was left out, as what is nested too deep would be."""

    disk: int = 0
    files: int = 0
    whole: bool = True

    def within(self, limits: Limits, before: "Usage") -> bool:
        """Whether it may stay as it is. A sandbox that was over its limits before may still be tidied up."""
        return (
            self.disk <= max(limits.disk, before.disk)
            and self.files <= max(limits.files, before.files)
            and (self.whole or not before.whole)
        )


def measure(folders: Iterable[Path], limits: Limits, processes: Iterable[int] = ()) -> Usage:
    """What lies in these folders, and what is no longer in them but held open by one of these processes."""
    usage = Usage()
    devices: set[int] = set()
    for folder in folders:
        with suppress(OSError):
            opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                devices.add(os.fstat(opened).st_dev)
                _walk(opened, usage, limits, DEEPEST)
            finally:
                os.close(opened)
    usage.disk += sum(_held(processes, devices).values())
    return usage


def _walk(folder: int, usage: Usage, limits: Limits, depth: int) -> None:
    with os.scandir(folder) as found:
        for entry in found:
            usage.files += 1
            if usage.files > 2 * limits.files:  # enough is known
                return
            with suppress(OSError):
                about = entry.stat(follow_symlinks=False)
                usage.disk += about.st_blocks * _BLOCK
                if stat.S_ISDIR(about.st_mode):
                    _below(folder, entry.name, usage, limits, depth)


def _below(folder: int, name: str, usage: Usage, limits: Limits, depth: int) -> None:
    if depth == 0:
        usage.whole = False
        return
    below = _opened(folder, name)
    try:
        _walk(below, usage, limits, depth - 1)
    finally:
        os.close(below)


def _opened(folder: int, name: str) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(name, flags, dir_fd=folder)
    except PermissionError:
        # A server that is not root must not be shut out of what it counts. By the handle: the name may be another's
        # by now.
        handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.chmod(f"/proc/self/fd/{handle}", 0o700)
        finally:
            os.close(handle)
        return os.open(name, flags, dir_fd=folder)


def _held(processes: Iterable[int], devices: set[int]) -> dict[tuple[int, int], int]:
    """Bytes of files that have no name any more, by device and number."""
    held: dict[tuple[int, int], int] = {}
    for process in processes:
        with suppress(OSError):
            for number in os.listdir(f"/proc/{process}/fd"):
                with suppress(OSError):
                    about = os.stat(f"/proc/{process}/fd/{number}")
                    if about.st_nlink == 0 and about.st_dev in devices and stat.S_ISREG(about.st_mode):
                        held[about.st_dev, about.st_ino] = about.st_blocks * _BLOCK
        with suppress(OSError):
            maps = Path(f"/proc/{process}/maps").read_text("utf-8", "replace")
            for begin, end, major, minor, inode in _MAPPED.findall(maps):
                device = os.makedev(int(major, 16), int(minor, 16))
                if device in devices:
                    held.setdefault((device, int(inode)), int(end, 16) - int(begin, 16))
    return held

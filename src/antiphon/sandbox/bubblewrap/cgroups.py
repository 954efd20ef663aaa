"""Bounds on all processes of a command together, by control groups, where this server may make any.

Of version 2, where the owner has delegated a group to the server (systemd's `Delegate=yes` and
`DelegateSubgroup=server`); of version 1, where the server is root. Without them processes are counted by user, and
memory is watched.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.ports.sandbox import Limits

_PREFIX: Final = "antiphon-"
_NEEDED: Final = ("memory", "pids")


class Group:
    """The control group of one command: a folder, or one for memory and one for processes."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._folders = folders

    def bound(self, limits: Limits) -> None:
        """Say what all in it may use together. Raises `OSError`."""
        memory, pids = self._folders[0], self._folders[-1]
        _write(pids / "pids.max", str(limits.processes))
        if (memory / "memory.max").exists():
            _write(memory / "memory.max", str(limits.memory))
            with suppress(OSError):  # a kernel without swap has no such file
                _write(memory / "memory.swap.max", "0")
            _write(memory / "memory.oom.group", "1")
        else:
            _write(memory / "memory.limit_in_bytes", str(limits.memory))
            with suppress(OSError):
                _write(memory / "memory.memsw.limit_in_bytes", str(limits.memory))

    def take(self, process: int) -> None:
        """Put a process into it, with all that it will start. Raises `OSError`."""
        for folder in self._folders:
            _write(folder / "cgroup.procs", str(process))

    @property
    def out_of_memory(self) -> bool:
        """Whether the kernel has killed any of it for its memory."""
        for folder in self._folders:
            for name in ("memory.events", "memory.oom_control"):
                with suppress(OSError):
                    said = (folder / name).read_text().split()
                    if "oom_kill" in said and said[said.index("oom_kill") + 1] != "0":
                        return True
        return False

    def remove(self) -> None:
        """Take it away, once nothing is in it."""
        for folder in self._folders:
            with suppress(OSError):  # the next sweep finds it
                folder.rmdir()


@dataclass(frozen=True, slots=True)
class Groups:
    """Where groups of commands can be made: the folder above them, for each controller."""

    above: Mapping[str, Path]

    @classmethod
    def find(cls, memberships: str, mounts: str) -> "Groups | None":
        """From `/proc/self/cgroup` and `/proc/self/mounts`; None where none can be made."""
        for above in _candidates(memberships, mounts):
            groups = cls(above)
            _delegate(above)
            try:
                groups.make(Limits(1 << 30, 64, 0, 0, 0)).remove()
            except OSError:
                continue
            groups.sweep()
            return groups
        return None

    def make(self, limits: Limits) -> Group:
        """A new group that is bounded. Raises `OSError`."""
        name = f"{_PREFIX}{os.getpid()}-{os.urandom(6).hex()}"
        folders = tuple(dict.fromkeys(self.above[controller] / name for controller in _NEEDED))
        group = Group(folders)
        try:
            for folder in folders:
                folder.mkdir()
            group.bound(limits)
        except OSError:
            group.remove()
            raise
        return group

    def sweep(self) -> None:
        """Take away what servers have left that are gone. A group with processes in it cannot be taken away."""
        for above in self.above.values():
            for folder in above.glob(f"{_PREFIX}*"):
                owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
                if not Path("/proc", owner).exists():
                    with suppress(OSError):
                        folder.rmdir()


def _write(path: Path, text: str) -> None:
    # Never made: where the kernel has no such file, this is no control group.
    with path.open("r+") as opened:
        opened.write(text)


def _candidates(memberships: str, mounts: str) -> Iterator[dict[str, Path]]:
    own = {
        controller: path
        for _, controllers, path in (line.split(":", 2) for line in memberships.splitlines() if line.count(":") >= 2)
        for controller in controllers.split(",")
    }
    mounted = [line.split() for line in mounts.splitlines()]
    for _, at, kind, *_ in mounted:
        if kind == "cgroup2" and "" in own:
            folder = Path(at + own[""].rstrip("/"))
            yield dict.fromkeys(_NEEDED, folder)
            if own[""] != "/":
                yield dict.fromkeys(_NEEDED, folder.parent)
    old = {
        controller: Path(at + own[controller].rstrip("/"))
        for _, at, kind, options, *_ in mounted
        if kind == "cgroup"
        for controller in _NEEDED
        if controller in options.split(",") and controller in own
    }
    if len(old) == len(_NEEDED):
        yield old


def _delegate(above: Mapping[str, Path]) -> None:
    for folder in set(above.values()):
        control = folder / "cgroup.subtree_control"
        with suppress(OSError):
            if control.exists():
                _write(control, " ".join(f"+{controller}" for controller in _NEEDED))

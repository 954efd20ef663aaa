"""The processes of one command: whom it has started, what they use, and their end, all at once."""

import asyncio
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from antiphon.ports.sandbox import Limits
from antiphon.sandbox.bubblewrap.cgroups import Group

_OPEN_FILES: Final = 1024
_NICE: Final = 10
"""What runs in sandboxes waits for the server."""


class Family:
    """All processes of a command: the first of them is their pid namespace's, and with it all of them die."""

    def __init__(self, first: int, group: Group | None) -> None:
        self.first = first
        self._group = group
        self._verdict: str | None = None
        self._handle = os.pidfd_open(first)
        self._gone = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._handle, self._end)

    def bound(self, limits: Limits) -> None:
        """Set what each of them may use, and all together, before any of them runs. Raises `OSError`."""
        if self._group is not None:
            self._group.take(self.first)
        for what, most in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, _OPEN_FILES),
            (resource.RLIMIT_FSIZE, limits.file_size),
            (resource.RLIMIT_NPROC, limits.processes),
            (resource.RLIMIT_DATA, limits.memory),
            (resource.RLIMIT_MEMLOCK, 0),
        ):
            resource.prlimit(self.first, what, (most, most))
        os.setpriority(os.PRIO_PROCESS, self.first, _NICE)

    async def kill(self) -> None:
        """Kill all of them; they are gone when `gone` returns."""
        if self.alive:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    async def gone(self) -> None:
        """Wait until none of them is alive: the first, which ends with its namespace, is the last."""
        await self._gone.wait()

    @property
    def alive(self) -> bool:
        """Whether any of them may be."""
        return not self._gone.is_set()

    def _end(self) -> None:
        self._loop.remove_reader(self._handle)
        os.close(self._handle)
        if self._group is not None:
            self._verdict = "memory" if self._group.out_of_memory else None
            self._group.remove()
        self._gone.set()

    async def verdict(self) -> str | None:
        """Whether the kernel has ended any of them for their memory."""
        return self._verdict

    def members(self) -> list[int]:
        """Those that are alive now, by their numbers on this machine."""
        return list(_descendants(self.first)) if self.alive else []

    def memory(self, most: int) -> int:
        """Bytes of memory that they have together, or over `most` where their group says so.

        What they share counts once where the sum would be over `most`.
        """
        if self._group is not None:
            return most + 1 if self._group.out_of_memory else 0
        members = self.members()
        whole = sum(map(_resident, members))
        return whole if whole <= most else sum(map(_proportional, members))


def _descendants(first: int) -> Iterator[int]:
    known = {first}
    todo = [first]
    while todo:
        process = todo.pop()
        yield process
        with suppress(OSError):
            for thread in os.listdir(f"/proc/{process}/task"):
                with suppress(OSError), open(f"/proc/{process}/task/{thread}/children") as children:
                    found = {int(child) for child in children.read().split()} - known
                    known |= found
                    todo += found


def _resident(process: int) -> int:
    try:
        with open(f"/proc/{process}/statm") as said:
            _, resident, shared, *_ = map(int, said.read().split())
    except (OSError, ValueError):
        return 0
    # `shared` has what is mapped of files, which is not theirs, and memory that they share, which is.
    return (resident - shared) * resource.getpagesize() + _shared_memory(process)


def _shared_memory(process: int) -> int:
    return _field(f"/proc/{process}/status", "RssShmem:")


def _proportional(process: int) -> int:
    fields = [_field(f"/proc/{process}/smaps_rollup", name) for name in ("Pss_Anon:", "Pss_Shmem:")]
    return sum(fields) if any(fields) else _resident(process)


def _field(path: str, name: str) -> int:
    try:
        with open(path) as said:
            return next((int(line.split()[1]) * 1024 for line in said if line.startswith(name)), 0)
    except (OSError, ValueError):
        return 0

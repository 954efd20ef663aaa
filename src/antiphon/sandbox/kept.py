"""Sandboxes by id, each a folder in one folder: what drivers of this machine have in common."""

import asyncio
import os
import re
import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Generic, TypeVar

from antiphon.ports.sandbox import Command, Finished, Limits, Mount, SandboxProblem
from antiphon.sandbox.places import Places
from antiphon.sandbox.removal import remove
from antiphon.sandbox.workspace import Workspace, make

USERS: Final = range(64_000, 65_000)
"""Who commands are, where the server is root: numbers that no one else has."""

_ID: Final = re.compile(r"[A-Za-z0-9_]{1,128}", re.ASCII)
_PROBE: Final = "probe_"
_TRIED: Final = Limits(512 << 20, 64, 16 << 20, 1000, 16 << 20)

Kept = TypeVar("Kept", bound=Workspace)


class KeptSandboxes(ABC, Generic[Kept]):
    """All of a `SandboxDriver` but how a sandbox runs something."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[str, Kept] = {}
        self._prepared: asyncio.Task[None] | None = None

    @abstractmethod
    async def prepare(self) -> None:
        """What has to be there before the first sandbox; asked once. Raises `SandboxProblem`."""

    @abstractmethod
    def sandbox(self, places: Places, user: int | None, limits: Limits, mounts: Sequence[Mount]) -> Kept:
        """One over a folder that is there."""

    async def open(self, id_: str, limits: Limits, mounts: Sequence[Mount] = ()) -> Kept:
        """The sandbox of this id, made where there is none. Raises `SandboxProblem`."""
        places = self._places(id_)
        await self._ready()
        user = USERS[zlib.crc32(id_.encode()) % len(USERS)] if os.geteuid() == 0 else None
        await asyncio.to_thread(make, places, user)
        known = self._open.get(id_)
        if known is None:
            known = self._open[id_] = self.sandbox(places, user, limits, mounts)
        else:
            known.set(limits, mounts)
        return known

    async def exists(self, id_: str) -> bool:
        """Whether there is a workspace of this id."""
        return bool(_ID.fullmatch(id_)) and await asyncio.to_thread(self._places(id_).workspace.is_dir)

    async def discard(self, id_: str) -> None:
        """Kill what runs in it and take its workspace away."""
        places = self._places(id_)
        if (sandbox := self._open.pop(id_, None)) is not None:
            await sandbox.rest()
        await remove(places.folder)

    async def aclose(self) -> None:
        """Kill everything that runs. Workspaces stay."""
        for sandbox in list(self._open.values()):
            await sandbox.rest()

    async def tried(self, script: str) -> Finished:
        """What comes of a shell's script in a sandbox of its own. Raises `SandboxProblem`."""
        id_ = f"{_PROBE}{os.getpid()}"
        try:
            sandbox = await self.open(id_, _TRIED)
            return await sandbox.run(Command(("/bin/sh", "-c", script), 30.0, 4096))
        finally:
            await self.discard(id_)

    async def _ready(self) -> None:
        if self._prepared is None or (self._prepared.done() and self._prepared.exception() is not None):
            self._prepared = asyncio.ensure_future(self._prepare())
        await asyncio.shield(self._prepared)

    async def _prepare(self) -> None:
        try:
            await asyncio.to_thread(self.folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise SandboxProblem("unavailable", str(problem)) from problem
        for path in await asyncio.to_thread(lambda: list(self.folder.glob(f"{_PROBE}*"))):
            if not _lives(path.name.removeprefix(_PROBE)):  # of a server that was killed
                await remove(path)
        await self.prepare()

    def _places(self, id_: str) -> Places:
        if not _ID.fullmatch(id_):
            raise SandboxProblem("not_found", f"{id_!r} is no id of a sandbox")
        return Places(self.folder / id_)


def _lives(process: str) -> bool:
    with suppress(ValueError, ProcessLookupError):
        with suppress(PermissionError):  # it is another user's
            os.kill(int(process), 0)
        return True
    return False

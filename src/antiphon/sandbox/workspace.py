"""What every sandbox on this machine is: a folder that outlives its commands, and whoever runs in it now."""

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

from antiphon.ports.sandbox import Command, Entry, Finished, Limits, Mount, SandboxProblem
from antiphon.sandbox import beneath
from antiphon.sandbox.commands import Spoken, run
from antiphon.sandbox.measuring import Usage, measure
from antiphon.sandbox.places import Places, mounted
from antiphon.sandbox.removal import remove
from antiphon.sandbox.running import Running

_CHUNK = 262_144


class Workspace(ABC):
    """The files of a sandbox. `user`: whose they are; None: the server's own user's, who is not root."""

    def __init__(self, places: Places, user: int | None, limits: Limits, mounts: Sequence[Mount]) -> None:
        self.places = places
        self.user = user
        self._running: set[Running] = set()
        self.set(limits, mounts)

    def set(self, limits: Limits, mounts: Sequence[Mount]) -> None:
        """What commands that start from now on may use, and see."""
        self.limits, self.mounts = limits, tuple(mounts)

    async def run(self, command: Command) -> Finished:
        """Run a command to its end."""
        before = await self.measured()
        running = await self._begin(command)
        try:
            return await run(running, command, self.measure, before)
        finally:
            await running.aclose()
            self._running.discard(running)

    async def start(self, command: Command) -> Spoken:
        """Start a process that is spoken to."""
        before = await self.measured()
        running = await self._begin(command)
        return Spoken(running, self.measure, before, self._running.discard)

    async def rest(self) -> None:
        """Let go of all processes."""
        for running in list(self._running):
            await running.aclose()
            self._running.discard(running)

    @abstractmethod
    async def _start(self, command: Command) -> Running:
        """Start the command in a workspace that is ready for it. Raises `SandboxProblem`."""

    async def _begin(self, command: Command) -> Running:
        await self.make_ready(command)
        running = await self._start(command)
        self._running.add(running)
        return running

    async def put(self, path: str, chunks: AsyncIterator[bytes]) -> None:
        """Write a file. Raises `SandboxProblem`."""
        folder, below = self.places.named(path)
        if below == ".":
            raise SandboxProblem("not_a_file", path)
        room = self.limits.disk - (await self.measured()).disk
        root = _root(folder)
        try:
            made = await asyncio.to_thread(beneath.NewFile.make, root, below, self.user)
        finally:
            os.close(root)
        with made:
            await _pour(made.file, chunks, room, self.limits.file_size)
            made.put_in_place()

    async def get(self, path: str, most: int) -> AsyncIterator[bytes]:
        """The bytes of a regular file. Raises `SandboxProblem`."""
        folder, below = mounted(path, self.mounts) or self.places.named(path)
        root = _root(folder)
        try:
            file, size = await asyncio.to_thread(beneath.open_file, root, below)
        finally:
            os.close(root)
        with os.fdopen(file, "rb", buffering=0) as opened:
            if size > most:
                raise SandboxProblem("too_large", path)
            while data := await asyncio.to_thread(opened.read, _CHUNK):
                most -= len(data)
                if most < 0:  # it grows while it is read
                    raise SandboxProblem("too_large", path)
                yield data

    async def entries(self, folder: str) -> Sequence[Entry]:
        """The regular files directly in a folder, by name."""
        try:
            place, below = self.places.named(folder)
            root = _root(place)
        except SandboxProblem:
            return ()
        try:
            return await asyncio.to_thread(beneath.files_in, root, below)
        finally:
            os.close(root)

    async def measured(self) -> Usage:
        """What it has on the disk now."""
        return await asyncio.to_thread(self.measure, ())

    def measure(self, processes: Sequence[int] = ()) -> Usage:
        """The same, with what these processes hold open that has no name any more."""
        return measure((self.places.workspace, self.places.temporary), self.limits, processes)

    async def make_ready(self, command: Command) -> None:
        """See to it that the folders are there, as the command is to find them."""
        await asyncio.to_thread(make, self.places, self.user)
        if not command.outputs:
            return
        await remove(self.places.temporary / self.places.outputs)
        root = _root(self.places.temporary)
        try:
            os.close(beneath.make_folder(root, self.places.outputs, self.user))
        finally:
            os.close(root)


def make(places: Places, user: int | None) -> None:
    """The folders of a sandbox. What lies above them is the server's alone, so that no name there is a surprise."""
    with suppress(FileExistsError):
        places.folder.mkdir(mode=0o700)
    for folder in (places.workspace, places.temporary):
        with suppress(FileExistsError):
            folder.mkdir()
            if user is not None:
                os.chown(folder, user, user)
        # Whoever runs in it may have shut it; even root could not begin there without its capabilities.
        folder.chmod(0o755)


async def _pour(file: int, chunks: AsyncIterator[bytes], room: int, most: int) -> None:
    async for chunk in chunks:
        room -= len(chunk)
        most -= len(chunk)
        if most < 0 or room < 0:
            raise SandboxProblem("too_large" if most < 0 else "full", "the sandbox has no room for it")
        try:
            await asyncio.to_thread(_write, file, chunk)
        except OSError as problem:
            raise SandboxProblem("full", str(problem)) from problem


def _write(file: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(file, view) :]


def _root(folder: Path) -> int:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as problem:
        raise SandboxProblem("not_found", str(problem)) from problem

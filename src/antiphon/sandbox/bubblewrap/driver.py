"""The driver: sandboxes by id, each a folder on the disk; what runs in them is made anew for each command."""

import asyncio
import os
import re
import shutil
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.ports.sandbox import Command, Entry, Finished, Limits, Mount, SandboxProblem
from antiphon.sandbox import beneath, seccomp, surroundings
from antiphon.sandbox.bubblewrap.arguments import NESTED_USER, View, arguments
from antiphon.sandbox.bubblewrap.commands import Spoken, run
from antiphon.sandbox.bubblewrap.running import Running
from antiphon.sandbox.measuring import Usage, measure
from antiphon.sandbox.places import Places
from antiphon.sandbox.python import Python
from antiphon.sandbox.removal import remove

USERS: Final = range(64_000, 65_000)
"""Who commands are, where the server is root: numbers that no one else has."""

_ID: Final = re.compile(r"[A-Za-z0-9_]{1,128}", re.ASCII)
_CHUNK: Final = 262_144
_PROBE: Final = Limits(256 << 20, 64, 16 << 20, 1000, 16 << 20)
_SYSTEM: Final = ".system"


@dataclass(frozen=True, slots=True)
class Ground:
    """What all sandboxes of a driver have in common. `folder`: where they lie."""

    program: str
    folder: Path
    python: Python
    filter: bytes
    borrowed: tuple[tuple[Path, str], ...]

    @property
    def etc(self) -> Path:
        """The made-up `/etc`."""
        return self.folder / _SYSTEM / "etc"


class BubblewrapDriver:
    """A `SandboxDriver` over `bwrap`."""

    name = "bubblewrap"

    def __init__(self, folder: Path, python: Python) -> None:
        self._folder = folder
        self._python = python
        self._ground: Ground | None = None
        self._open: dict[str, BubblewrapSandbox] = {}

    async def probe(self) -> str | None:
        """Why it does not work here, in one sentence; None: it does. Runs something in a sandbox."""
        id_ = f"probe_{os.getpid()}"
        try:
            sandbox = await self.open(id_, _PROBE)
            tried = await sandbox.run(Command(("/bin/sh", "-c", "id -u; python3 -c 'print(6 * 7)'"), 20.0, 4096))
        except (SandboxProblem, OSError) as problem:
            return f"{problem}; {_help(str(problem))}"
        finally:
            await self.discard(id_)
        if tried.stdout.split()[1:] != [b"42"]:
            return f"its Python does not run: {tried.stderr.decode('utf-8', 'replace').strip()[-300:]}"
        return None

    async def open(self, id_: str, limits: Limits, mounts: Sequence[Mount] = ()) -> "BubblewrapSandbox":
        """The sandbox of this id, made where there is none. Raises `SandboxProblem`."""
        ground = await self._prepared()
        places = self._places(id_)
        user = USERS[zlib.crc32(id_.encode()) % len(USERS)] if os.geteuid() == 0 else None
        await asyncio.to_thread(_make, places, user)
        view = View(places, ground.etc, ground.borrowed, (*ground.python.mounts, *mounts), user)
        known = self._open.get(id_)
        if known is not None:
            known.set(view, limits)
            return known
        sandbox = self._open[id_] = BubblewrapSandbox(ground, view, limits)
        return sandbox

    async def exists(self, id_: str) -> bool:
        """Whether there is a workspace of this id."""
        return bool(_ID.fullmatch(id_)) and self._places(id_).workspace.is_dir()

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

    async def _prepared(self) -> Ground:
        if self._ground is None:
            program, machine = shutil.which("bwrap"), seccomp.machine()
            if program is None:
                raise SandboxProblem("unavailable", "the program bwrap is not on this machine")
            if machine is None:
                raise SandboxProblem("unavailable", "there is no filter of system calls for this processor")
            if os.geteuid() == 0 and not os.access("/usr/bin/setpriv", os.X_OK):
                raise SandboxProblem("unavailable", "the program /usr/bin/setpriv is not on this machine")
            await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
            users = USERS if os.geteuid() == 0 else range(NESTED_USER, NESTED_USER + 1)
            borrowed = await asyncio.to_thread(surroundings.make_etc, self._folder / _SYSTEM / "etc", users)
            self._ground = Ground(program, self._folder, self._python, seccomp.program(machine), borrowed)
        return self._ground

    def _places(self, id_: str) -> Places:
        if not _ID.fullmatch(id_):
            raise SandboxProblem("not_found", f"{id_!r} is no id of a sandbox")
        return Places(self._folder / id_)


class BubblewrapSandbox:
    """One sandbox: a folder, and what runs in it now."""

    def __init__(self, ground: Ground, view: View, limits: Limits) -> None:
        self._ground = ground
        self._running: set[Running] = set()
        self.set(view, limits)

    def set(self, view: View, limits: Limits) -> None:
        """What commands that start from now on see, and may use."""
        self._view, self._limits = view, limits

    async def run(self, command: Command) -> Finished:
        """Run a command to its end."""
        before = await self._measured()
        running = await self._start(command)
        try:
            return await run(running, command, self._measure, before)
        finally:
            await running.aclose()
            self._running.discard(running)

    async def start(self, command: Command) -> Spoken:
        """Start a process that is spoken to."""
        before = await self._measured()
        running = await self._start(command)
        return Spoken(running, self._measure, before, self._running.discard)

    async def put(self, path: str, chunks: AsyncIterator[bytes]) -> None:
        """Write a file. Raises `SandboxProblem`."""
        folder, below = self._view.places.named(path)
        if below == ".":
            raise SandboxProblem("not_a_file", path)
        room = self._limits.disk - (await self._measured()).disk
        root = _root(folder)
        try:
            made = await asyncio.to_thread(beneath.NewFile.make, root, below, self._view.user)
        finally:
            os.close(root)
        with made:
            await _pour(made.file, chunks, room, self._limits.file_size)
            made.put_in_place()

    async def get(self, path: str, most: int) -> AsyncIterator[bytes]:
        """The bytes of a regular file. Raises `SandboxProblem`."""
        folder, below = self._view.places.named(path)
        root = _root(folder)
        try:
            file, size = beneath.open_file(root, below)
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
            place, below = self._view.places.named(folder)
            root = _root(place)
        except SandboxProblem:
            return ()
        try:
            return await asyncio.to_thread(beneath.files_in, root, below)
        finally:
            os.close(root)

    async def rest(self) -> None:
        """Let go of all processes."""
        for running in list(self._running):
            await running.aclose()
            self._running.discard(running)

    async def _start(self, command: Command) -> Running:
        await asyncio.to_thread(_make, self._view.places, self._view.user)
        if command.outputs:
            await self._empty_outputs()
        python = self._ground.python
        environment = surroundings.environment(python.folders, python.environment, command)
        running = await Running.start(
            lambda given: arguments(self._ground.program, self._view, given, environment, command.argv),
            self._ground.filter,
            self._limits,
            command.output,
        )
        self._running.add(running)
        return running

    async def _empty_outputs(self) -> None:
        places = self._view.places
        await remove(places.temporary / places.outputs)
        root = _root(places.temporary)
        try:
            os.close(beneath.make_folder(root, places.outputs, self._view.user))
        finally:
            os.close(root)

    async def _measured(self) -> Usage:
        return await asyncio.to_thread(self._measure, ())

    def _measure(self, processes: Sequence[int]) -> Usage:
        places = self._view.places
        return measure((places.workspace, places.temporary), self._limits, processes)


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


def _make(places: Places, user: int | None) -> None:
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


def _help(problem: str) -> str:
    if "not on this machine" in problem:
        return "apt-get install bubblewrap helps"
    return "namespaces may be forbidden here: see docs/sandbox.md"

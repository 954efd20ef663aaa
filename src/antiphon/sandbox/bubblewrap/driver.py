"""The driver: what runs in its sandboxes is made anew for each command, and gone with it."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.ports.sandbox import Command, Limits, Mount, SandboxProblem
from antiphon.sandbox import seccomp, surroundings
from antiphon.sandbox.bubblewrap.arguments import NESTED_USER, View, arguments
from antiphon.sandbox.bubblewrap.cgroups import Groups
from antiphon.sandbox.bubblewrap.starting import start
from antiphon.sandbox.kept import USERS, KeptSandboxes
from antiphon.sandbox.places import Places
from antiphon.sandbox.python import Python
from antiphon.sandbox.running import Running
from antiphon.sandbox.workspace import Workspace

_SYSTEM: Final = ".system"
_SETPRIV: Final = "/usr/bin/setpriv"
_SCRIPT: Final = "id -u; python3 -c 'print(6 * 7)'"


@dataclass(frozen=True, slots=True)
class Ground:
    """What all sandboxes of a driver have in common. `etc`: the made-up one; `borrowed`: what lies in it of the
    machine's own."""

    program: str
    python: Python
    filter: bytes
    etc: Path
    borrowed: tuple[tuple[Path, str], ...]
    groups: Groups | None


class BubblewrapDriver(KeptSandboxes["BubblewrapSandbox"]):
    """A `SandboxDriver` over `bwrap`."""

    name = "bubblewrap"

    def __init__(self, folder: Path, python: Python) -> None:
        super().__init__(folder)
        self._python = python
        self._ground: Ground | None = None

    async def probe(self) -> str | None:
        """Why it does not work here, in one sentence; None: it does. Runs something in a sandbox."""
        try:
            tried = await self.tried(_SCRIPT)
        except (SandboxProblem, OSError) as problem:
            return f"{problem}; {_help(str(problem))}"
        said = tried.stderr.decode("utf-8", "replace").strip()[-300:]
        if tried.stdout.split()[1:] == [b"42"]:
            return None
        if said.startswith("bwrap:"):
            return f"{said}; {_help(said)}"
        return f"its Python does not run: {said or tried.killed or tried.return_code}"

    async def prepare(self) -> None:
        """Look for the programs, and make up an `/etc`. Raises `SandboxProblem`."""
        program, machine = shutil.which("bwrap"), seccomp.machine()
        root = os.geteuid() == 0
        if program is None:
            raise SandboxProblem("unavailable", "the program bwrap is not on this machine")
        if machine is None:
            raise SandboxProblem("unavailable", "there is no filter of system calls for this processor")
        if root and not os.access(_SETPRIV, os.X_OK):
            raise SandboxProblem("unavailable", f"the program {_SETPRIV} is not on this machine")
        users = USERS if root else range(NESTED_USER, NESTED_USER + 1)
        etc = self.folder / _SYSTEM / "etc"
        borrowed = await asyncio.to_thread(surroundings.make_etc, etc, users)
        groups = await asyncio.to_thread(_groups)
        self._ground = Ground(program, self._python, seccomp.program(machine), etc, borrowed, groups)

    def sandbox(
        self, places: Places, user: int | None, limits: Limits, mounts: Sequence[Mount]
    ) -> "BubblewrapSandbox":
        """One over a folder that is there."""
        assert self._ground is not None
        return BubblewrapSandbox(self._ground, places, user, limits, mounts)


class BubblewrapSandbox(Workspace):
    """One sandbox: a folder, and what runs in it now."""

    def __init__(
        self, ground: Ground, places: Places, user: int | None, limits: Limits, mounts: Sequence[Mount]
    ) -> None:
        super().__init__(places, user, limits, mounts)
        self._ground = ground

    async def _start(self, command: Command) -> Running:
        ground = self._ground
        mounts = (*ground.python.mounts, *self.mounts)
        view = View(self.places, ground.etc, ground.borrowed, mounts, self.user)
        environment = surroundings.environment(ground.python.folders, ground.python.environment, command)
        return await start(
            lambda given: arguments(ground.program, view, given, environment, command.argv),
            ground.filter,
            self.limits,
            command.output,
            ground.groups,
        )


def _groups() -> Groups | None:
    try:
        return Groups.find(Path("/proc/self/cgroup").read_text(), Path("/proc/self/mounts").read_text())
    except OSError:
        return None


def _help(problem: str) -> str:
    if "not on this machine" in problem:
        return "on Debian and Ubuntu, apt-get install bubblewrap helps"
    return "namespaces may be forbidden here: see docs/sandbox.md"

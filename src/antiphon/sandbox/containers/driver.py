"""The driver over an engine's program."""

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from antiphon.ports.sandbox import Command, Limits, Mount, SandboxProblem
from antiphon.sandbox import surroundings
from antiphon.sandbox.containers.arguments import GVISOR, LABEL, Call, arguments
from antiphon.sandbox.containers.life import ContainerLife
from antiphon.sandbox.kept import KeptSandboxes
from antiphon.sandbox.places import Places
from antiphon.sandbox.running import Running
from antiphon.sandbox.workspace import Workspace

_PATIENCE: Final = 20.0


class ContainerDriver(KeptSandboxes["ContainerSandbox"]):
    """A `SandboxDriver` over `docker` or `podman`; gVisor's runtime is taken where the engine has it."""

    def __init__(self, program: str, folder: Path, image: str) -> None:
        super().__init__(folder)
        self.name = program
        self._image = image
        self._engine: Engine | None = None

    async def probe(self) -> str | None:
        """Why it does not work here, in one sentence; None: it does. Runs something in a container."""
        try:
            tried = await self.tried("python3 -c 'print(6 * 7)'")
        except (SandboxProblem, OSError) as problem:
            return str(problem)
        if tried.stdout.split() == [b"42"]:
            return None
        said = tried.stderr.decode("utf-8", "replace").strip()[-300:]
        return f"nothing runs in a container: {said or tried.killed or tried.return_code}"

    async def prepare(self) -> None:
        """Ask the engine, and take away what killed servers have left. Raises `SandboxProblem`."""
        program = shutil.which(self.name)
        if program is None:
            raise SandboxProblem("unavailable", f"the program {self.name} is not on this machine")
        engine = Engine(program)
        code, said = await engine.ask("info")
        if code:
            raise SandboxProblem("unavailable", f"{self.name} does not answer: {said.strip()[-300:]}")
        if (await engine.ask("image", "inspect", self._image))[0]:
            raise SandboxProblem("unavailable", f"its image is missing; {self.name} pull {self._image} fetches it")
        engine.gvisor = GVISOR in said
        await engine.sweep()
        self._engine = engine

    def sandbox(
        self, places: Places, user: int | None, limits: Limits, mounts: Sequence[Mount]
    ) -> "ContainerSandbox":
        """One over a folder that is there."""
        assert self._engine is not None
        return ContainerSandbox(self._engine, self._image, places, user, limits, mounts)


class Engine:
    """An engine's program, asked."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.gvisor = False
        self._made = 0

    def new_name(self) -> str:
        """A name for a container that no other has."""
        self._made += 1
        return f"antiphon-{os.getpid()}-{self._made}-{os.urandom(4).hex()}"

    async def ask(self, *argv: str) -> tuple[int, str]:
        """Its exit code, and what it says. Raises `SandboxProblem`."""
        try:
            process = await asyncio.create_subprocess_exec(
                self.program, *argv, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
            )
        except OSError as problem:
            raise SandboxProblem("unavailable", str(problem)) from problem
        try:
            async with asyncio.timeout(_PATIENCE):
                out, err = await process.communicate()
        except TimeoutError as problem:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise SandboxProblem("unavailable", f"{self.program} {argv[0]} takes too long") from problem
        return process.returncode or 0, (out + err).decode("utf-8", "replace")

    async def sweep(self) -> None:
        """Take away the containers of servers that live no longer."""
        shown = f'{{{{.ID}}}} {{{{.Label "{LABEL}"}}}}'
        _, said = await self.ask("ps", "--all", "--filter", f"label={LABEL}", "--format", shown)
        for line in said.splitlines():
            id_, _, server = line.partition(" ")
            if server.isdigit() and not await asyncio.to_thread(os.path.exists, f"/proc/{server}"):
                await self.ask("rm", "--force", id_)


class ContainerSandbox(Workspace):
    """One sandbox: a folder, and the containers that see it now."""

    def __init__(
        self, engine: Engine, image: str, places: Places, user: int | None, limits: Limits, mounts: Sequence[Mount]
    ) -> None:
        super().__init__(places, user, limits, mounts)
        self._engine = engine
        self._image = image

    async def _start(self, command: Command) -> Running:
        engine = self._engine
        call = Call(
            engine.program, engine.new_name(), os.getpid(), self._image, self.places, self.user, engine.gvisor
        )
        environment = surroundings.environment((), {}, command)
        argv = arguments(call, self.limits, self.mounts, environment, command.argv)
        try:
            process = await asyncio.create_subprocess_exec(*argv, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        except OSError as problem:
            raise SandboxProblem("unavailable", str(problem)) from problem
        return Running(process, ContainerLife(engine.ask, call.name, process), self.limits, command.output)

"""A container as its command's life: ended by the engine, and taken away with all that ran in it."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import suppress

from antiphon.ports.sandbox import SandboxProblem

Ask = Callable[..., Awaitable[tuple[int, str]]]
"""Asks the engine: its exit code, and what it says."""


class ContainerLife:
    """A `Life` over one container, whose engine's program is `process`."""

    def __init__(self, ask: Ask, name: str, process: Process) -> None:
        self._ask = ask
        self._name = name
        self._process = process
        self._verdict: str | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether anything of it may be."""
        return self._process.returncode is None

    async def kill(self) -> None:
        """Kill the container, where it is there, and take it away."""
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._end())
        await asyncio.shield(self._ending)

    async def gone(self) -> None:
        """Wait until the engine says that it has ended."""
        await self._process.wait()

    def members(self) -> list[int]:
        """Its processes are the engine's to know."""
        return []

    def memory(self, most: int) -> int:
        """Nothing: the engine bounds it."""
        return 0

    async def verdict(self) -> str | None:
        """Whether the engine has ended it for its memory."""
        if self._ending is None:
            with suppress(SandboxProblem):
                _, said = await self._ask("inspect", "--format", "{{.State.OOMKilled}}", self._name)
                self._verdict = "memory" if said.strip() == "true" else None
        return self._verdict

    async def _end(self) -> None:
        with suppress(SandboxProblem):
            await self._ask("rm", "--force", self._name)
        if self.alive:
            # It was cut off while it began, or its engine hangs.
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            with suppress(SandboxProblem):
                await self._ask("rm", "--force", self._name)

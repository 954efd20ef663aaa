"""The container of one reply: taken in turns, made when code first runs, unpacked where it was packed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Final, Protocol

from antiphon.errors import ApiError
from antiphon.ids import ENTROPY_BYTES, make_id
from antiphon.ports.containers import ContainerStore, StoredContainer
from antiphon.ports.files import StoredFile
from antiphon.ports.leases import Leases
from antiphon.ports.sandbox import WORKSPACE, Sandbox, Sandboxes, SandboxProblem
from antiphon.ports.server_tools import ToolProblem
from antiphon.ports.stores import StoreError
from antiphon.ports.system import Clock, Entropy
from antiphon.service.checkpoints import Checkpoints
from antiphon.service.files.files import Files
from antiphon.service.skills.chosen import Chosen, SkillChoice
from antiphon.wire.moments import micros, moment

TURN: Final = 120.0
"""Seconds after which a process that does not give a container back is taken to be gone."""

_BETWEEN: Final = 0.05
_TRIES: Final = int(TURN / _BETWEEN) + 1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What containers are made of. `machine`: whose disk holds them. `files`: None: nothing is kept of their files.
    `leases`: turns in a container, where other processes work in it too. `skills`: what requests choose from; None:
    nothing. `meeting`: where those processes speak about containers, as far as they are on this machine.
    `checkpoints`: what containers are packed into that nobody uses; None: these are taken away."""

    sandboxes: Sandboxes
    store: ContainerStore
    files: Files | None
    machine: str
    clock: Clock
    entropy: Entropy
    leases: Leases | None = None
    skills: SkillChoice | None = None
    meeting: Path | None = None
    checkpoints: Checkpoints | None = None


class Containers(Protocol):
    """What a claim needs of the containers of this machine. `turns`: who of this process works in which."""

    grounds: Grounds
    lifetime: float
    turns: dict[str, asyncio.Lock]

    async def use(self, id_: str) -> float | None:
        """Move its end; when it expires now. None: it is not on this machine."""
        ...

    async def unpack(self, id_: str) -> float | None:
        """Bring back what was packed of it, for who has the turn in it; when it expires now. None: nothing was."""
        ...


def turn_in(id_: str) -> str:
    """The name of the lease of who works in a container."""
    return f"container.{id_}"


class Claim:
    """The `Container` of one reply. `uploads`: the files that its request puts there; `new`: also where one of the
    same name is there already; `until`: when the container expires, as far as is known; `skills`: what code sees of
    skills while this reply is made."""

    def __init__(
        self,
        containers: Containers,
        tenant: str,
        id_: str | None,
        uploads: tuple[StoredFile, ...],
        new: tuple[StoredFile, ...],
        until: float,
        skills: tuple[Chosen, ...] = (),
    ) -> None:
        self._containers = containers
        self._tenant = tenant
        self._id = id_
        self._uploads = uploads
        self._new = new
        self._until = until
        self._skills = skills
        self._made = asyncio.Lock()
        self._holder = containers.grounds.entropy.bytes(8).hex()
        self._furnished = False

    @property
    def id(self) -> str | None:
        """See `Container`."""
        return self._id

    @property
    def folders(self) -> frozenset[str]:
        """See `Container`."""
        return frozenset(one.mount.source for one in self._skills)

    @property
    def meeting(self) -> str | None:
        """See `Container`."""
        folder = self._containers.grounds.meeting
        return None if folder is None else str(folder)

    async def enter(self) -> Sandbox:
        """See `Container`."""
        async with self._made:
            try:
                await self._make()
            except StoreError as problem:
                raise ToolProblem("unavailable", str(problem)) from problem
        await self._turn.acquire()
        try:
            await self._take_turn()
            # Another reply in the same container may have other skills.
            return await self._furnish(await self._seen())
        except (SandboxProblem, StoreError) as problem:
            self._turn.release()
            raise ToolProblem("unavailable", str(problem)) from problem
        except ApiError as problem:
            self._turn.release()
            raise ToolProblem("unavailable", problem.message) from problem
        except BaseException:
            self._turn.release()
            raise

    async def _take_turn(self) -> None:
        """Keep the container for another while, and other processes of this machine out of it."""
        assert self._id is not None
        grounds = self._containers.grounds
        try:
            for _ in range(_TRIES):
                if grounds.leases is None or await grounds.leases.take(
                    turn_in(self._id), self._holder, grounds.clock.now(), TURN
                ):
                    return await self._use(self._id)
                await asyncio.sleep(_BETWEEN)
        except (StoreError, SandboxProblem) as problem:
            raise ToolProblem("unavailable", str(problem)) from problem
        raise ToolProblem("too_many_requests", "other requests work in the container all the time")

    async def _use(self, id_: str) -> None:
        """Keep it for another while, and have it here."""
        until = await self._containers.use(id_) or await self._containers.unpack(id_)
        if until is None:
            # It expired while this reply was made, and is a new one.
            grounds = self._containers.grounds
            until, self._furnished = grounds.clock.now() + self._containers.lifetime, False
            await grounds.store.add(StoredContainer(id_, self._tenant, grounds.machine, until))
        self._until = until

    async def stay(self) -> None:
        """See `Container`."""
        await self._take_turn()

    async def leave(self) -> None:
        """See `Container`."""
        try:
            if (leases := self._containers.grounds.leases) is not None:
                await leases.release(turn_in(self._id or ""), self._holder)
        except StoreError as problem:
            log.warning("containers: the turn in one of them ends by itself: %s", problem)
        finally:
            self._turn.release()

    async def keep_file(self, sandbox: Sandbox, path: str, name: str) -> str | None:
        """See `Container`."""
        files = self._containers.grounds.files
        if files is None:
            return None
        most = files.uploads.most
        kind = guess_type(name)[0] or "application/octet-stream"
        try:
            return (await files.uploads.make(self._tenant, name, kind, sandbox.get(path, most))).id
        except SandboxProblem as problem:
            code = "output_file_too_large" if problem.code == "too_large" else "unavailable"
            raise ToolProblem(code, str(problem)) from problem
        except ApiError as problem:
            code = "output_file_too_large" if problem.type == "request_too_large" else "unavailable"
            raise ToolProblem(code, f"{name!r}: {problem.message}") from problem

    async def told(self) -> Mapping[str, Any] | None:
        """See `Container`."""
        if self._id is None and not self._skills:
            return None
        try:
            if self._id is None:
                await self._make()
                await self._seen()
            assert self._id is not None
            # One that is packed stays so where nothing ran in it.
            self._until = await self._containers.use(self._id) or self._until
        except (StoreError, SandboxProblem, ApiError) as problem:
            # The reply is written by now, and not lost for this: the container expires when it would have before.
            log.warning("containers: one of them is not kept for longer: %s", problem)
            if self._id is None:
                return None
        told = {"id": self._id, "expires_at": moment(micros(self._until))}
        return {**told, "skills": [one.told for one in self._skills]} if self._skills else told

    @property
    def _turn(self) -> asyncio.Lock:
        assert self._id is not None
        return self._containers.turns.setdefault(self._id, asyncio.Lock())

    async def _make(self) -> None:
        """A container, where the request names none."""
        if self._id is None:
            grounds = self._containers.grounds
            id_ = make_id("container_", grounds.entropy.bytes(ENTROPY_BYTES))
            until = grounds.clock.now() + self._containers.lifetime
            # The row comes first: whatever happens then, somebody finds what is to be taken away.
            await grounds.store.add(StoredContainer(id_, self._tenant, grounds.machine, until))
            self._id, self._until = id_, until

    async def _furnish(self, sandbox: Sandbox) -> Sandbox:
        """The sandbox, with what the request puts into it."""
        if not self._furnished:
            there = {entry.name for entry in await sandbox.entries(WORKSPACE)}
            for file in self._uploads:
                if file.filename not in there or file in self._new:
                    await sandbox.put(file.filename, self._bytes(file))
            self._furnished = True
        return sandbox

    async def _seen(self) -> Sandbox:
        """The sandbox, from now on with the skills of this reply."""
        assert self._id is not None
        sandboxes = self._containers.grounds.sandboxes
        return await sandboxes.driver.open(self._id, sandboxes.limits, [one.mount for one in self._skills])

    def _bytes(self, file: StoredFile) -> AsyncIterator[bytes]:
        files = self._containers.grounds.files
        assert files is not None
        return files.library.stream(file)

"""Containers of requests: claimed, told of, taken away in time.

A container is a sandbox that outlives its request: its files stay, and who names it goes on with them. What runs in
one that nobody uses is ended; one that has expired is taken away. Source: API reference, Code execution tool.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Final

from antiphon.errors import ApiError, InvalidRequest
from antiphon.ids import ENTROPY_BYTES, make_id
from antiphon.ports.containers import ContainerStore, StoredContainer
from antiphon.ports.files import StoredFile
from antiphon.ports.leases import Leases
from antiphon.ports.sandbox import WORKSPACE, Sandbox, Sandboxes, SandboxProblem
from antiphon.ports.server_tools import ToolProblem
from antiphon.ports.stores import StoreError
from antiphon.ports.system import Clock, Entropy
from antiphon.request.case import Case
from antiphon.service.faults import store_error
from antiphon.service.files.files import Files
from antiphon.service.skills.chosen import Chosen, SkillChoice
from antiphon.wire.content.blocks import ContainerUploadBlock
from antiphon.wire.moments import micros, moment
from antiphon.words import shown

LIFETIME: Final = 300.0
"""Seconds that a container is kept behind its last use, where nobody says otherwise."""

EVERY: Final = 30.0
"""Seconds from one look for containers that have expired to the next."""

TURN: Final = 120.0
"""Seconds after which a process that does not give a container back is taken to be gone."""

_BETWEEN: Final = 0.05
_TRIES: Final = int(TURN / _BETWEEN) + 1

_AT_ONCE: Final = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What containers are made of. `machine`: whose disk holds them. `files`: None: nothing is kept of their files.
    `leases`: turns in a container, where other processes work in it too. `skills`: what requests choose from; None:
    nothing. `meeting`: where those processes speak about containers, as far as they are on this machine."""

    sandboxes: Sandboxes
    store: ContainerStore
    files: Files | None
    machine: str
    clock: Clock
    entropy: Entropy
    leases: Leases | None = None
    skills: SkillChoice | None = None
    meeting: Path | None = None


class Containers:
    """The containers of this machine. Raises `ApiError` only."""

    def __init__(self, grounds: Grounds, *, lifetime: float = LIFETIME) -> None:
        self.grounds = grounds
        self.lifetime = lifetime
        self.turns: dict[str, asyncio.Lock] = {}
        self._task: asyncio.Task[None] | None = None

    async def uploads(self, case: Case) -> Mapping[str, StoredFile]:
        """The files that the request puts into its container, by their ids."""
        ids = [item.block.file_id for item in case.items if isinstance(item.block, ContainerUploadBlock)]
        files = self.grounds.files
        if not ids:
            return {}
        if files is None:
            raise InvalidRequest("container_upload: this server keeps no files")
        return await files.library.named(case.context.tenant, ids)

    async def skills(self, case: Case) -> tuple[Chosen, ...]:
        """The skills that the request puts into its container."""
        asked = case.skills
        if not asked:
            return ()
        if self.grounds.skills is None:
            raise InvalidRequest("container.skills: this server has no skills")
        return await self.grounds.skills.chosen(case.context, asked)

    async def claim(
        self, case: Case, uploads: Mapping[str, StoredFile], skills: tuple[Chosen, ...] = ()
    ) -> "Claim | None":
        """The container of a request that asks for a reply: the one that it names, or one made when needed."""
        request = case.creation
        if request is None:
            return None
        named = request.container if isinstance(request.container, str | None) else request.container.id
        new = tuple(
            uploads[item.block.file_id]
            for item in case.items
            if isinstance(item.block, ContainerUploadBlock) and item.message == len(case.request.messages) - 1
        )
        tenant = case.context.tenant
        if named is None:
            return Claim(self, tenant, None, tuple(uploads.values()), (), 0.0, skills)
        try:
            known = await self.grounds.store.find(tenant, named)
            if known is None or not await self._is_there(known):
                raise InvalidRequest(
                    f"container: Container '{shown(named)}' does not exist or has expired. Leave `container` out for "
                    "a new one."
                )
            until = await self.use(named)
        except StoreError as problem:
            raise store_error(problem) from problem
        return Claim(self, tenant, named, tuple(uploads.values()), new, until, skills)

    async def _is_there(self, known: StoredContainer) -> bool:
        grounds = self.grounds
        alive = known.expires_at > grounds.clock.now() and known.machine == grounds.machine
        return alive and await grounds.sandboxes.driver.exists(known.id)

    async def use(self, id_: str) -> float:
        """Move its end; when it expires now."""
        until = self.grounds.clock.now() + self.lifetime
        await self.grounds.store.keep(id_, until)
        return until

    async def count(self) -> int:
        """How many there are on this machine. Raises `StoreError`."""
        return await self.grounds.store.count(self.grounds.machine, self.grounds.clock.now())

    async def tidy(self) -> None:
        """Take away the containers of this machine that have expired, with all that runs in them."""
        grounds = self.grounds
        while ids := await grounds.store.expired(grounds.machine, grounds.clock.now(), _AT_ONCE):
            for id_ in ids:
                await grounds.sandboxes.driver.discard(id_)
                if grounds.meeting is not None:
                    # Of a process that was killed.
                    await asyncio.to_thread((grounds.meeting / id_).unlink, missing_ok=True)
                await grounds.store.remove(id_)
                self.turns.pop(id_, None)

    def start(self) -> None:
        """Tidy from now on, until `aclose`."""
        self._task = asyncio.create_task(self._tidying())

    async def aclose(self) -> None:
        """Tidy no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _tidying(self) -> None:
        while True:
            try:
                await self.tidy()
            except (StoreError, SandboxProblem) as problem:
                log.warning("containers: not tidied, and tried again later: %s", problem)
            except Exception:
                log.exception("containers: not tidied, and tried again later")
            await asyncio.sleep(EVERY)


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
        self._sandbox: Sandbox | None = None

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
            if self._sandbox is None:
                try:
                    self._sandbox = await self._opened()
                except (SandboxProblem, StoreError) as problem:
                    raise ToolProblem("unavailable", str(problem)) from problem
                except ApiError as problem:
                    raise ToolProblem("unavailable", problem.message) from problem
        await self._turn.acquire()
        try:
            await self._take_turn()
            # Another reply in the same container may have other skills.
            return await self._seen()
        except SandboxProblem as problem:
            self._turn.release()
            raise ToolProblem("unavailable", str(problem)) from problem
        except BaseException:
            self._turn.release()
            raise

    async def _take_turn(self) -> None:
        """Keep the container for another while, and other processes of this machine out of it."""
        assert self._id is not None
        grounds = self._containers.grounds
        try:
            self._until = await self._containers.use(self._id)
            for _ in range(_TRIES):
                if grounds.leases is None or await grounds.leases.take(
                    self._name, self._holder, grounds.clock.now(), TURN
                ):
                    return
                await asyncio.sleep(_BETWEEN)
        except StoreError as problem:
            raise ToolProblem("unavailable", str(problem)) from problem
        raise ToolProblem("too_many_requests", "other requests work in the container all the time")

    async def stay(self) -> None:
        """See `Container`."""
        await self._take_turn()

    async def leave(self) -> None:
        """See `Container`."""
        try:
            if (leases := self._containers.grounds.leases) is not None:
                await leases.release(self._name, self._holder)
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
                await self._opened()
            assert self._id is not None
            self._until = await self._containers.use(self._id)
        except (StoreError, SandboxProblem, ApiError) as problem:
            # The reply is written by now, and not lost for this: the container expires when it would have before.
            log.warning("containers: one of them is not kept for longer: %s", problem)
            if self._id is None:
                return None
        told = {"id": self._id, "expires_at": moment(micros(self._until))}
        return {**told, "skills": [one.told for one in self._skills]} if self._skills else told

    @property
    def _name(self) -> str:
        return f"container.{self._id}"

    @property
    def _turn(self) -> asyncio.Lock:
        assert self._id is not None
        return self._containers.turns.setdefault(self._id, asyncio.Lock())

    async def _opened(self) -> Sandbox:
        grounds, id_ = self._containers.grounds, self._id
        if id_ is None:
            id_ = make_id("container_", grounds.entropy.bytes(ENTROPY_BYTES))
            until = grounds.clock.now() + self._containers.lifetime
            # The row comes first: whatever happens then, somebody finds what is to be taken away.
            await grounds.store.add(StoredContainer(id_, self._tenant, grounds.machine, until))
            self._id, self._until = id_, until
        sandbox = await self._seen()
        there = {entry.name for entry in await sandbox.entries(WORKSPACE)}
        for file in self._uploads:
            if file.filename not in there or file in self._new:
                await sandbox.put(file.filename, self._bytes(file))
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

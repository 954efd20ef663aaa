"""Containers of requests: claimed, told of, taken away in time.

A container is a sandbox that outlives its request: its files stay, and who names it goes on with them. What runs in
one that nobody uses is ended; the files of one that has expired are packed, where there is a place for that, and
unpacked when somebody names it. Source: API reference, Code execution tool.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from antiphon.errors import InvalidRequest
from antiphon.ports.containers import NOWHERE, StoredContainer
from antiphon.ports.files import StoredFile
from antiphon.ports.sandbox import SandboxProblem
from antiphon.ports.stores import ObjectMissing, StoreError
from antiphon.request.case import Case
from antiphon.service.checkpoints import Checkpoints
from antiphon.service.claims import TURN, Claim, Grounds, turn_in
from antiphon.service.faults import store_error
from antiphon.service.skills.chosen import Chosen
from antiphon.wire.content.blocks import ContainerUploadBlock
from antiphon.words import shown

LIFETIME: Final = 300.0
"""Seconds that a container is kept behind its last use, where nobody says otherwise."""

EVERY: Final = 30.0
"""Seconds from one look for containers that have expired to the next."""

_AT_ONCE: Final = 100

log = logging.getLogger(__name__)


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
    ) -> Claim | None:
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
            until = await self.use(named) or known.expires_at
        except StoreError as problem:
            raise store_error(problem) from problem
        return Claim(self, tenant, named, tuple(uploads.values()), new, until, skills)

    async def _is_there(self, known: StoredContainer) -> bool:
        grounds = self.grounds
        alive, packs = known.expires_at > grounds.clock.now(), grounds.checkpoints is not None
        if known.machine == NOWHERE:
            return alive and packs
        here = known.machine == grounds.machine and (alive or packs)
        return here and await grounds.sandboxes.driver.exists(known.id)

    async def use(self, id_: str) -> float | None:
        """Move its end; when it expires now. None: it is not on this machine. Raises `StoreError`."""
        until = self.grounds.clock.now() + self.lifetime
        return until if await self.grounds.store.keep(id_, self.grounds.machine, until) else None

    async def unpack(self, id_: str) -> float | None:
        """Bring back what was packed of it, for whoever has the turn in it; when it expires now. None: nothing was.

        Raises `StoreError` and `SandboxProblem`."""
        grounds = self.grounds
        if grounds.checkpoints is None:
            return None
        # What a restoration has left that did not come to its end.
        await self._discard(id_)
        sandbox = await grounds.sandboxes.driver.open(id_, grounds.sandboxes.limits)
        try:
            await grounds.checkpoints.load(id_, sandbox)
            until = grounds.clock.now() + self.lifetime
            moved = await grounds.store.move(id_, NOWHERE, grounds.machine, until)
        except ObjectMissing:
            moved, until = False, 0.0
        except BaseException:
            await self._discard(id_)
            raise
        if not moved:
            await self._discard(id_)
            return None
        await grounds.checkpoints.remove(id_)
        return until

    async def count(self) -> int:
        """How many there are on this machine. Raises `StoreError`."""
        return await self.grounds.store.count(self.grounds.machine, self.grounds.clock.now())

    async def tidy(self) -> None:
        """Pack, or take away, the containers of this machine that have expired, with all that runs in them; and what
        was packed and has expired."""
        grounds, some = self.grounds, True
        while some:
            due = await grounds.store.expired(grounds.machine, grounds.clock.now(), _AT_ONCE)
            # Those that somebody works in are looked at again the next time.
            some = any([await self._put_away(id_) for id_ in due]) and len(due) == _AT_ONCE
        if grounds.checkpoints is not None:
            for id_ in await grounds.store.expired(NOWHERE, grounds.clock.now(), _AT_ONCE):
                await grounds.checkpoints.remove(id_)
                await grounds.store.remove(id_)

    async def _put_away(self, id_: str) -> bool:
        """Pack it, or take it away, if nobody works in it; whether so."""
        grounds, holder = self.grounds, self.grounds.entropy.bytes(8).hex()
        turn = self.turns.setdefault(id_, asyncio.Lock())
        if turn.locked():
            return False
        async with turn:
            if grounds.leases is None:
                return await self._packed_or_gone(id_)
            if not await grounds.leases.take(turn_in(id_), holder, grounds.clock.now(), TURN):
                return False
            try:
                return await self._packed_or_gone(id_)
            finally:
                await grounds.leases.release(turn_in(id_), holder)

    async def _packed_or_gone(self, id_: str) -> bool:
        grounds, now = self.grounds, self.grounds.clock.now()
        if grounds.checkpoints is not None and await self._packed(id_, grounds.checkpoints):
            until = now + grounds.checkpoints.lasting
            if not await grounds.store.move(id_, grounds.machine, NOWHERE, until, expired_by=now):
                # Somebody has used it since.
                await grounds.checkpoints.remove(id_)
                return False
            await self._discard(id_)
        else:
            await self._discard(id_)
            if grounds.checkpoints is not None:
                await grounds.checkpoints.remove(id_)
            await grounds.store.remove(id_)
        self.turns.pop(id_, None)
        return True

    async def _packed(self, id_: str, checkpoints: Checkpoints) -> bool:
        driver = self.grounds.sandboxes.driver
        if not await driver.exists(id_):
            return False
        try:
            await checkpoints.save(id_, await driver.open(id_, self.grounds.sandboxes.limits))
        except SandboxProblem as problem:
            log.warning("containers: the files of one are not kept: %s", problem)
            return False
        return True

    async def _discard(self, id_: str) -> None:
        await self.grounds.sandboxes.driver.discard(id_)
        if self.grounds.meeting is not None:
            # Of a process that was killed.
            await asyncio.to_thread((self.grounds.meeting / id_).unlink, missing_ok=True)

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

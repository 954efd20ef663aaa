"""The skills of each workspace, and those that come with the server: made, listed, told of, given out, taken away."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from antiphon.errors import ApiError
from antiphon.ids import ENTROPY_BYTES, make_id
from antiphon.ports.files import Place
from antiphon.ports.objects import ObjectStore
from antiphon.ports.skills import FOLDER, SkillStore, SkillVersion, StoredSkill
from antiphon.ports.stores import ObjectMissing, StoreError, StoreFull
from antiphon.ports.system import Clock, Entropy
from antiphon.request.skills.listing import LATEST, SkillListing, version_said
from antiphon.request.skills.wording import (
    no_room,
    only_version,
    other_name,
    the_owners,
    unknown_skill,
    unknown_version,
)
from antiphon.service import faults
from antiphon.service.files.form import Form
from antiphon.service.leftovers import Leftovers, key_of
from antiphon.service.skills.forms import Sent, read
from antiphon.service.skills.own import OwnSkills
from antiphon.wire.moments import micros

_PIECE: Final = 1024 * 1024
_FREED: Final = 100
"""Versions whose bytes make room for taking a skill away."""

log = logging.getLogger(__name__)

One = TypeVar("One", StoredSkill, SkillVersion)


@dataclass(frozen=True, slots=True)
class Shelf(Generic[One]):
    """A part of a list, newest first. `end`: where the next part begins; None where there is none."""

    found: Sequence[One]
    end: Place | None


class SkillLibrary:
    """The skills that are there. `quota`: bytes of all workspaces' skills together. Raises `ApiError`, and what forms
    raise; other workspaces' skills are not there."""

    def __init__(
        self,
        rows: SkillStore,
        objects: ObjectStore,
        own: OwnSkills,
        clock: Clock,
        entropy: Entropy,
        *,
        quota: int | None = None,
    ) -> None:
        self.own = own
        self._rows = rows
        self._objects = objects
        self._clock = clock
        self._entropy = entropy
        self._quota = quota
        self._leftovers = Leftovers(FOLDER, objects, rows.unknown)

    async def create(self, tenant: str, form: Form) -> StoredSkill:
        """A new skill of a form's files."""
        await self._check_room(0)
        sent = await read(form, named=True)
        name, now = sent.bundle.front.name, micros(self._clock.now())
        id_ = make_id("skill_", self._entropy.bytes(ENTROPY_BYTES))
        version = await self._kept(id_, sent)
        skill = StoredSkill(id_, tenant, name, sent.display_name or name, now, now, version)
        try:
            await self._rows.add(skill, version)
        except StoreError as problem:
            raise await self._unkept(version, problem) from problem
        return skill

    async def add_version(self, tenant: str, id_: str, form: Form) -> SkillVersion:
        """A new version of a skill: all of its files."""
        skill = await self._theirs(tenant, id_)
        await self._check_room(0)
        sent = await read(form, named=False)
        if sent.bundle.front.name != skill.name:
            raise other_name(sent.bundle.front.name, skill.name)
        version = await self._kept(id_, sent)
        try:
            added = await self._rows.add_version(tenant, version)
        except StoreError as problem:
            raise await self._unkept(version, problem) from problem
        if added is None:
            await self._delete((version.key,))
            raise unknown_skill(id_)
        return added

    async def get(self, tenant: str, id_: str) -> StoredSkill:
        """What is known of a skill."""
        if id_ in self.own:
            return self.own[id_].skill
        with _told():
            found = await self._rows.find(tenant, id_)
        if found is None:
            raise unknown_skill(id_)
        return found

    async def version(self, tenant: str, id_: str, said: str) -> SkillVersion:
        """What is known of a version, as a client names it; `latest` is the newest."""
        if said == LATEST or id_ in self.own:
            latest = (await self.get(tenant, id_)).latest
            if latest is None or said not in (LATEST, latest.id):
                raise unknown_version(id_, said)
            return latest
        with _told():
            found = await self._rows.version(tenant, id_, version_said(said))
        if found is None:
            await self.get(tenant, id_)
            raise unknown_version(id_, said)
        return found

    async def skills(self, tenant: str, asked: SkillListing) -> Shelf[StoredSkill]:
        """The part of the list that is asked for: the workspace's, and behind them the server's own."""
        found: list[StoredSkill] = []
        most = asked.limit + 1
        at = asked.page
        if asked.source != "anthropic" and (at is None or at.created_at):
            with _told():
                found += await self._rows.older(tenant, at, most)
        if asked.source != "custom":
            behind = "" if at is None or at.created_at else at.id
            found += [one.skill for name, one in self.own.items() if name > behind]
        shelf = found[: asked.limit]
        if len(found) <= asked.limit:
            return Shelf(shelf, None)
        last = shelf[-1]
        # Their time says nothing of their place: they are behind all others, by their names.
        return Shelf(shelf, Place(0 if last.own else last.created_at, last.id))

    async def versions(self, tenant: str, id_: str, asked: SkillListing) -> Shelf[SkillVersion]:
        """The part of the list of a skill's versions that is asked for."""
        if id_ in self.own:
            return Shelf([self.own[id_].version] if asked.page is None else [], None)
        await self.get(tenant, id_)
        with _told():
            found = await self._rows.versions(tenant, id_, asked.page, asked.limit + 1)
        shelf = found[: asked.limit]
        more = len(found) > asked.limit
        return Shelf(shelf, Place(shelf[-1].created_at, shelf[-1].id) if more else None)

    async def delete(self, tenant: str, id_: str) -> None:
        """Take a skill away with all its versions."""
        await self._theirs(tenant, id_)
        with _told():
            try:
                keys = await self._rows.remove(tenant, id_)
            except StoreFull:
                # Nothing can be written, not even this: its bytes make room.
                for version in await self._rows.versions(tenant, id_, None, _FREED):
                    await self._objects.delete(version.key)
                keys = await self._rows.remove(tenant, id_)
        if keys is None:
            raise unknown_skill(id_)
        await self._delete(keys)

    async def delete_version(self, tenant: str, id_: str, said: str, *, last: bool) -> SkillVersion:
        """Take a version away; the only one only where `last` says that it may be."""
        await self._theirs(tenant, id_)
        version = await self.version(tenant, id_, said)
        with _told():
            removed = await self._rows.remove_version(tenant, version, micros(self._clock.now()), last=last)
        if not removed:
            await self.version(tenant, id_, version.id)
            raise only_version()
        await self._delete((version.key,))
        return version

    async def download(self, tenant: str, id_: str, said: str) -> tuple[SkillVersion, bytes]:
        """A version, and its files as a zip."""
        await self._theirs(tenant, id_)
        version = await self.version(tenant, id_, said)
        return version, await self.read(tenant, version)

    async def read(self, tenant: str, version: SkillVersion) -> bytes:
        """The files of a version as a zip."""
        data = bytearray()
        try:
            async for chunk in self._objects.read(version.key):
                data += chunk
        except StoreError as problem:
            if isinstance(problem, ObjectMissing):
                # Somebody may have deleted it meanwhile, which is the client's own affair.
                await self.version(tenant, version.skill_id, version.id)
            raise faults.store_error(problem) from problem
        if hashlib.sha256(data).hexdigest() != version.digest:
            log.error("skills: what is kept under %s is not what was", version.key)
            raise ApiError("api_error", "Internal server error")
        return bytes(data)

    async def sweep(self, at: float) -> None:
        """Remove bytes that became no version. `at`: the clock's time. Raises `StoreError`."""
        await self._leftovers.clear(micros(at))

    async def _theirs(self, tenant: str, id_: str) -> StoredSkill:
        if id_ in self.own:
            raise the_owners()
        return await self.get(tenant, id_)

    async def _check_room(self, size: int) -> None:
        if self._quota is not None:
            with _told():
                used = await self._rows.used()
            if used + size >= self._quota:
                raise no_room()

    async def _kept(self, skill_id: str, sent: Sent) -> SkillVersion:
        """A version whose bytes are kept, and whose row is not there yet."""
        archive = sent.archive
        await self._check_room(len(archive))
        id_, now = make_id("skver_", self._entropy.bytes(ENTROPY_BYTES)), micros(self._clock.now())
        key = key_of(FOLDER, now, id_)
        with _told():
            await self._objects.put(key, _pieces(archive))
        front, digest = sent.bundle.front, hashlib.sha256(archive).hexdigest()
        return SkillVersion(id_, skill_id, front.name, front.description, now, key, digest, len(archive))

    async def _unkept(self, version: SkillVersion, problem: StoreError) -> ApiError:
        # Nobody knows whether the row is there, unless the disk is full: the bytes stay, and are swept if not.
        if isinstance(problem, StoreFull):
            await self._delete((version.key,))
        return _error(problem)

    async def _delete(self, keys: Sequence[str]) -> None:
        """Done even where nobody waits for it any more."""
        await asyncio.shield(asyncio.ensure_future(self._deleted(keys)))

    async def _deleted(self, keys: Sequence[str]) -> None:
        for key in keys:
            try:
                await self._objects.delete(key)
            except StoreError as problem:
                log.warning("skills: bytes that belong to nothing are left for a later sweep: %s", problem)


def _error(problem: StoreError) -> ApiError:
    if isinstance(problem, StoreFull):
        log.error("stores: %s", problem)
        return no_room()
    return faults.store_error(problem)


@contextmanager
def _told() -> Generator[None]:
    """A store's failures in the block are the API's errors."""
    try:
        yield
    except StoreError as problem:
        raise _error(problem) from problem


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), _PIECE):
        yield data[at : at + _PIECE]

"""The skills that a request puts into its container: found by its names for them, and there as folders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from antiphon.errors import InvalidRequest
from antiphon.ports.sandbox import Mount
from antiphon.ports.skills import SkillFolders, SkillVersion
from antiphon.ports.stores import StoreError
from antiphon.request.skills.archives import unzipped
from antiphon.request.skills.bundle import bundle_of
from antiphon.request.skills.listing import LATEST
from antiphon.request.skills.wording import not_on_this_server, shown, unknown_skill
from antiphon.service import faults
from antiphon.service.aside import aside
from antiphon.service.skills.library import SkillLibrary
from antiphon.service.skills.own import OWN, OwnSkills
from antiphon.service.skills.telling import named
from antiphon.wire.base import WireContext
from antiphon.wire.gates import SKILLS
from antiphon.wire.settings import Skill

FOLDER: Final = "/skills"
"""Where code sees them, each in a folder of its name."""

_LARGE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Chosen:
    """One of them. `told`: what the reply says of it; `mount`: its folder."""

    version: SkillVersion
    told: Mapping[str, Any]
    mount: Mount


@dataclass(frozen=True, slots=True)
class SkillChoice:
    """Finds them. `library`: those that were uploaded; None: nothing is kept. Raises `ApiError`."""

    own: OwnSkills
    folders: SkillFolders
    library: SkillLibrary | None = None

    async def chosen(self, context: WireContext, asked: Sequence[Skill]) -> tuple[Chosen, ...]:
        """The skills that a request names, in its order."""
        found: dict[str, Chosen] = {}
        for number, one in enumerate(asked):
            path = f"container.skills.{number}"
            version = await self._version(context.tenant, one, f"{path}.skill_id")
            if version.name in found:
                raise InvalidRequest(
                    f"{path}: another skill of this request has the name '{version.name}' too. In one container a "
                    "name is there once."
                )
            told = {
                "type": one.type,
                "skill_id": one.skill_id,
                "version": named(version, beta=context.unlocks(SKILLS)),
            }
            folder = await self._folder(context.tenant, version)
            found[version.name] = Chosen(version, told, Mount(folder, f"{FOLDER}/{version.name}"))
        return tuple(found.values())

    async def _version(self, tenant: str, asked: Skill, path: str) -> SkillVersion:
        said = asked.version or LATEST
        if asked.type == OWN:
            if (own := self.own.get(asked.skill_id)) is None:
                raise not_on_this_server(path, asked.skill_id)
            if said not in (LATEST, own.version.id):
                raise InvalidRequest(
                    f"{path.rpartition('.')[0]}.version: this server has the version '{own.version.id}' of the skill "
                    f"'{own.version.name}', and not '{shown(said)}'. Leave it out for the one that is there."
                )
            return own.version
        if self.library is None or asked.skill_id in self.own:
            raise unknown_skill(asked.skill_id)
        return await self.library.version(tenant, asked.skill_id, said)

    async def _folder(self, tenant: str, version: SkillVersion) -> str:
        try:
            if (known := await self.folders.find(version.digest)) is not None:
                return known
            if not version.key:
                return await self.folders.make(version.digest, self.own[version.name].files)
        except StoreError as problem:
            raise faults.store_error(problem) from problem
        assert self.library is not None
        archive = await self.library.read(tenant, version)
        files = await aside(lambda data: bundle_of(unzipped(data), reserved=False).files, archive, large=_LARGE)
        try:
            return await self.folders.make(version.digest, files)
        except StoreError as problem:
            raise faults.store_error(problem) from problem

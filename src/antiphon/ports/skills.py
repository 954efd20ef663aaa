"""What is known of skills that clients have uploaded: the ports, and a skill and a version of it as values.

The files of a version are elsewhere, one object in an `ObjectStore` (`ports.objects`), under the version's `key`. A
row is added when its object is there, and taken away before it is. Every question names a tenant, and is answered
with that tenant's skills alone; others' do not exist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from antiphon.ports.files import Place

FOLDER = "skills/"
"""What the keys of all versions' objects begin with."""


@dataclass(frozen=True, slots=True)
class SkillFile:
    """One file of a skill."""

    data: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class SkillVersion:
    """A version. Times are microseconds since the Unix epoch; no two versions of a skill have the same.

    `key`: of its object, a zip; empty where there is none. `digest`: SHA-256 of the zip, in hex. `size`: its bytes.
    """

    id: str
    skill_id: str
    name: str
    description: str
    created_at: int
    key: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class StoredSkill:
    """A skill. `name`: of all its versions. `latest`: the newest of them; None where all were deleted.

    `own`: it is no tenant's, but comes with the server.
    """

    id: str
    tenant: str
    name: str
    display_name: str
    created_at: int
    updated_at: int
    latest: SkillVersion | None = None
    own: bool = False


class SkillStore(Protocol):
    """The rows of skills. All raise what `ports.stores` says."""

    async def add(self, skill: StoredSkill, first: SkillVersion) -> None:
        """Add a skill with its first version; what the skill says of a latest one is passed over."""
        ...

    async def add_version(self, tenant: str, version: SkillVersion) -> SkillVersion | None:
        """Add a version behind all that the skill has, later than they if need be; None where there is no skill."""
        ...

    async def used(self) -> int:
        """The bytes of all tenants' versions."""
        ...

    async def find(self, tenant: str, id_: str) -> StoredSkill | None:
        """A skill."""
        ...

    async def older(self, tenant: str, than: Place | None, limit: int) -> Sequence[StoredSkill]:
        """So many skills at most behind a place in their list, newest first; without one, from its beginning."""
        ...

    async def version(self, tenant: str, skill_id: str, version: str | int) -> SkillVersion | None:
        """A version, by its id or by when it was made."""
        ...

    async def versions(self, tenant: str, skill_id: str, than: Place | None, limit: int) -> Sequence[SkillVersion]:
        """So many versions of a skill at most behind a place in their list, newest first."""
        ...

    async def remove(self, tenant: str, id_: str) -> Sequence[str] | None:
        """Take a skill away with all its versions; the keys of their objects, or None where there is none."""
        ...

    async def remove_version(self, tenant: str, version: SkillVersion, now: int, *, last: bool) -> bool:
        """Take a version away; False where it is not there, or, unless `last`, where it is the only one."""
        ...

    async def unknown(self, keys: Sequence[str]) -> Sequence[str]:
        """Those of the keys that are of no version."""
        ...


class SkillFolders(Protocol):
    """Skills as folders of this machine, which nobody writes to once they are there. Raises `StoreError`."""

    async def find(self, digest: str) -> str | None:
        """The folder of the files that have this digest together, kept for a day from now; None where it is not."""
        ...

    async def make(self, digest: str, files: Mapping[str, SkillFile]) -> str:
        """The folder with these files, by their paths in it, which are sound; all of them are there, or none."""
        ...

"""Skills of the server's owner: they come with the server, for all workspaces, and go by their names."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from antiphon.ports.skills import SkillFile, SkillVersion, StoredSkill
from antiphon.request.skills.archives import zipped
from antiphon.request.skills.bundle import Bundle

OWN = "anthropic"
"""The type of these skills: what the API calls those that come with it."""

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class OwnSkill:
    """One of them."""

    skill: StoredSkill
    version: SkillVersion
    files: Mapping[str, SkillFile]


def own_skill(bundle: Bundle, at: int) -> OwnSkill:
    """A skill of these files. `at`: when it was last changed, in microseconds.

    Its version is what its head says, or else a word that changes with its files.
    """
    name = bundle.front.name
    archive = zipped(name, bundle.files)
    digest = hashlib.sha256(archive).hexdigest()
    version = bundle.front.version or digest[:_DIGITS]
    latest = SkillVersion(version, name, name, bundle.front.description, at, "", digest, len(archive))
    return OwnSkill(StoredSkill(name, "", name, name, at, at, latest, own=True), latest, bundle.files)


OwnSkills = Mapping[str, OwnSkill]
"""By their names."""


def by_name(skills: Iterable[OwnSkill]) -> OwnSkills:
    """These skills, ordered by their names."""
    return {one.skill.id: one for one in sorted(skills, key=lambda one: one.skill.id)}

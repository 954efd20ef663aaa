"""Skills as the API tells of them, in both of its shapes. No behaviour. Source: API reference, Skills; its beta."""

from typing import Literal

import msgspec

from antiphon.wire.reply import ReplyModel

Source = Literal["custom", "anthropic"]


class SkillSource(ReplyModel, frozen=True, kw_only=True):
    """Where a skill comes from."""

    type: Source


class Skill(ReplyModel, frozen=True, kw_only=True):
    """A skill."""

    id: str
    type: Literal["skill"] = "skill"
    display_name: str
    latest_version_id: str | None
    source: SkillSource
    created_at: str
    updated_at: str


class BetaSkill(ReplyModel, frozen=True, kw_only=True):
    """A skill, as clients of the beta know it."""

    id: str
    type: Literal["skill"] = "skill"
    display_title: str
    latest_version: str | None
    source: Source
    created_at: str
    updated_at: str


class SkillVersion(ReplyModel, frozen=True, kw_only=True):
    """A version of a skill."""

    id: str
    type: Literal["skill_version"] = "skill_version"
    skill_id: str
    name: str
    description: str
    created_at: str


class BetaSkillVersion(SkillVersion, frozen=True, kw_only=True):
    """A version, as clients of the beta know it. `version`: what names it in paths."""

    version: str
    directory: str


class SkillPage(ReplyModel, frozen=True, kw_only=True):
    """A page of a list, newest first. `next_page`: what asks for the next one; null behind the last."""

    data: list[Skill | BetaSkill | SkillVersion] = msgspec.field(
        default_factory=list[Skill | BetaSkill | SkillVersion]
    )
    next_page: str | None = None


class BetaSkillPage(SkillPage, frozen=True, kw_only=True):
    """A page as clients of the beta walk it."""

    has_more: bool


class Deleted(ReplyModel, frozen=True, kw_only=True):
    """What is no longer there."""

    id: str
    type: Literal["skill_deleted", "skill_version_deleted"]

"""Skills in the API's two shapes."""

from antiphon.ports.files import Place
from antiphon.ports.skills import SkillVersion, StoredSkill
from antiphon.request.pages import cursor
from antiphon.request.skills.listing import VERSION, beta_version
from antiphon.service.skills.library import Shelf
from antiphon.service.skills.own import OWN
from antiphon.wire import skills as wire
from antiphon.wire.moments import moment


def named(version: SkillVersion, *, beta: bool) -> str:
    """What stands for a version in paths and requests: to clients of the beta, its time."""
    return str(version.created_at) if beta and version.id.startswith(VERSION) else version.id


def skill(told: StoredSkill, *, beta: bool) -> wire.Skill | wire.BetaSkill:
    """What a client is told of a skill."""
    source: wire.Source = OWN if told.own else "custom"
    latest = None if told.latest is None else named(told.latest, beta=beta)
    created, updated = moment(told.created_at), moment(told.updated_at)
    if beta:
        return wire.BetaSkill(
            id=told.id,
            display_title=told.display_name,
            latest_version=latest,
            source=source,
            created_at=created,
            updated_at=updated,
        )
    return wire.Skill(
        id=told.id,
        display_name=told.display_name,
        latest_version_id=latest,
        source=wire.SkillSource(type=source),
        created_at=created,
        updated_at=updated,
    )


def version(told: SkillVersion, *, beta: bool) -> wire.SkillVersion:
    """What a client is told of a version."""
    created = moment(told.created_at)
    if not beta:
        return wire.SkillVersion(
            id=told.id, skill_id=told.skill_id, name=told.name, description=told.description, created_at=created
        )
    return wire.BetaSkillVersion(
        id=beta_version(told.id),
        skill_id=told.skill_id,
        name=told.name,
        description=told.description,
        created_at=created,
        version=named(told, beta=True),
        directory=told.name,
    )


def skills(shelf: Shelf[StoredSkill], *, beta: bool) -> wire.SkillPage:
    """A page of the list of skills."""
    return _page([skill(one, beta=beta) for one in shelf.found], shelf.end, beta=beta)


def versions(shelf: Shelf[SkillVersion], *, beta: bool) -> wire.SkillPage:
    """A page of the list of a skill's versions."""
    return _page([version(one, beta=beta) for one in shelf.found], shelf.end, beta=beta)


def _page(
    data: "list[wire.Skill | wire.BetaSkill] | list[wire.SkillVersion]", end: Place | None, *, beta: bool
) -> wire.SkillPage:
    following = None if end is None else cursor(end)
    if beta:
        return wire.BetaSkillPage(data=[*data], next_page=following, has_more=end is not None)
    return wire.SkillPage(data=[*data], next_page=following)

"""What a model is told of skills."""

from antiphon.ports.skills import SkillVersion
from antiphon.request.told.skills import skills_told


def skill(name: str, description: str) -> SkillVersion:
    return SkillVersion("skver_1", "skill_1", name, description, 0, "", "", 0)


def test_skills_are_told_in_the_order_of_their_names_each_in_one_line() -> None:
    one, two = skill("bee", "Makes\n\n honey."), skill("ape", "Climbs.")
    assert skills_told([one, two]) == skills_told([two, one])
    assert skills_told([one, two]).splitlines()[1:] == [
        "- ape (/skills/ape/SKILL.md): Climbs.",
        "- bee (/skills/bee/SKILL.md): Makes honey.",
    ]

"""What a model is told of the skills in its container. Source: Agent Skills page, how skills work."""

from collections.abc import Sequence

from antiphon.ports.skills import SkillVersion

_HEAD = (
    "Skills: folders with instructions and files for certain kinds of tasks, on the machine of bash_code_execution, "
    "read-only. When a task is what a skill is for, read its SKILL.md first, and then follow it; paths in it begin "
    "in the skill's folder."
)


def skills_told(skills: Sequence[SkillVersion]) -> str:
    """The part of the system prompt that names them: the same for the same skills, in whatever order they come."""
    ordered = sorted(skills, key=lambda skill: skill.name)
    lines = (f"- {one.name} (/skills/{one.name}/SKILL.md): {' '.join(one.description.split())}" for one in ordered)
    return "\n".join((_HEAD, *lines))

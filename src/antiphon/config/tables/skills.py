"""`[skills]`: the owner's own skills, and what those of clients may take."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from antiphon.config.kinds import Folders, Whole
from antiphon.config.option import Table, key_of


@dataclass(frozen=True, slots=True)
class SkillSettings:
    """`folders`: where the owner's own skills lie. `quota`: bytes that those of all workspaces may have together."""

    folders: tuple[str, ...] = ()
    quota: int = 100_000_000_000


_key = partial(key_of, "skills", SkillSettings())

SKILLS: Final = Table(
    "skills",
    "Skills that come with the server, and what uploaded ones may take. See docs/skills.md.",
    SkillSettings,
    (
        _key(
            "folders",
            Folders(),
            "Folders of skills that every workspace may use by their names. Each is a skill, with a SKILL.md in it, "
            "or has skills as its folders. They are read at the start.",
        ),
        _key(
            "quota",
            Whole(0, None, "BYTES"),
            "Bytes that all uploaded skills may have together, those of all keys. An upload beyond it is refused.",
        ),
    ),
)

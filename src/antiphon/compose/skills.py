"""Skills over the stores of this server, its owner's folders, and folders of this machine for code to see."""

import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from antiphon.compose.observer import StartError
from antiphon.compose.sandboxes import folder_in
from antiphon.compose.stores import SWEEP_EVERY, Stores
from antiphon.config import Settings
from antiphon.errors import ApiError
from antiphon.ports.skills import SkillFile
from antiphon.ports.system import Clock, Entropy
from antiphon.request.skills.bundle import MANIFEST, bundle_of
from antiphon.request.skills.wording import MOST_BYTES, too_large
from antiphon.service.skills.chosen import SkillChoice
from antiphon.service.skills.library import SkillLibrary
from antiphon.service.skills.own import OwnSkill, OwnSkills, by_name, own_skill
from antiphon.stores.skill_folders import LocalSkillFolders

_FOLDER: Final = "skills"
_LEFT_OUT: Final = ("__pycache__", "node_modules")


def own_skills(settings: Settings) -> OwnSkills:
    """The skills in the owner's folders. Raises `StartError` for a folder that is none, and has none."""
    found: dict[str, tuple[Path, OwnSkill]] = {}
    for said in settings.skills.folders:
        folder = Path(said).expanduser().absolute()
        for path in _skills_in(folder):
            own = _read(path)
            other = found.setdefault(own.skill.id, (path, own))[0]
            if other != path:
                raise StartError(f"skills: {other} and {path} are both named '{own.skill.id}'")
    return by_name(own for _, own in found.values())


def library_in(
    stores: Stores | None, settings: Settings, own: OwnSkills, clock: Clock, entropy: Entropy
) -> SkillLibrary | None:
    """The skills in these stores, and the owner's, beside which leftovers are swept away; None without stores."""
    if stores is None:
        return None
    from antiphon.stores.sql.skills import SqlSkills  # see `compose.stores`

    rows = SqlSkills(stores.database)
    library = SkillLibrary(rows, stores.objects, own, clock, entropy, quota=settings.skills.quota)
    stores.sweeper.add("skills", SWEEP_EVERY, library.sweep)
    return library


def choice_of(
    settings: Settings, own: OwnSkills, library: SkillLibrary | None, running: AsyncExitStack
) -> SkillChoice:
    """What requests choose from where code runs; the folders of a server that keeps nothing go with `running`."""
    folder = folder_in(settings, _FOLDER)
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="antiphon-"))
        running.callback(shutil.rmtree, folder, ignore_errors=True)
    return SkillChoice(own, LocalSkillFolders(folder), library)


def _skills_in(folder: Path) -> list[Path]:
    if (folder / MANIFEST).is_file():
        return [folder]
    try:
        found = sorted(path for path in folder.iterdir() if (path / MANIFEST).is_file())
    except OSError as problem:
        raise StartError(f"skills: {folder} cannot be read: {problem.strerror}") from problem
    if not found:
        raise StartError(f"skills: there is no {MANIFEST} in {folder}, and in none of its folders")
    return found


def _read(path: Path) -> OwnSkill:
    try:
        files = dict(_files(path))
        bundle = bundle_of(files.items(), reserved=False)
        return own_skill(bundle, round((path / MANIFEST).stat().st_mtime * 1_000_000))
    except OSError as problem:
        raise StartError(f"skills: {path} cannot be read: {problem}") from problem
    except ApiError as problem:
        raise StartError(f"skills: {path}: {problem.message}") from problem


def _files(root: Path) -> Iterator[tuple[str, SkillFile]]:
    """All files but hidden ones. A link is taken for what it leads to, within the folder."""
    left = MOST_BYTES
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if any(part.startswith(".") or part in _LEFT_OUT for part in parts) or not path.is_file():
            continue
        if not path.resolve().is_relative_to(root.resolve()):
            raise StartError(f"skills: {path} is a link that leads out of its skill")
        about = path.stat()
        left -= about.st_size
        if left < 0:
            raise too_large()
        yield "/".join(parts), SkillFile(path.read_bytes(), executable=bool(about.st_mode & stat.S_IXUSR))

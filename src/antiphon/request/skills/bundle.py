"""The files of a skill as one value: their paths are sound, and a SKILL.md stands where it has to."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from antiphon.ports.skills import SkillFile
from antiphon.request.skills.front import Front, front_of
from antiphon.request.skills.wording import (
    MOST_BYTES,
    MOST_FILES,
    bad_path,
    not_at_the_top,
    not_exactly_one,
    other_folder,
    too_large,
    too_many,
)

MANIFEST: Final = "SKILL.md"

LONGEST_PATH: Final = 512
"""Bytes of a path, and of a part of it that a disk takes."""

LONGEST_PART: Final = 255

_JUNK: Final = frozenset({"__MACOSX", ".DS_Store"})
"""What a desktop puts into every archive, and nobody means."""

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A skill's files by their paths within its folder. `front`: what its SKILL.md says."""

    front: Front
    files: Mapping[str, SkillFile]


def bundle_of(sent: Iterable[tuple[str, SkillFile]], *, zipped: bool = False, reserved: bool = True) -> Bundle:
    """The skill that these files are, with the paths that they were sent under; raises `InvalidRequest`."""
    files: dict[str, SkillFile] = {}
    taken: dict[str, str] = {}
    size = 0
    for path, file in sent:
        parts = sound(path)
        if not _JUNK.isdisjoint(parts):
            continue
        _take(parts, path, taken)
        files["/".join(parts)] = file
        size += len(file.data)
        if len(files) > MOST_FILES:
            raise too_many()
        if size > MOST_BYTES:
            raise too_large()
    folder = _folder(files, zipped)
    inner = {path.removeprefix(folder): file for path, file in files.items()}
    front = front_of(inner[MANIFEST].data, reserved=reserved)
    if folder and folder[:-1] != front.name:
        raise other_folder(folder[:-1], front.name)
    return Bundle(front, inner)


def sound(path: str) -> list[str]:
    """The parts of a path that leads nowhere but down; raises `InvalidRequest`."""
    path = unicodedata.normalize("NFC", path)
    if not path:
        raise bad_path(path, "every file needs a name with its path")
    if _CONTROLS.search(path):
        raise bad_path(path, "control characters are not allowed")
    if "\\" in path:
        raise bad_path(path, "folders are separated by forward slashes")
    if path.startswith("/") or path[1:2] == ":":
        raise bad_path(path, "it must be relative to the skill's folder")
    parts = path.removeprefix("./").split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise bad_path(path, "it must not contain empty parts, '.' or '..'")
    if len(path.encode()) > LONGEST_PATH or any(len(part.encode()) > LONGEST_PART for part in parts):
        raise bad_path(path, "it is too long")
    return parts


def _take(parts: list[str], path: str, taken: dict[str, str]) -> None:
    """Note that a file is there and its folders are; two that a disk may take for one cannot both be."""
    for depth in range(1, len(parts) + 1):
        kind = "file" if depth == len(parts) else "folder"
        key = "/".join(parts[:depth]).casefold()
        if key in taken and (kind == "file" or taken[key] == "file"):
            raise bad_path(path, "another file has the same path")
        taken[key] = kind


def _folder(files: Mapping[str, SkillFile], zipped: bool) -> str:
    """The folder that all files lie in, with its slash; empty where they lie in none."""
    if MANIFEST in files:
        return ""
    tops = {path.partition("/")[0] for path in files}
    if len(tops) == 1 and f"{(top := tops.pop())}/{MANIFEST}" in files:
        return f"{top}/"
    count = sum(path.rpartition("/")[2] == MANIFEST for path in files)
    raise not_exactly_one() if zipped and count != 1 else not_at_the_top()

"""Projectors: the files that turn pictures into tokens of a model, one made for each model.

llama.cpp's converter calls them mmproj. One is used when a model's settings name it, or when it lies beside a local
model, where nothing can be meant but the two.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from antiphon.weights.errors import WeightsError
from antiphon.weights.gguf import GgufHeader, read_header
from antiphon.weights.hub import HUB_PREFIX, Hub, HubReference, carries, is_model
from antiphon.weights.progress import Progress

NO_PROJECTOR: Final = "none"
PROJECTOR_FILES: Final = "mmproj*.gguf"
_PREFERENCE: Final = ("F16", "BF16", "Q8_0", "F32")


@dataclass(frozen=True, slots=True)
class Projector:
    """A projector's file, and its kind as llama.cpp calls it."""

    path: Path
    kind: str


def find_projector(
    wanted: str | None, source: str, model: Path, header: GgufHeader, progress: Progress, hub: Hub | None
) -> Projector | None:
    """The projector for a model.

    `wanted`: a path, `hf:org/repo:file`, the name of a file in the repository that `source` names, `none`, or None
    for what lies beside a local model. Raises `WeightsError` for one that is named and cannot be had, or is none.
    """
    if wanted == NO_PROJECTOR:
        return None
    if wanted is None:
        return None if source.startswith(HUB_PREFIX) else _beside(model, header)
    path = _named(wanted, source, progress, hub)
    found = read_header(path)
    if not found.projector:
        raise WeightsError(f"{path}: not a projector for pictures. Name the mmproj file of {model.name}")
    if not _fits(found, header):
        raise WeightsError(
            f"{path}: made for another model: its pictures become tokens of {found.projects_to} numbers, and "
            f"{model.name} has {header.embedding_length}. Get the mmproj file of the same model"
        )
    return Projector(path, found.projector)


def _named(wanted: str, source: str, progress: Progress, hub: Hub | None) -> Path:
    path = Path(wanted).expanduser()
    if wanted.startswith(HUB_PREFIX):
        reference = HubReference.parse(wanted.removeprefix(HUB_PREFIX))
    elif source.startswith(HUB_PREFIX) and not path.is_file():
        repo = HubReference.parse(source.removeprefix(HUB_PREFIX)).repo
        reference = HubReference.parse(f"{repo}:{PurePosixPath(wanted).as_posix()}")
    elif path.is_file():
        return path.absolute()
    else:
        raise WeightsError(
            f"{wanted}: there is no such projector file. Give the path of an mmproj .gguf file, or hf:org/repo:file"
        )
    if reference.file is None:
        raise WeightsError(f"{wanted}: name the projector's file too: hf:org/repo:mmproj-….gguf")
    return (hub or Hub()).fetch(reference, progress)


def _beside(model: Path, header: GgufHeader) -> Projector | None:
    """The projector in a directory that holds this model alone: among others nobody knows whose it is."""
    others = {path.name for path in model.parent.glob("*.gguf") if is_model(path.name)} - {model.name}
    if others:
        return None
    fitting: list[Projector] = []
    for path in sorted(model.parent.glob(PROJECTOR_FILES), key=_place):
        try:
            found = read_header(path)
        except WeightsError:
            continue
        if found.projector and _fits(found, header):
            fitting.append(Projector(path, found.projector))
    return fitting[0] if fitting else None


def _place(path: Path) -> tuple[int, str]:
    places = [place for place, label in enumerate(_PREFERENCE) if carries(path.name, label)]
    return (places[0] if places else len(_PREFERENCE), path.name)


def _fits(projector: GgufHeader, model: GgufHeader) -> bool:
    widths = projector.projects_to, model.embedding_length
    return 0 in widths or widths[0] == widths[1]

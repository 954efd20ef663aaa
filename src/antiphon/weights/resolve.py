"""From a model's `source` setting to a file on this machine."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from antiphon.weights.adapter import Adapter, find_adapter
from antiphon.weights.builtin import BUILTIN, DEFAULT, BuiltinModel, builtin_path
from antiphon.weights.errors import WeightsError
from antiphon.weights.gguf import GgufHeader, read_header
from antiphon.weights.hub import HUB_PREFIX, Hub, HubReference, parts
from antiphon.weights.names import better_name
from antiphon.weights.progress import Progress, silent
from antiphon.weights.projector import Projector, find_projector

BUILTIN_SOURCE: Final = "builtin"
SCRIPT_PREFIX: Final = "script:"
_SPLIT_SUFFIX: Final = re.compile(r"-\d{5}-of-\d{5}$")


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model that is here: its file (the first one of a split model), where it came from, and what it says.

    `projector`: what lets it see pictures, None where it sees none. `adapter`: what changes it, None for the model as
    it is; `name` and `origin` say so too. `title`: a name for people, where there is a better one than
    the file's own. `builtin`: it came with an installed package.
    """

    id: str
    path: Path
    origin: str
    header: GgufHeader
    projector: Projector | None = None
    adapter: Adapter | None = None
    title: str = ""
    builtin: bool = False

    @property
    def shown(self) -> str:
        """What people are shown as its name, with an adapter and without."""
        return self.title or self.header.name or self.id

    @property
    def name(self) -> str:
        """What tells it from others: another name where an adapter changes it; empty where the file has none."""
        if self.adapter is None:
            return self.header.name
        return f"{self.header.name or self.id} with {self.adapter.name}"


def resolve(
    source: str,
    progress: Progress = silent,
    *,
    projector: str | None = None,
    adapter: str | None = None,
    hub: Hub | None = None,
) -> ResolvedModel:
    """The model behind `builtin`, a built-in model's name, a path, or `hf:org/repo[:file]`.

    `projector`: what `find_projector` takes; `adapter`: what `find_adapter` takes. Blocks while it downloads. Raises
    `WeightsError`.
    """
    name = suggest_id(source)
    builtin = _builtin(source)
    if builtin is not None:
        path, origin, place = builtin_path(builtin), builtin.origin, builtin.file
    elif source.startswith(HUB_PREFIX):
        reference = HubReference.parse(source.removeprefix(HUB_PREFIX))
        path, place = (hub or Hub()).fetch(reference, progress), reference.repo
        origin = f"{source} ({path.name})"
    else:
        path = _local(source)
        origin, place = str(path), path.name
    header = read_header(path)
    _check_parts(path, header)
    if header.projector:
        raise WeightsError(f"{path}: a projector, not a model. Name the model, and this file as its `projector`")
    if header.adapter:
        raise WeightsError(f"{path}: an adapter, not a model. Name the model, and this file as its `adapter`")
    seeing = find_projector(projector, source, path, header, progress, hub)
    change = find_adapter(adapter, builtin, path, header)
    if change is not None:
        origin = f"{origin}, with the adapter {change.name} (rank {change.rank})"
    title = builtin.title if builtin is not None else better_name(header.name, place)
    return ResolvedModel(name, path, origin, header, seeing, change, title, builtin is not None)


def suggest_id(source: str) -> str:
    """A model id for a source: lower case, without directories, suffixes and part numbers."""
    builtin = _builtin(source)
    if builtin is not None:
        return builtin.id
    text = source.removeprefix(SCRIPT_PREFIX)
    if source.startswith(HUB_PREFIX):
        repo, _, file = source.removeprefix(HUB_PREFIX).partition(":")
        text = file or re.sub(r"-gguf$", "", repo, flags=re.IGNORECASE)
    name = re.split(r"[\\/]", text)[-1]
    stem = re.sub(r"\.(gguf|toml)$", "", name, flags=re.IGNORECASE)
    stem = _SPLIT_SUFFIX.sub("", stem).lower()
    return re.sub(r"[^a-z0-9._-]+", "-", stem).strip("-.") or "model"


def _builtin(source: str) -> BuiltinModel | None:
    return DEFAULT if source == BUILTIN_SOURCE else BUILTIN.get(source)


def _local(source: str) -> Path:
    path = Path(source).expanduser()
    if path.is_file():
        return path.absolute()
    if path.is_dir():
        models = sorted(found.name for found in path.glob("*.gguf"))
        hint = f"Name one of its files: {', '.join(models)}" if models else "It holds no .gguf file."
        raise WeightsError(f"{source}: a directory, where a .gguf file is wanted. {hint}")
    if PurePosixPath(source).name == source and not source.lower().endswith(".gguf"):
        raise WeightsError(
            f"{source}: no built-in model has this name, and no file here. Built in: {', '.join(BUILTIN)}. "
            "Otherwise give the path of a .gguf file, or hf:org/repo[:file]."
        )
    raise WeightsError(f"{source}: there is no such file. Give the path of a .gguf file, or hf:org/repo[:file].")


def _check_parts(path: Path, header: GgufHeader) -> None:
    """A split model is loaded from its first file, and wants all the others beside it."""
    names = parts(path.name)
    if header.split_count > 1 and len(names) != header.split_count:
        raise WeightsError(
            f"{path}: the file is one of {header.split_count} parts and was renamed. "
            f"Give it back its name, …-00001-of-{header.split_count:05}.gguf"
        )
    if names[0] != path.name:
        raise WeightsError(f"{path}: a later part of a split model. Name the first one: {names[0]}")
    missing = [name for name in names if not (path.parent / name).is_file()]
    if missing:
        raise WeightsError(f"{path}: parts of the split model are missing: {', '.join(missing)}")

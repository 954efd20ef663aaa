"""The files of a tokenizer, for models in other people's engines: from a path, or from a Hugging Face hub."""

from pathlib import Path
from typing import Final

from antiphon.weights.errors import WeightsError
from antiphon.weights.hub import HUB_PREFIX, Hub, HubReference
from antiphon.weights.progress import Progress, silent

MAIN: Final = "tokenizer.json"
BESIDE: Final = ("tokenizer_config.json", "generation_config.json", "config.json", "chat_template.jinja")
"""What is read beside it, where it is there."""

_OTHERS: Final = {
    "tekken.json": "Mistral's tekken",
    "tokenizer.model": "SentencePiece's",
    "tiktoken.model": "tiktoken's",
    "vocab.json": "the slow one of transformers",
}


def find_tokenizer(source: str, progress: Progress = silent, *, hub: Hub | None = None) -> Path:
    """The directory of the files that `source` names: a directory, a tokenizer.json, or `hf:org/repo`.

    Blocks while it downloads. Raises `WeightsError`.
    """
    if source.startswith(HUB_PREFIX):
        return _from_hub(source, progress, hub or Hub())
    path = Path(source).expanduser()
    directory = path.parent if path.name == MAIN else path
    if not directory.is_dir():
        raise WeightsError(
            f"{source}: there is no such directory. Give one with a {MAIN}, that file, or hf:org/repo as `tokenizer`."
        )
    names = [file.name for file in directory.iterdir()]
    if MAIN not in names:
        raise WeightsError(_without(source, names))
    return directory.absolute()


def _from_hub(source: str, progress: Progress, hub: Hub) -> Path:
    reference = HubReference.parse(source.removeprefix(HUB_PREFIX))
    if reference.file is not None:
        raise WeightsError(f"{source}: name a repository with a {MAIN}, not a file in it")
    names, paths = hub.fetch_some(reference.repo, (MAIN, *BESIDE), progress)
    if MAIN not in paths:
        raise WeightsError(_without(source, names))
    return paths[MAIN].parent


def _without(source: str, names: list[str]) -> str:
    other = next((kind for name, kind in _OTHERS.items() if name in names), None)
    why = f"it has {other} instead, which cannot be read here" if other else "it is not the place of a tokenizer"
    return (
        f"{source}: there is no {MAIN}: {why}. Name another repository or directory of the same model that has one: "
        "most models are published with it by somebody."
    )

"""A model of the settings, looked at without loading it."""

from dataclasses import dataclass, replace
from pathlib import Path

from antiphon.config import ModelSettings
from antiphon.weights.anew import is_wanted
from antiphon.weights.errors import WeightsError
from antiphon.weights.gguf import GgufHeader
from antiphon.weights.hub import HUB_PREFIX
from antiphon.weights.resolve import SCRIPT_PREFIX, resolve


@dataclass(frozen=True, slots=True)
class AdapterDescription:
    """What changes a model: the file, its size and its rank. `for_tools`: only where there are tools or thoughts."""

    path: str
    size_bytes: int
    rank: int
    for_tools: bool = False


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A model of the settings, looked at without loading it. `problem`: why it cannot be served, None if it can.
    `copies`: how many are loaded, two where its adapter is merged into a model of its own. `remote`: it is in engines
    of somebody else, at the URLs of its `source`. `fleeting`: why what it has read cannot be kept, empty where
    nothing is known against it. `second_choice_for`: names that it answers for where other models are down."""

    id: str
    source: str
    path: str | None
    size_bytes: int | None
    window: int | None
    kv_bytes_per_token: int | None
    problem: str | None
    names: tuple[str, ...]
    adapter: AdapterDescription | None = None
    copies: int = 1
    remote: bool = False
    fleeting: str = ""
    second_choice_for: tuple[str, ...] = ()


def describe(model: ModelSettings, names: tuple[str, ...], default_context: int) -> ModelDescription:
    """What the files say. `names`: those that the model answers for; `default_context`: tokens of its window where
    neither its settings nor its file want fewer. Downloads nothing."""

    def described(
        path: str | None = None,
        size: int | None = None,
        window: int | None = None,
        kv: int | None = None,
        problem: str | None = None,
    ) -> ModelDescription:
        return ModelDescription(model.id, model.source, path, size, window, kv, problem, names)

    if model.remote is not None:
        return replace(described(window=model.context or None), remote=True)
    if model.source.startswith(SCRIPT_PREFIX):
        path = Path(model.source.removeprefix(SCRIPT_PREFIX)).expanduser()
        problem = None if path.is_file() else f"{path}: there is no such script"
        return described(str(path), path.stat().st_size if problem is None else None, problem=problem)
    if model.source.startswith(HUB_PREFIX):
        return described()
    try:
        found = resolve(model.source, projector=model.projector, adapter=model.adapter)
    except WeightsError as failure:
        return described(problem=str(failure))
    trained = found.header.context_length or default_context
    window = model.context or min(trained, default_context)
    looked_at = described(str(found.path), found.header.size, window, found.header.kv_bytes_per_token)
    looked_at = replace(looked_at, fleeting=_fleeting(found.header))
    change = found.adapter
    if change is None:
        return looked_at
    return replace(
        looked_at,
        adapter=AdapterDescription(str(change.path), change.size, change.rank, change.for_tools),
        copies=2 if change.for_tools and is_wanted(model.merge_adapter, found) else 1,
    )


def _fleeting(header: GgufHeader) -> str:
    if header.sliding_window:
        return f"its attention has a sliding window, of {header.sliding_window} tokens"
    return "it keeps a summary of what it read instead of the tokens" if header.recurrent else ""

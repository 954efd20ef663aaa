"""Adapters: small files (LoRA) that change what a model has learned, made for one model each.

One is used when a model's settings name it; the built-in model is served with the one that ships for it. What does
not fit is told here, with the file's name: llama.cpp says it in its log and blames the model.

Source: llama.cpp's LoRA files (src/llama-adapter.cpp): a pair `NAME.lora_a`, `NAME.lora_b` for each tensor NAME that
is adapted, of shapes [inputs, rank] and [rank, outputs].
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.weights.builtin import BuiltinModel, builtin_adapter
from antiphon.weights.errors import WeightsError
from antiphon.weights.gguf import GgufHeader, read_header, read_shapes
from antiphon.weights.hub import parts

NO_ADAPTER: Final = "none"
SCOPE: Final = "tools"
"""What an adapter says in `antiphon.adapter.scope` that is for conversations with tools or thoughts only."""
_DOWN: Final = ".lora_a"
_UP: Final = ".lora_b"
_EMBEDDING: Final = "token_embd.weight"

_Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter's file, its bytes, and its rank (the largest, where tensors differ). `for_tools`: it was made for
    conversations with tools or thoughts, and has no part in others."""

    path: Path
    size: int
    rank: int
    for_tools: bool = False

    @property
    def name(self) -> str:
        """What people call it."""
        return self.path.stem


def find_adapter(wanted: str | None, builtin: BuiltinModel | None, model: Path, header: GgufHeader) -> Adapter | None:
    """The adapter for a model.

    `wanted`: a path, `none`, or None for the one that ships for a built-in model. Raises `WeightsError` for one that
    cannot be had, is none, or is another model's.
    """
    if wanted == NO_ADAPTER:
        return None
    if wanted is None:
        path = None if builtin is None else builtin_adapter(builtin)
        return None if path is None else _read(path, model, header)
    path = Path(wanted).expanduser()
    if not path.is_file():
        raise WeightsError(f"{wanted}: there is no such adapter file. Give the path of a LoRA .gguf file, or none")
    return _read(path.absolute(), model, header)


def _read(path: Path, model: Path, header: GgufHeader) -> Adapter:
    said = read_header(path)
    if said.adapter != "lora":
        kind = f"an adapter of the kind {said.adapter}" if said.adapter else "a model or a projector"
        raise WeightsError(
            f"{path}: not a LoRA adapter, but {kind}. Convert the adapter with convert_lora_to_gguf.py"
        )
    if said.architecture != header.architecture:
        raise WeightsError(
            f"{path}: made for another model, of the architecture {said.architecture}; {model.name} is "
            f"{header.architecture}"
        )
    shapes = read_shapes(path)
    try:
        rank = _rank(shapes, _model_shapes(model))
    except ValueError as problem:
        raise WeightsError(f"{path}: the adapter does not fit {model.name}: {problem}") from problem
    return Adapter(path, said.size, rank, said.adapter_scope == SCOPE)


def _model_shapes(model: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of a model's tensors, in all its parts."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name in parts(model.name):
        shapes |= read_shapes(model.with_name(name))
    return shapes


def _rank(adapter: _Shapes, model: _Shapes) -> int:
    """The rank of an adapter that fits; ValueError with the first tensor that does not."""
    ranks: list[int] = []
    for name in _adapted(adapter):
        down, up = adapter.get(name + _DOWN), adapter.get(name + _UP)
        if down is None or up is None:
            raise ValueError(f"{name} has {_UP if down is None else _DOWN} and no {_DOWN if down is None else _UP}")
        if name not in model:
            raise ValueError(f"it adapts {name}, which the model does not have")
        wanted = model[name]
        if name == _EMBEDDING:  # a row of it is looked up for each token, and so is one of this `lora_a`
            down, wanted = down[::-1], wanted[::-1]
        if len(down) != 2 or len(up) != 2 or down[1] != up[0] or (down[0], up[1]) != wanted:
            raise ValueError(f"{name} is {_shown(wanted)}, and its adapter {_shown(down)} by {_shown(up)}")
        ranks.append(up[0])
    if not ranks:
        raise ValueError("it adapts nothing")
    return max(ranks)


def _adapted(names: Iterable[str]) -> list[str]:
    """The tensors that are adapted."""
    found: dict[str, None] = {}
    for name in names:
        stem, dot, suffix = name.rpartition(".")
        if dot + suffix not in (_DOWN, _UP):
            raise ValueError(f"it holds {name}, which is no part of a LoRA adapter")
        found[stem] = None
    return list(found)


def _shown(shape: Iterable[int]) -> str:
    return " × ".join(map(str, shape))

"""The built-in model with the first two of its thirty layers alone, for tests that do not mind what it says.

Its vocabulary, its template and the engine are the real ones; a prompt is read with a twentieth of the work, and a
reply written with a fifth.
"""

import os
import struct
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from antiphon.compose.engines import model_file as described
from antiphon.engines.llamacpp import ModelFile
from antiphon.weights import resolve
from antiphon.weights.gguf import Tensor, read_layout
from antiphon.weights.rewriting import Plan, write

LAYERS: Final = 2
TOKEN_BYTES: Final = 23_040 // 30 * LAYERS
"""What a token takes of the memory: keys and values of its layers."""
_COUNT: Final = b"llama.block_count" + struct.pack("<I", 4)


@cache
def shallow_path(layers: int = LAYERS) -> Path:
    """Where the file with so many layers lies; written once for all processes and runs of the tests."""
    source = resolve("builtin").path
    place = Path(os.environ["HF_ASSETS_CACHE"], f"shallow-{layers}-{source.stat().st_size}.gguf")
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        made = place.with_suffix(f".{os.getpid()}")
        with made.open("wb") as file:
            write(_plan(source, layers), file, lambda _: None)
        made.replace(place)
    return place


def shallow_file(layers: int = LAYERS) -> ModelFile:
    """The same, as an engine wants it described."""
    return replace(described(resolve("builtin")), path=shallow_path(layers), adapter=None, spares_plain_work=False)


def _plan(source: Path, layers: int) -> Plan:
    layout = read_layout(source)
    before, found, rest = layout.values.partition(_COUNT)
    assert found, "the built-in model no longer says how many layers it has"
    ends = [*(tensor.offset for tensor in layout.tensors[1:]), source.stat().st_size - layout.data]
    kept: list[Tensor] = []
    moved: list[Tensor] = []
    at = 0
    for tensor, end in zip(layout.tensors, ends, strict=True):
        if not tensor.name.startswith("blk.") or int(tensor.name.split(".")[1]) < layers:
            kept.append(tensor)
            moved.append(replace(tensor, offset=at))
            at += (end - tensor.offset) + -(end - tensor.offset) % layout.alignment
    values = before + found + struct.pack("<I", layers) + rest[4:]
    return Plan(source, replace(layout, values=values, tensors=tuple(kept)), tuple(moved), None, 0)

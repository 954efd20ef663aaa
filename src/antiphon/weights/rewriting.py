"""A model's file written anew: an adapter merged into its tensors, and its slow tensors in a form that is read fast.

    merged   W + scale · B·A in 32-bit floats, then stored anew
    fast     Q8_0 for Q4_1 and Q5_1, which llama.cpp multiplies one row at a time

Q4_0 is read faster still, since llama.cpp repacks it, and is not taken: it cannot hold what a Q4_1 says. On the
built-in model the mean divergence of the next token's probabilities (KL) is 0.417 for it, with 64 % of the likeliest
tokens the same and a perplexity of 42 instead of 30; for Q8_0 it is 0.0013. Looking for each block's best scale does
not help.

Everything else of the file stays as it is, byte for byte. Sources: the GGUF specification (ggml, docs/gguf.md);
"LoRA"; llama.cpp's src/llama-adapter.cpp for scale and orientation.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from antiphon.weights.errors import WeightsError
from antiphon.weights.gguf import Layout, Tensor, read_header, read_layout

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

_F32: Final = 0
_F16: Final = 1
_BF16: Final = 30
_Q8_0: Final = 8
_SLOW: Final = frozenset({3, 7})  # Q4_1, Q5_1
_UNPACKED: Final = frozenset({_F32, _F16, _BF16})
_BLOCK: Final = 32
_CHUNK: Final = 4 * 1024 * 1024
"""Numbers that are worked on at a time: what conversion takes of the memory does not grow with the model."""
_EMBEDDING: Final = "token_embd.weight"
_PIECE: Final = 8 * 1024 * 1024

Told = Callable[[int], None]
"""Called with the number of bytes that have been written since the last call."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written: the tensors in their new forms. `size`: bytes of the file."""

    source: Path
    layout: Layout
    tensors: tuple[Tensor, ...]
    adapter: Path | None
    size: int


def plan(source: Path, adapter: Path | None, *, quicken: bool) -> Plan:
    """The file that `source` becomes. `adapter`: a LoRA that fits it and is merged; `quicken`: slow tensors get a
    fast
    form. Raises `WeightsError` for what cannot be merged."""
    layout = read_layout(source)
    if read_header(source).split_count > 1:
        raise WeightsError(f"{source.name} is split into several files, which are not written anew")
    adapted = frozenset[str]() if adapter is None else _adapted(read_layout(adapter))
    if _EMBEDDING in adapted:
        raise WeightsError(
            "the adapter changes the embedding, which may be the output too and would be changed twice"
        )
    tensors: list[Tensor] = []
    at = 0
    for tensor in layout.tensors:
        kind = _kind(tensor, adapted=tensor.name in adapted, quicken=quicken)
        tensors.append(Tensor(tensor.name, tensor.shape, kind, at))
        at += _padded(_size(tensor.shape, kind), layout.alignment)
    return Plan(source, layout, tuple(tensors), adapter, len(_head(layout, tensors)) + at)


def write(plan: Plan, file: BinaryIO, told: Told) -> None:
    """Write the file of a plan; raises `OSError`."""
    told(_put(file, _head(plan.layout, plan.tensors)))
    changes = _changes(plan.adapter)
    with plan.source.open("rb") as source:
        for old, new in zip(plan.layout.tensors, plan.tensors, strict=True):
            source.seek(plan.layout.data + old.offset)
            written = 0
            change = changes.get(old.name)
            pieces = _copied(source, old) if old.kind == new.kind and not change else _anew(source, old, new, change)
            for piece in pieces:
                written += _put(file, piece)
                told(len(piece))
            told(_put(file, bytes(_padded(written, plan.layout.alignment) - written)))


def _kind(tensor: Tensor, *, adapted: bool, quicken: bool) -> int:
    packable = len(tensor.shape) > 1 and tensor.shape[0] % _BLOCK == 0
    if adapted and tensor.kind not in _UNPACKED:
        return _Q8_0 if packable else _F16
    return _Q8_0 if quicken and tensor.kind in _SLOW and packable else tensor.kind


@dataclass(frozen=True, slots=True)
class _Change:
    """What an adapter adds to a tensor: `up` @ `down`."""

    up: "Numbers"
    down: "Numbers"


def _adapted(layout: Layout) -> frozenset[str]:
    return frozenset(tensor.name.rpartition(".")[0] for tensor in layout.tensors)


def _changes(adapter: Path | None) -> Mapping[str, _Change]:
    if adapter is None:
        return {}
    layout, alpha = read_layout(adapter), read_header(adapter).adapter_alpha
    with adapter.open("rb") as file:
        halves = {tensor.name: _read(file, layout, tensor) for tensor in layout.tensors}
    changes: dict[str, _Change] = {}
    for name in _adapted(layout):
        down, up = halves[f"{name}.lora_a"], halves[f"{name}.lora_b"]
        # llama.cpp's strength: alpha over the rank, and 1 where the file has no alpha.
        changes[name] = _Change(up * (alpha / len(down) if alpha else 1.0), down)
    return changes


def _read(file: BinaryIO, layout: Layout, tensor: Tensor) -> "Numbers":
    file.seek(layout.data + tensor.offset)
    return _unpacked(file.read(_size(tensor.shape, tensor.kind)), tensor.shape[0], tensor.kind)


def _anew(source: BinaryIO, old: Tensor, new: Tensor, change: _Change | None) -> Iterator[bytes]:
    """A tensor's new bytes, some rows at a time."""
    import numpy as np

    width, rows = old.shape[0], prod(old.shape[1:])
    step = max(1, _CHUNK // width)
    for first in range(0, rows, step):
        last = min(rows, first + step)
        numbers = _unpacked(source.read(_size((width, last - first), old.kind)), width, old.kind)
        if change is not None:
            numbers = np.asarray(numbers + change.up[first:last] @ change.down, np.float32)
        yield _packed(numbers, new.kind)


def _copied(source: BinaryIO, tensor: Tensor) -> Iterator[bytes]:
    left = _size(tensor.shape, tensor.kind)
    while left:
        piece = source.read(min(left, _PIECE))
        if not piece:
            raise WeightsError(f"the tensor {tensor.name} is cut short")
        left -= len(piece)
        yield piece


def _unpacked(data: bytes, width: int, kind: int) -> "Numbers":
    """Rows of `width` numbers."""
    import numpy as np

    numbers: Any = _quants().dequantize(np.frombuffer(data, np.uint8), _type(kind))
    return np.asarray(numbers, np.float32).reshape(-1, width)


def _packed(numbers: "Numbers", kind: int) -> bytes:
    packed: Any = _quants().quantize(numbers, _type(kind))
    return bytes(packed.tobytes())


def _size(shape: tuple[int, ...], kind: int) -> int:
    """Bytes of a tensor; raises `WeightsError` for a form that is not known."""
    numbers = prod(shape)
    try:
        block, size = _gguf().GGML_QUANT_SIZES[_type(kind)]
    except (KeyError, ValueError) as problem:
        raise WeightsError(f"tensors of the form {kind} are not known here") from problem
    return numbers // block * size


def _head(layout: Layout, tensors: "tuple[Tensor, ...] | list[Tensor]") -> bytes:
    """All before the tensors' bytes."""
    head = struct.pack("<4sIQQ", b"GGUF", layout.version, len(tensors), layout.count) + layout.values
    for tensor in tensors:
        name = tensor.name.encode()
        head += struct.pack("<Q", len(name)) + name + struct.pack("<I", len(tensor.shape))
        head += struct.pack(f"<{len(tensor.shape)}Q", *tensor.shape) + struct.pack("<IQ", tensor.kind, tensor.offset)
    return head + bytes(_padded(len(head), layout.alignment) - len(head))


def _padded(size: int, alignment: int) -> int:
    return size + -size % alignment


def _put(file: BinaryIO, data: bytes) -> int:
    file.write(data)
    return len(data)


# Imported where they are used: only a first start needs them.
def _gguf() -> Any:
    import gguf

    return gguf


def _quants() -> Any:
    import gguf.quants

    return gguf.quants


def _type(kind: int) -> Any:
    return _gguf().GGMLQuantizationType(kind)

"""LoRA adapters made by the tests: the file format in own code, and random pairs of any size.

Source: the GGUF specification (ggml, docs/gguf.md), version 3; llama.cpp's LoRA files (src/llama-adapter.cpp).
"""

import struct
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.weights.gguf_files import Value, header

Array = NDArray[np.float32]
Pairs = Mapping[str, tuple[Array, Array]]
"""Tensor → its `lora_a` of shape (rank, inputs) and `lora_b` of shape (outputs, rank), as PyTorch has them."""

PROJECTIONS: Final[Mapping[str, tuple[int, int]]] = {
    "attn_q": (576, 576),
    "attn_k": (576, 192),
    "attn_v": (576, 192),
    "attn_output": (576, 576),
    "ffn_gate": (576, 1536),
    "ffn_up": (576, 1536),
    "ffn_down": (1536, 576),
}
"""Inputs and outputs of what an adapter may change in each of the built-in model's 30 layers."""

_ALIGNMENT: Final = 32
_F32: Final = 0


def random_pairs(
    layers: Iterable[int], rank: int = 8, spread: float = 0.05, seed: int = 0
) -> dict[str, tuple[Array, Array]]:
    """Pairs for every projection of the built-in model's layers; the same for the same seed."""
    dice = np.random.default_rng(seed)

    def drawn(*shape: int) -> Array:
        return (dice.standard_normal(shape) * spread).astype(np.float32)

    return {
        f"blk.{layer}.{name}.weight": (drawn(rank, inputs), drawn(outputs, rank))
        for layer in layers
        for name, (inputs, outputs) in PROJECTIONS.items()
    }


def adapter_file(
    pairs: Pairs,
    alpha: float,
    *,
    architecture: str = "llama",
    kind: str = "lora",
    of: str = "adapter",
    scope: str = "",
) -> bytes:
    """The file with these pairs. An update is `alpha / rank` times `lora_b @ lora_a`. `scope`: what it is for, if it
    says so."""
    values: dict[str, Value] = {
        "general.architecture": architecture,
        "general.type": of,
        "adapter.type": kind,
        "adapter.lora.alpha": float(alpha),
    }
    if scope:
        values["antiphon.adapter.scope"] = scope
    parts = {
        f"{name}.lora_{side}": part for name, pair in pairs.items() for side, part in zip("ab", pair, strict=True)
    }
    return tensor_file(values, parts)


def tensor_file(values: Mapping[str, Value], tensors: Mapping[str, Array]) -> bytes:
    """A file with these values and tensors, as 32-bit floats."""
    head, data = header(values, tensors=len(tensors)), b""
    for name, tensor in tensors.items():
        shape = tensor.shape[::-1]  # the fastest dimension first
        text = name.encode()
        head += (
            struct.pack("<Q", len(text))
            + text
            + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, _F32, len(data))
        )
        data += _padded(tensor.astype("<f4").tobytes())
    return _padded(head) + data


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT)

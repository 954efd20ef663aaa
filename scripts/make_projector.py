"""Makes a tiny projector for the default model, so that pictures take the whole way through a server in tests.

    python scripts/make_projector.py FILE.gguf [--embedding 576] [--seed 0]

    antiphon serve --projector FILE.gguf     serve the default model with it

It is a vision encoder of one layer with random weights. What a picture becomes with it is the same at every run, and
means nothing: the model's answers are no answers to the picture. For looking at pictures get a model that was trained
to, with its own mmproj file.

Source: the GGUF specification (ggml, docs/gguf.md), version 3; the keys and tensors that llama.cpp loads for the
projector type "phi4" (tools/mtmd/clip.cpp), which takes pictures of any shape and puts no tokens around them.
"""

import argparse
import random
import struct
from collections.abc import Iterator
from math import prod
from pathlib import Path

PATCH = 16
"""Pixels, each way, of the squares that a picture is cut into; each becomes one token."""

MOST_TOKENS = 64
"""Of a picture; a larger one is scaled down."""

_INTEGER, _FLOAT, _SWITCH, _TEXT, _ARRAY = 4, 6, 7, 8, 9
_ALIGNMENT = 32
_WIDTH, _HIDDEN, _HEADS, _SIDE = 64, 128, 4, 4
_SPREAD = 0.2

Value = bool | int | float | str | list[float]


def projector(embedding: int = 576, seed: int = 0) -> bytes:
    """The file for a model whose tokens are `embedding` numbers wide (576: the default model)."""
    dice = random.Random(seed)
    values, tensors = _values(embedding), dict(_tensors(embedding))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    head += b"".join(_text(key) + _typed(value) for key, value in values.items())
    data: list[bytes] = []
    offset = 0
    for name, shape in tensors.items():
        head += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset)
        data.append(_padded(_numbers(name, prod(shape), dice)))
        offset += len(data[-1])
    return _padded(head) + b"".join(data)


def _values(embedding: int) -> dict[str, Value]:
    return {
        "general.architecture": "clip",
        "general.type": "mmproj",
        "general.name": "random projector, for tests",
        "clip.has_vision_encoder": True,
        "clip.projector_type": "phi4",
        "clip.use_gelu": True,
        "clip.vision.image_size": _SIDE * PATCH,
        "clip.vision.patch_size": PATCH,
        "clip.vision.embedding_length": _WIDTH,
        "clip.vision.feed_forward_length": _HIDDEN,
        "clip.vision.block_count": 1,
        "clip.vision.projection_dim": embedding,
        "clip.vision.attention.head_count": _HEADS,
        "clip.vision.attention.layer_norm_epsilon": 1e-6,
        "clip.vision.image_mean": [0.5, 0.5, 0.5],
        "clip.vision.image_std": [0.5, 0.5, 0.5],
        "clip.vision.image_min_pixels": PATCH * PATCH,
        "clip.vision.image_max_pixels": MOST_TOKENS * PATCH * PATCH,
    }


def _tensors(embedding: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes, the fastest dimension first."""
    yield "v.patch_embd.weight", (PATCH, PATCH, 3, _WIDTH)
    yield "v.patch_embd.bias", (_WIDTH,)
    yield "v.position_embd.weight", (_WIDTH, _SIDE * _SIDE)
    for norm in ("v.blk.0.ln1", "v.blk.0.ln2", "v.post_ln"):
        yield f"{norm}.weight", (_WIDTH,)
        yield f"{norm}.bias", (_WIDTH,)
    for layer, inputs, outputs in (
        *((f"v.blk.0.attn_{part}", _WIDTH, _WIDTH) for part in ("q", "k", "v", "out")),
        ("v.blk.0.ffn_up", _WIDTH, _HIDDEN),
        ("v.blk.0.ffn_down", _HIDDEN, _WIDTH),
        ("mm.0", _WIDTH, _HIDDEN),
        ("mm.2", _HIDDEN, embedding),
    ):
        yield f"{layer}.weight", (inputs, outputs)
        yield f"{layer}.bias", (outputs,)


def _numbers(name: str, count: int, dice: random.Random) -> bytes:
    is_norm = "ln" in name and name.endswith("weight")
    return struct.pack(f"<{count}f", *(1.0 if is_norm else dice.uniform(-_SPREAD, _SPREAD) for _ in range(count)))


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _typed(value: Value) -> bytes:
    match value:
        case bool():
            return struct.pack("<I?", _SWITCH, value)
        case int():
            return struct.pack("<II", _INTEGER, value)
        case float():
            return struct.pack("<If", _FLOAT, value)
        case str():
            return struct.pack("<I", _TEXT) + _text(value)
        case list():
            return struct.pack(f"<IIQ{len(value)}f", _ARRAY, _FLOAT, len(value), *value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT)


def main() -> None:
    """Write the file that the command line asks for."""
    parser = argparse.ArgumentParser(description="Make a tiny projector with random weights, for tests.")
    parser.add_argument("file", type=Path, help="where it goes")
    parser.add_argument("--embedding", type=int, default=576, help="numbers that are a token of the model")
    parser.add_argument("--seed", type=int, default=0, help="another one gives other weights")
    asked = parser.parse_args()
    asked.file.write_bytes(projector(asked.embedding, asked.seed))


if __name__ == "__main__":
    main()

"""A Llama model in a page of numpy: a second opinion on what llama.cpp computes, with and without an adapter.

Weights are dequantised to 32-bit floats; nothing is fast. The layout of a GGUF file is llama.cpp's: its converter
reorders the rows of the query and key projections, so that the two numbers which a rotation turns together lie side by
side. In the layout of `transformers` they lie half a head apart. `Layout` says which of the two is meant.

Sources: "RoFormer" (rotary embeddings), "GQA", "LoRA"; llama.cpp's src/models/llama.cpp and conversion scripts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np

from tests.weights.adapter_files import Array, Pairs

Layout = Literal["side by side", "half a head apart"]


@dataclass(frozen=True)
class Shape:
    """The numbers that the weights do not tell."""

    layers: int
    heads: int
    kv_heads: int
    epsilon: float
    rope_base: float


@dataclass(frozen=True)
class Lora:
    """An adapter: pairs of (rank, inputs) and (outputs, rank)."""

    pairs: Pairs
    alpha: float

    def update(self, name: str, inputs: Array) -> Array | float:
        """What the adapter adds to a projection's outputs."""
        if name not in self.pairs:
            return 0.0
        down, up = self.pairs[name]
        return _array(self.alpha / len(down) * (inputs @ down.T @ up.T))


@dataclass(frozen=True)
class Llama:
    """Weights by their name in a GGUF file, each of shape (outputs, inputs)."""

    weights: Mapping[str, Array]
    shape: Shape
    layout: Layout = "side by side"

    def log_probabilities(self, tokens: Sequence[int], lora: Lora | None = None) -> Array:
        """Of every token of the vocabulary behind each prefix: shape (tokens, vocabulary)."""
        change = lora or Lora({}, 0.0)
        embedding = self.weights["token_embd.weight"]
        flow = embedding[list(tokens)]
        for layer in range(self.shape.layers):
            flow = flow + self._attention(f"blk.{layer}.", self._normal(f"blk.{layer}.attn_norm", flow), change)
            flow = flow + self._feed_forward(f"blk.{layer}.", self._normal(f"blk.{layer}.ffn_norm", flow), change)
        output = self.weights.get("output.weight", embedding)
        return _log_softmax(self._normal("output_norm", flow) @ output.T)

    def _project(self, name: str, flow: Array, lora: Lora) -> Array:
        name += ".weight"
        return flow @ self.weights[name].T + lora.update(name, flow)

    def _normal(self, name: str, flow: Array) -> Array:
        scale = np.sqrt(np.mean(flow * flow, axis=-1, keepdims=True) + np.float32(self.shape.epsilon))
        return flow / scale * self.weights[f"{name}.weight"]

    def _attention(self, block: str, flow: Array, lora: Lora) -> Array:
        count, shape = len(flow), self.shape
        queries = self._project(f"{block}attn_q", flow, lora).reshape(count, shape.heads, -1)
        keys = self._project(f"{block}attn_k", flow, lora).reshape(count, shape.kv_heads, -1)
        values = self._project(f"{block}attn_v", flow, lora).reshape(count, shape.kv_heads, -1)
        together = shape.heads // shape.kv_heads
        queries, keys = self._turned(queries), self._turned(keys)
        keys, values = keys.repeat(together, axis=1), values.repeat(together, axis=1)
        scores = np.einsum("qhd,khd->hqk", queries, keys) / np.float32(np.sqrt(queries.shape[-1]))
        scores = np.where(np.tri(count, dtype=bool), scores, np.float32(-np.inf))
        mixed = np.einsum("hqk,khd->qhd", np.exp(_log_softmax(scores)), values)
        return self._project(f"{block}attn_output", mixed.reshape(count, -1), lora)

    def _feed_forward(self, block: str, flow: Array, lora: Lora) -> Array:
        gate = self._project(f"{block}ffn_gate", flow, lora)
        up = self._project(f"{block}ffn_up", flow, lora)
        return self._project(f"{block}ffn_down", _array(gate / (1 + np.exp(-gate)) * up), lora)

    def _turned(self, heads: Array) -> Array:
        """Rotary positions on an array of shape (tokens, heads, width)."""
        count, _, width = heads.shape
        speeds = np.array([self.shape.rope_base ** (-2 * pair / width) for pair in range(width // 2)])
        angles = np.array([place * speeds for place in range(count)]).reshape(count, 1, -1)
        cosine, sine = _array(np.cos(angles)), _array(np.sin(angles))
        turned = np.empty_like(heads)
        if self.layout == "side by side":
            first, second = slice(0, None, 2), slice(1, None, 2)
        else:
            first, second = slice(0, width // 2), slice(width // 2, None)
        turned[..., first] = heads[..., first] * cosine - heads[..., second] * sine
        turned[..., second] = heads[..., first] * sine + heads[..., second] * cosine
        return turned


def read_llama(path: Path) -> Llama:
    """The model in a GGUF file, dequantised. Takes seconds."""
    reader: Any = gguf.GGUFReader(path)
    weights = {
        str(tensor.name): _array(gguf.dequantize(tensor.data, tensor.tensor_type)) for tensor in reader.tensors
    }

    def value(key: str, otherwise: Any = None) -> Any:
        field = reader.get_field(f"llama.{key}")
        return otherwise if field is None else field.contents()

    heads = int(value("attention.head_count"))
    shape = Shape(
        layers=int(value("block_count")),
        heads=heads,
        kv_heads=int(value("attention.head_count_kv", heads)),
        epsilon=float(value("attention.layer_norm_rms_epsilon")),
        rope_base=float(value("rope.freq_base", 10_000.0)),
    )
    return Llama(weights, shape)


def side_by_side(rows: Array, heads: int) -> Array:
    """The rows of a query or key projection, or of the `lora_b` that adapts one, as llama.cpp has them.

    `rows`: as `transformers` has them, of shape (heads × width, anything); `heads`: of keys, for a key projection.
    """
    return rows.reshape(heads, 2, -1, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def _array(numbers: Any) -> Array:
    return np.asarray(numbers, np.float32)


def _log_softmax(scores: Array) -> Array:
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))

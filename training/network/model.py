"""The built-in model in PyTorch, read from its GGUF file, with low-rank adapters on chosen projections.

The tensors stay in the file's own layout: llama.cpp turns neighbouring pairs of a head (2i, 2i+1), so that queries
and keys are stored with their rows permuted. An adapter trained here is one for that layout, and needs no conversion.
Sequences are packed one behind the other in one row of tokens, and do not see each other.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

PROJECTIONS: Final = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


@dataclass(frozen=True, slots=True)
class Shape:
    """The model's measures, as its header has them."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    inner: int
    base: float
    epsilon: float

    @property
    def head(self) -> int:
        """Numbers in one head."""
        return self.width // self.heads


@dataclass(frozen=True, slots=True)
class Packed:
    """Sequences one behind the other. `starts`: where each begins, and the end of the last; `longest` of them.

    `learned`: the places whose next token is learned; `targets`: those tokens.
    """

    tokens: Tensor
    positions: Tensor
    starts: Tensor
    longest: int
    learned: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> "Packed":
        """The same on a device."""
        moved = (part.to(device, non_blocking=True) for part in (self.tokens, self.positions, self.starts))
        tokens, positions, starts = moved
        return Packed(tokens, positions, starts, self.longest, self.learned.to(device), self.targets.to(device))


class Adapter(nn.Module):
    """What is added to one projection: `b @ a`, of low rank, nothing at first."""

    def __init__(self, inputs: int, outputs: int, rank: int) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.empty(rank, inputs))
        self.b = nn.Parameter(torch.zeros(outputs, rank))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))


class Model(nn.Module):
    """The model: frozen weights and trained adapters. `adapted`: layer and projection of each adapter."""

    def __init__(
        self,
        path: Path,
        adapted: Sequence[tuple[int, str]],
        rank: int,
        scale: float,
        *,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        # Many processors have no bfloat16 of their own, and are a hundred times slower in it.
        dtype = dtype or (torch.bfloat16 if torch.cuda.is_available() else torch.float32)
        reader = gguf.GGUFReader(path)
        self.shape = _shape(reader)
        self.rank = rank
        self.scale = scale
        weights = {t.name: torch.from_numpy(np.array(gguf.dequantize(t.data, t.tensor_type))) for t in reader.tensors}
        self.embedding = nn.Buffer(weights["token_embd.weight"].to(dtype), persistent=False)
        self.last_norm = nn.Buffer(weights["output_norm.weight"].float(), persistent=False)
        self.layers: list[dict[str, Tensor]] = []
        for layer in range(self.shape.layers):
            parts: dict[str, Tensor] = {}
            for name in (*PROJECTIONS, "attn_norm", "ffn_norm"):
                tensor = weights[f"blk.{layer}.{name}.weight"]
                parts[name] = tensor.to(dtype) if name in PROJECTIONS else tensor.float()
            self.layers.append(parts)
        self.adapters = nn.ModuleDict()
        for layer, name in adapted:
            outputs, inputs = self.layers[layer][name].shape
            self.adapters[f"{layer}-{name}"] = Adapter(inputs, outputs, rank)
        self._block: Callable[..., Tensor] = _block

    def compiled(self) -> "Model":
        """The model with its layers compiled; for many steps of one shape."""
        compiled: Any = torch.compile(_block, dynamic=False)
        self._block = compiled
        return self

    def to_device(self, device: torch.device) -> "Model":
        """The model on a device."""
        self.to(device)
        self.layers = [{name: tensor.to(device) for name, tensor in parts.items()} for parts in self.layers]
        return self

    def hidden(self, packed: Packed) -> Tensor:
        """The last layer's output for every token (tokens × width)."""
        x = functional.embedding(packed.tokens, self.embedding)
        shape, turns = self.shape, rotation(packed.positions, self.shape)
        for layer, parts in enumerate(self.layers):
            low = self._low(layer, x.dtype)
            x = self._block(
                x,
                *turns,
                packed.starts,
                packed.longest,
                parts,
                low,
                self.scale,
                shape.heads,
                shape.kv_heads,
                shape.epsilon,
            )
        return norm(x, self.last_norm, self.shape.epsilon)

    def loss(self, packed: Packed) -> Tensor:
        """The mean cross entropy of the learned tokens."""
        logits = self.hidden(packed)[packed.learned] @ self.embedding.T
        return functional.cross_entropy(logits.float(), packed.targets)

    def _low(self, layer: int, dtype: torch.dtype) -> dict[str, tuple[Tensor, Tensor]]:
        found: dict[str, tuple[Tensor, Tensor]] = {}
        for name in PROJECTIONS:
            key = f"{layer}-{name}"
            if key in self.adapters:
                adapter = self.adapters[key]
                assert isinstance(adapter, Adapter)
                found[name] = (adapter.a.to(dtype), adapter.b.to(dtype))
        return found

    def write(self, prompts: Sequence[Sequence[int]], most: int, end: int) -> list[list[int]]:
        """The likeliest continuation of each prompt, `end` not included; all prompts at once."""
        with torch.no_grad():
            return list(_write(self, prompts, most, end))

    def projected(self, x: Tensor, layer: int, name: str) -> Tensor:
        """The projection of a layer, adapter included."""
        return _project(x, name, self.layers[layer], self._low(layer, x.dtype), self.scale)


def norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """RMS norm over the last dimension, in float32."""
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + epsilon) * weight).to(x.dtype)


def rotation(positions: Tensor, shape: Shape) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the positions (tokens × 1 × half a head)."""
    rates = shape.base ** (-torch.arange(0, shape.head, 2, device=positions.device).float() / shape.head)
    angles = positions.float()[:, None] * rates
    return angles.cos()[:, None], angles.sin()[:, None]


def turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Heads with their neighbouring pairs turned."""
    pairs = x.float().unflatten(-1, (-1, 2))
    even, odd = pairs[..., 0], pairs[..., 1]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2).to(x.dtype)


def _project(
    x: Tensor, name: str, parts: dict[str, Tensor], low: dict[str, tuple[Tensor, Tensor]], scale: float
) -> Tensor:
    y = x @ parts[name].T
    if name in low:
        a, b = low[name]
        y = y + (x @ a.T) @ b.T * scale
    return y


def _block(
    x: Tensor, cos: Tensor, sin: Tensor, starts: Tensor, longest: int, parts: dict[str, Tensor],
    low: dict[str, tuple[Tensor, Tensor]], scale: float, heads: int, kv_heads: int, epsilon: float,
) -> Tensor:  # fmt: skip
    h = norm(x, parts["attn_norm"], epsilon)
    q = turned(_project(h, "attn_q", parts, low, scale).unflatten(-1, (heads, -1)), cos, sin)
    k = turned(_project(h, "attn_k", parts, low, scale).unflatten(-1, (kv_heads, -1)), cos, sin)
    v = _project(h, "attn_v", parts, low, scale).unflatten(-1, (kv_heads, -1))
    k, v = k.repeat_interleave(heads // kv_heads, 1), v.repeat_interleave(heads // kv_heads, 1)
    x = x + _project(_attend(q, k, v, starts, longest).flatten(-2), "attn_output", parts, low, scale)
    h = norm(x, parts["ffn_norm"], epsilon)
    inner = functional.silu(_project(h, "ffn_gate", parts, low, scale)) * _project(h, "ffn_up", parts, low, scale)
    return x + _project(inner, "ffn_down", parts, low, scale)


def _attend(q: Tensor, k: Tensor, v: Tensor, starts: Tensor, longest: int) -> Tensor:
    """Causal attention within each sequence (tokens × heads × head)."""
    if q.is_cuda:
        flash: Any = torch.ops.aten._flash_attention_forward
        return flash(q, k, v, starts, starts, longest, longest, 0.0, True, False)[0]
    out: list[Tensor] = []
    bounds = starts.tolist()
    for start, stop in pairwise(bounds):
        if stop > start:
            one = (part[start:stop].transpose(0, 1)[None] for part in (q, k, v))
            out.append(functional.scaled_dot_product_attention(*one, is_causal=True)[0].transpose(0, 1))
    return torch.cat(out)


def _write(model: Model, prompts: Sequence[Sequence[int]], most: int, end: int) -> Iterator[list[int]]:
    shape, device = model.shape, model.embedding.device
    count, longest = len(prompts), max(map(len, prompts))
    room = longest + most
    cache = [
        torch.zeros(2, count, shape.kv_heads, room, shape.head, dtype=model.embedding.dtype, device=device)
        for _ in range(shape.layers)
    ]
    lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
    rows = torch.arange(count, device=device)
    tokens = torch.zeros(count, longest, dtype=torch.long, device=device)
    for at, prompt in enumerate(prompts):
        tokens[at, : len(prompt)] = torch.tensor(prompt, device=device)
    # Prompts stand at the left; what is behind them in a row is overwritten by what is written.
    positions = torch.arange(longest, device=device).expand(count, -1)
    x = _step(model, tokens, positions, cache, None)
    following = (norm(x[rows, lengths - 1], model.last_norm, shape.epsilon) @ model.embedding.T).argmax(-1)
    written = [following]
    over = following == end
    places = torch.arange(room, device=device)
    for _ in range(most - 1):
        if bool(over.all()):
            break
        mask = places[None, :] <= lengths[:, None]
        x = _step(model, following[:, None], lengths[:, None], cache, mask)
        following = (norm(x[:, 0], model.last_norm, shape.epsilon) @ model.embedding.T).argmax(-1)
        following = torch.where(over, torch.full_like(following, end), following)
        over = over | (following == end)
        written.append(following)
        lengths = lengths + 1
    for row in torch.stack(written, 1).tolist():
        yield row[: row.index(end)] if end in row else row


def _step(model: Model, tokens: Tensor, positions: Tensor, cache: list[Tensor], mask: Tensor | None) -> Tensor:
    """Rows of tokens through the model (rows × tokens × width); keys and values are kept. No mask: from the start."""
    shape = model.shape
    count, length = tokens.shape
    x = functional.embedding(tokens, model.embedding)
    cos, sin = rotation(positions.reshape(-1), shape)
    cos, sin = cos.unflatten(0, (count, length)), sin.unflatten(0, (count, length))
    rows = torch.arange(count, device=tokens.device)[:, None]
    for layer, parts in enumerate(model.layers):
        h = norm(x, parts["attn_norm"], shape.epsilon)
        q = turned(model.projected(h, layer, "attn_q").unflatten(-1, (shape.heads, shape.head)), cos, sin)
        k = turned(model.projected(h, layer, "attn_k").unflatten(-1, (shape.kv_heads, shape.head)), cos, sin)
        v = model.projected(h, layer, "attn_v").unflatten(-1, (shape.kv_heads, shape.head))
        cache[layer][0][rows, :, positions] = k
        cache[layer][1][rows, :, positions] = v
        keys, values = (cache[layer][:, :, :, :length] if mask is None else cache[layer]).unbind(0)
        group = shape.heads // shape.kv_heads
        keys, values = keys.repeat_interleave(group, 1), values.repeat_interleave(group, 1)
        q = q.transpose(1, 2)
        if mask is None:
            seen = functional.scaled_dot_product_attention(q, keys, values, is_causal=True)
        else:
            seen = functional.scaled_dot_product_attention(q, keys, values, attn_mask=mask[:, None, None, :])
        x = x + model.projected(seen.transpose(1, 2).flatten(-2), layer, "attn_output")
        h = norm(x, parts["ffn_norm"], shape.epsilon)
        inner = functional.silu(model.projected(h, layer, "ffn_gate")) * model.projected(h, layer, "ffn_up")
        x = x + model.projected(inner, layer, "ffn_down")
    return x


def _shape(reader: gguf.GGUFReader) -> Shape:
    def of(key: str) -> Any:
        field = reader.get_field(f"llama.{key}")
        assert field is not None, f"the model's header has no llama.{key}"
        return field.contents()

    return Shape(
        layers=of("block_count"), width=of("embedding_length"), heads=of("attention.head_count"),
        kv_heads=of("attention.head_count_kv"), inner=of("feed_forward_length"), base=of("rope.freq_base"),
        epsilon=of("attention.layer_norm_rms_epsilon"),
    )  # fmt: skip

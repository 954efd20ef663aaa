"""An adapter that was trained in the layout of `transformers` does the same in llama.cpp's, once its rows are moved."""

from collections.abc import Mapping

import numpy as np
import pytest

from tests.weights.adapter_files import Array, Pairs
from tests.weights.llama_reference import Llama, Lora, Shape, side_by_side

SHAPE = Shape(layers=2, heads=4, kv_heads=2, epsilon=1e-5, rope_base=10_000.0)
WIDTH, HIDDEN, VOCABULARY, RANK, ALPHA = 32, 48, 40, 4, 8.0
SIZES = {
    "attn_q": (WIDTH, WIDTH),
    "attn_k": (WIDTH, WIDTH // 2),
    "attn_v": (WIDTH, WIDTH // 2),
    "attn_output": (WIDTH, WIDTH),
    "ffn_gate": (WIDTH, HIDDEN),
    "ffn_up": (WIDTH, HIDDEN),
    "ffn_down": (HIDDEN, WIDTH),
}
TOKENS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 35]


def model(dice: np.random.Generator) -> Llama:
    """A model of random weights, as `transformers` would have it."""

    def drawn(*shape: int) -> Array:
        return (dice.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    weights = {"token_embd.weight": drawn(VOCABULARY, WIDTH), "output_norm.weight": np.ones(WIDTH, np.float32)}
    for layer in range(SHAPE.layers):
        for norm in ("attn_norm", "ffn_norm"):
            weights[f"blk.{layer}.{norm}.weight"] = np.ones(WIDTH, np.float32)
        for name, (inputs, outputs) in SIZES.items():
            weights[f"blk.{layer}.{name}.weight"] = drawn(outputs, inputs)
    return Llama(weights, SHAPE, layout="half a head apart")


def pairs(dice: np.random.Generator) -> dict[str, tuple[Array, Array]]:
    """A pair for every projection, large enough to be seen."""
    return {
        f"blk.{layer}.{name}.weight": (
            dice.standard_normal((RANK, inputs)).astype(np.float32) * np.float32(0.2),
            dice.standard_normal((outputs, RANK)).astype(np.float32) * np.float32(0.2),
        )
        for layer in range(SHAPE.layers)
        for name, (inputs, outputs) in SIZES.items()
    }


def heads_of(name: str) -> int:
    """The heads whose rows are moved in a tensor; 0 where rows stay."""
    return SHAPE.heads if ".attn_q." in name else SHAPE.kv_heads if ".attn_k." in name else 0


def converted(weights: Mapping[str, Array]) -> dict[str, Array]:
    """The weights as llama.cpp's converter writes them."""
    return {name: side_by_side(rows, heads) if (heads := heads_of(name)) else rows for name, rows in weights.items()}


def exported(trained: Pairs) -> dict[str, tuple[Array, Array]]:
    """The pairs as an export for llama.cpp has to write them."""
    return {
        name: (down, side_by_side(up, heads)) if (heads := heads_of(name)) else (down, up)
        for name, (down, up) in trained.items()
    }


@pytest.mark.promise("adapter.two-runtimes")
def test_an_adapter_whose_rows_are_moved_changes_the_converted_model_as_it_changed_the_trained_one():
    dice = np.random.default_rng(7)
    trained, change = model(dice), pairs(dice)
    served = Llama(converted(trained.weights), SHAPE)
    np.testing.assert_allclose(served.log_probabilities(TOKENS), trained.log_probabilities(TOKENS), atol=1e-4)
    before = trained.log_probabilities(TOKENS)
    wanted = trained.log_probabilities(TOKENS, Lora(change, ALPHA))
    assert np.abs(wanted - before).max() > 0.5
    np.testing.assert_allclose(served.log_probabilities(TOKENS, Lora(exported(change), ALPHA)), wanted, atol=1e-4)
    left = served.log_probabilities(TOKENS, Lora(change, ALPHA))
    assert np.abs(left - wanted).max() > 0.01, "rows that stay where they were go unnoticed"

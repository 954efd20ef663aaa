"""The file that the recipe writes is the one that the server takes, and the one that ships."""

from pathlib import Path

import gguf
import numpy as np
import pytest
from training.average import average
from training.export import NAME, export_adapter

from antiphon.weights.resolve import resolve


@pytest.mark.promise("adapter.ships")
def test_what_is_written_is_read_back(tmp_path: Path):
    rng = np.random.default_rng(1)
    pairs = {"blk.3.attn_q.weight": (rng.normal(size=(32, 576)), rng.normal(size=(576, 32)))}
    export_adapter(pairs, 64.0, tmp_path / "made.gguf")
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(tmp_path / "made.gguf").tensors}
    for suffix, values in zip(("lora_a", "lora_b"), pairs["blk.3.attn_q.weight"], strict=True):
        tensor = tensors[f"blk.3.attn_q.weight.{suffix}"]
        stored = gguf.dequantize(tensor.data, tensor.tensor_type)
        assert stored.shape == values.shape
        assert np.abs(stored - values).max() < np.abs(values).max() / 100


@pytest.mark.promise("adapter.ships")
def test_the_adapter_that_ships_is_the_recipes_and_small_enough():
    found = resolve("builtin").adapter
    assert found is not None, "the package has no adapter for its built-in model"
    assert found.size < 15_000_000
    field = gguf.GGUFReader(found.path).get_field("general.name")
    assert field is not None
    assert field.contents() == NAME
    assert found.for_tools
    assert found.rank == 32


def test_the_average_of_two_adapters_lies_between_what_they_change():
    rng = np.random.default_rng(2)
    early = {"x": (rng.normal(size=(4, 12)), rng.normal(size=(9, 4)))}
    late = {"x": (early["x"][0] * 1.5, early["x"][1])}
    ((a, b),) = average(early, late, 0.4).values()
    assert a.shape == (4, 12)
    assert b.shape == (9, 4)
    np.testing.assert_allclose(b @ a, 1.2 * (early["x"][1] @ early["x"][0]), atol=1e-9)
    mixed = average(early, {"x": (rng.normal(size=(4, 12)), rng.normal(size=(9, 4)))}, 0.0)["x"]
    np.testing.assert_allclose(mixed[1] @ mixed[0], early["x"][1] @ early["x"][0], atol=1e-9)

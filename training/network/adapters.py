"""A model's adapters, by the names of the tensors that they belong to: out of it, and into it from a file."""

from pathlib import Path

import gguf
import numpy as np
import torch

from training.network.model import Adapter, Model


def pairs_of(model: Model) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The model's adapters by the names of the tensors that they belong to."""
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for key, adapter in model.adapters.items():
        assert isinstance(adapter, Adapter)
        layer, name = key.split("-")
        found[f"blk.{layer}.{name}.weight"] = (
            adapter.a.detach().float().cpu().numpy(),
            adapter.b.detach().float().cpu().numpy(),
        )
    return found


def load_adapter(model: Model, path: Path) -> None:
    """Give the model the adapter of a file, which has to fit it."""
    reader = gguf.GGUFReader(path)
    field = reader.get_field("adapter.lora.alpha")
    assert field is not None, f"{path}: not an adapter"
    tensors = {t.name: torch.from_numpy(np.array(gguf.dequantize(t.data, t.tensor_type))) for t in reader.tensors}
    for key, adapter in model.adapters.items():
        assert isinstance(adapter, Adapter)
        layer, name = key.split("-")
        with torch.no_grad():
            adapter.a.copy_(tensors[f"blk.{layer}.{name}.weight.lora_a"])
            adapter.b.copy_(tensors[f"blk.{layer}.{name}.weight.lora_b"])
    model.scale = float(field.contents()) / model.rank

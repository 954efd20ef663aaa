"""A trained adapter as the file that llama.cpp loads, and back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import gguf
import numpy as np
import torch

from training.model import Adapter, Model

NAME: Final = "SmolLM2-135M-Instruct tools"
_KIND: Final = gguf.GGMLQuantizationType.Q8_0


def export_adapter(
    pairs: Mapping[str, tuple[np.ndarray, np.ndarray]], alpha: float, path: Path, *, kind: gguf.GGMLQuantizationType = _KIND
) -> None:
    """Write the adapter; `pairs`: tensor name → `a` (rank × inputs) and `b` (outputs × rank), in the model's layout."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_name(NAME)
    writer.add_license("apache-2.0")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    for name, (a, b) in pairs.items():
        for suffix, values in (("lora_a", a), ("lora_b", b)):
            stored = gguf.quantize(np.ascontiguousarray(values, dtype=np.float32), kind)
            writer.add_tensor(f"{name}.{suffix}", stored, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def pairs_of(model: Model) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The model's adapters by the names of the tensors that they belong to."""
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for key, adapter in model.adapters.items():
        assert isinstance(adapter, Adapter)
        layer, name = key.split("-")
        found[f"blk.{layer}.{name}.weight"] = (adapter.a.detach().float().cpu().numpy(), adapter.b.detach().float().cpu().numpy())
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

"""A trained adapter as the file that llama.cpp loads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import gguf
import numpy as np

NAME: Final = "SmolLM2-135M-Instruct tools"
_KIND: Final = gguf.GGMLQuantizationType.Q8_0


def export_adapter(
    pairs: Mapping[str, tuple[np.ndarray, np.ndarray]],
    alpha: float,
    path: Path,
    *,
    kind: gguf.GGMLQuantizationType = _KIND,
) -> None:
    """Write the adapter. `pairs`: tensor name → `a` (rank × inputs), `b` (outputs × rank), in the model's layout."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_name(NAME)
    writer.add_license("apache-2.0")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    writer.add_string("antiphon.adapter.scope", "tools")
    for name, (a, b) in pairs.items():
        for suffix, values in (("lora_a", a), ("lora_b", b)):
            stored = gguf.quantize(np.ascontiguousarray(values, dtype=np.float32), kind)
            writer.add_tensor(f"{name}.{suffix}", stored, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

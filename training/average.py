"""The average of two adapters of one run, before and after more training, at the same rank.

    python -m training.average EARLY.gguf LATE.gguf OUT.gguf --late 0.3

More training makes a model surer of what it has seen and less of what it has not; between the two lies a better one.
What the two change is averaged (not their factors), and the best approximation of that at the rank is kept.
Source: Wortsman et al., Robust fine-tuning of zero-shot models (2022).
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np

from training.export import export_adapter

Pairs = Mapping[str, tuple[np.ndarray, np.ndarray]]


def read_pairs(path: Path) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], float]:
    """The matrices of a file by their tensors, in its order, and its alpha."""
    reader = gguf.GGUFReader(path)
    field = reader.get_field("adapter.lora.alpha")
    if field is None:
        raise ValueError(f"{path}: not an adapter")
    parts = {tensor.name: np.array(gguf.dequantize(tensor.data, tensor.tensor_type)) for tensor in reader.tensors}
    names = [name.removesuffix(".lora_a") for name in parts if name.endswith(".lora_a")]
    return {name: (parts[f"{name}.lora_a"], parts[f"{name}.lora_b"]) for name in names}, float(field.contents())


def average(early: Pairs, late: Pairs, share: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """`1 - share` of what the one changes and `share` of what the other does, each at the rank of the first."""
    made: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name, (a, b) in early.items():
        late_a, late_b = late[name]
        rank = a.shape[0]
        columns, upper = np.linalg.qr(np.concatenate([b * (1 - share), late_b * share], axis=1))
        rows, lower = np.linalg.qr(np.concatenate([a, late_a]).T)
        left, strengths, right = np.linalg.svd(upper @ lower.T)
        roots = np.sqrt(strengths[:rank])
        made[name] = (roots[:, None] * (right[:rank] @ rows.T), (columns @ left[:, :rank]) * roots)
    return made


def main() -> None:
    """Average two files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("early", type=Path)
    parser.add_argument("late", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--late", dest="share", type=float, default=0.3, help="how much of the later one")
    options = parser.parse_args()
    early, alpha = read_pairs(options.early)
    late, other = read_pairs(options.late)
    if alpha != other or early.keys() != late.keys():
        parser.error("the two are not of one run: other tensors, or another alpha")
    export_adapter(average(early, late, options.share), alpha, options.out)


if __name__ == "__main__":
    main()

"""Whether text in pictures can be read here: what that takes is found, and not loaded, which only workers do."""

import importlib.util
import sys
from pathlib import Path
from typing import Final

READING_THREADS: Final = 2
"""Processor cores that the reading of one picture may keep busy."""

READING_MEMORY: Final = 768 * 1024 * 1024
"""Address space of a worker, in bytes, below which text in pictures is not read: a full page takes 600 MB of it."""

INSTALL: Final = f"{sys.executable} -m pip install --no-deps rapidocr==3.10.0"

_NETWORKS: Final = (
    "PP-OCRv6_det_small.onnx",
    "PP-OCRv6_rec_small.onnx",
    "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
)


def networks() -> tuple[Path, Path, Path] | None:
    """The files of the networks that find lines, read them, and tell whether they stand on their heads; None where
    they are not installed, or not what runs them."""
    # Not imported: RapidOCR itself would load much that is not needed here, and not installed.
    found = importlib.util.find_spec("rapidocr")
    if found is None or found.origin is None or importlib.util.find_spec("onnxruntime") is None:
        return None
    finds, reads, turns = (Path(found.origin).parent / "models" / name for name in _NETWORKS)
    return (finds, reads, turns) if finds.is_file() and reads.is_file() and turns.is_file() else None


def can_read() -> bool:
    """Whether text in pictures can be read here."""
    return networks() is not None

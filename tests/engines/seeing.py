"""A model that sees: the first layers of the built-in one with a projector of random weights, and pictures to show it.

Nothing that it says of a picture means anything: see scripts/make_projector.py.
"""

import random
import struct
import zlib
from dataclasses import replace
from pathlib import Path

from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import Segment
from antiphon.engines.llamacpp import ModelFile
from make_projector import projector
from tests.engines.shallow import shallow_file

QUESTION = "What is in the picture?"


def projector_file(directory: Path) -> Path:
    """A projector for the built-in model, made anew."""
    path = directory / "mmproj-random.gguf"
    path.write_bytes(projector())
    return path


def seeing_model(projector_path: Path) -> ModelFile:
    """The built-in model with this projector."""
    return replace(shallow_file(), projector=projector_path, projector_kind="phi4")


def png(width: int, height: int, seed: int = 0) -> bytes:
    """A picture of coloured dots, the same for the same seed."""
    dice = random.Random(seed)
    rows = b"".join(b"\0" + dice.randbytes(3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def picture(width: int, height: int, seed: int = 0) -> Segment:
    """A picture of coloured dots in a prompt."""
    return Segment("", image=Image(png(width, height, seed), width, height))


def asked(*parts: Segment | str) -> tuple[Segment, ...]:
    """A user's turn of texts and pictures, and the beginning of the reply."""
    user = [part if isinstance(part, Segment) else Segment(part, markup=False) for part in parts]
    return (Segment("<|im_start|>user\n"), *user, Segment("<|im_end|>\n<|im_start|>assistant\n"))

"""Which model wrote a state: the same for no other one, nor for a llama.cpp of another version."""

import contextlib
import json
import os
from collections.abc import Sequence
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

_PIECE: Final = 4 * 1024 * 1024

_MEMORY: Final = "models.json"
"""What the directory remembers of files that were read once: gigabytes take seconds."""

_MOST: Final = 64


def identity_of(files: Sequence[Path], context: int, directory: Path) -> str:
    """The name of a model that is loaded from these files for conversations of so many tokens, as hex.

    Raises OSError where one of them cannot be read.
    """
    whole = blake2b(f"{_engine()} {context}".encode(), digest_size=32)
    remembered = _remembered(directory)
    read: dict[str, list[Any]] = {}
    for file in files:
        about = file.stat()
        stamp = [about.st_size, about.st_mtime_ns, about.st_ino]
        known = remembered.get(str(file.resolve()))
        digest = known[1] if known is not None and known[0] == stamp else _digest(file)
        read[str(file.resolve())] = [stamp, digest]
        whole.update(digest.encode())
    if any(remembered.get(name) != said for name, said in read.items()):
        _remember(directory, {**remembered, **read})
    return whole.hexdigest()


def _engine() -> str:
    try:
        return version("xllamacpp")
    except PackageNotFoundError:
        return ""


def _digest(file: Path) -> str:
    digest = blake2b(digest_size=32)
    with file.open("rb") as source:
        while piece := source.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _remembered(directory: Path) -> dict[str, list[Any]]:
    try:
        known = json.loads((directory / _MEMORY).read_text("utf-8"))
        return {str(name): [list(stamp), str(digest)] for name, (stamp, digest) in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _remember(directory: Path, known: dict[str, list[Any]]) -> None:
    temporary = directory / f"{_MEMORY}.{os.getpid()}.tmp"
    try:
        temporary.write_text(json.dumps(dict(list(known.items())[-_MOST:])), "utf-8")
        temporary.replace(directory / _MEMORY)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()

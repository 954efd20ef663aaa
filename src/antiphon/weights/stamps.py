"""Digests that are known from before, of files that look as they did then: same place, size and time of writing.

A look is no proof: it is for who begins with a file while the digest is taken again.
"""

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, cast


class Stamps:
    """The stamps in a file, which need not be there and may say anything."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _read(path)

    def digest(self, path: Path) -> str | None:
        """What the file's digest was when it looked as it does now; None where that is not known."""
        try:
            *looks, digest = self._known.get(str(path), [])
            return str(digest) if looks == _looks(path) else None
        except (OSError, ValueError):
            return None

    def keep(self, digests: dict[Path, str]) -> None:
        """Write down the files' digests, others that are still there as before; where that fails, they are taken
        anew the next time."""
        with contextlib.suppress(OSError):
            self._known = {path: said for path, said in self._known.items() if Path(path).exists()}
            for path, digest in digests.items():
                self._known[str(path)] = [*_looks(path), digest]
            handle, name = tempfile.mkstemp(".part", self._path.stem, self._path.parent)
            with os.fdopen(handle, "w") as file:
                json.dump(self._known, file)
            Path(name).replace(self._path)


def _looks(path: Path) -> list[int]:
    seen = path.stat()
    return [seen.st_size, seen.st_mtime_ns, seen.st_ino]


def _read(path: Path) -> dict[str, list[Any]]:
    try:
        said: object = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(said, dict):
        return {}
    return {key: value for key, value in cast("dict[str, Any]", said).items() if isinstance(value, list)}

"""Which form of a model's numbers is best on this machine: measured once, and kept beside the models.

No form is best everywhere: one that takes more bytes reads a prompt faster on most processors, and writes a reply
slower where the memory is what limits.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

READ: Final = 1500
WRITTEN: Final = 200
"""Tokens of the turn that forms are judged by."""

CHOICES: Final = "forms.json"


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second of a prompt that is read, and of a reply that is written."""

    reading: float
    writing: float

    @property
    def seconds(self) -> float:
        """What a turn takes."""
        return READ / self.reading + WRITTEN / self.writing


class Choices:
    """What was measured, in a file that need not be there and may say anything. `place`: the models' directory.

    `machine`: what it depends on, in any words: whatever is known of another machine is not taken for this one's.
    """

    def __init__(self, place: Path, machine: str) -> None:
        self._path = place / CHOICES
        self._machine = machine

    def best(self, paths: Sequence[Path]) -> Path | None:
        """The one of these files that was the best here; None where that is not known of all of them."""
        known = self._read().get(self._machine)
        if not isinstance(known, dict):
            return None
        try:
            speeds = {path: Speed(**cast("dict[str, Any]", known)[str(path)]) for path in paths}
            return min(paths, key=lambda path: speeds[path].seconds)
        except (KeyError, TypeError, ZeroDivisionError):
            return None

    def keep(self, speeds: dict[Path, Speed]) -> None:
        """Write down what was measured; where that fails it is measured again the next time."""
        said = self._read()
        said[self._machine] = {str(path): asdict(speed) for path, speed in speeds.items()}
        with contextlib.suppress(OSError):
            handle, name = tempfile.mkstemp(".part", self._path.stem, self._path.parent)
            with os.fdopen(handle, "w") as file:
                json.dump(said, file, indent=1)
            Path(name).replace(self._path)

    def _read(self) -> dict[str, Any]:
        try:
            said: object = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return cast("dict[str, Any]", said) if isinstance(said, dict) else {}

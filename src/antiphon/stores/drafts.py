"""What obstore writes in a folder before it has all of it, and what killed processes have left of that."""

import contextlib
import os
import re
import time
from pathlib import Path
from typing import Final

_STALE: Final = 3600.0
"""Seconds after which nobody writes any more to what was begun."""

_DRAFT: Final = re.compile(r".+#\d+", re.ASCII)


def is_draft(name: str) -> bool:
    """Whether a file of this name is not whole yet."""
    return _DRAFT.fullmatch(name) is not None


def clear_drafts(folder: Path) -> None:
    """Remove what killed processes have left half written."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            with contextlib.suppress(OSError):
                if is_draft(name) and path.stat().st_mtime < time.time() - _STALE:
                    path.unlink()


def holds_any(folder: Path) -> bool:
    """Whether anything lies there that is whole."""
    return any(not is_draft(name) for _, _, names in os.walk(folder) for name in names)

"""Where this user's programs keep what outlives them."""

import sys
from collections.abc import Mapping
from pathlib import Path


def state_folder(env: Mapping[str, str], platform: str = sys.platform) -> Path:
    """The folder for what this program keeps, which need not be there yet. `OSError` if there is no home."""
    # Its specification wants a relative path there to be ignored.
    if Path(state := env.get("XDG_STATE_HOME", "")).is_absolute():
        return Path(state) / "antiphon"
    if platform == "win32" and (local := env.get("LOCALAPPDATA")):
        return Path(local) / "antiphon"
    try:
        home = Path.home()
    except RuntimeError as problem:
        raise OSError(f"this user has no home directory: {problem}") from problem
    return home / ("Library/Application Support" if platform == "darwin" else ".local/state") / "antiphon"

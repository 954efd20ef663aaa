"""The API's memory tool, on a folder of this machine; the SDK does the work."""

from pathlib import Path
from typing import Any

from anthropic.tools import BetaLocalFilesystemMemoryTool


def memory(folder: Path) -> Any:
    """The tool, whose files are in `memories` below the folder."""
    return BetaLocalFilesystemMemoryTool(base_path=str(folder.expanduser()))


def describe(given: dict[str, Any]) -> str | None:
    """What a call would change; None where it only looks."""
    command, path = given.get("command"), given.get("path") or given.get("old_path")
    if command == "view":
        return None
    new = given.get("file_text") or given.get("new_str") or given.get("insert_text") or given.get("new_path") or ""
    return f"{command} {path}\n{new}".rstrip()

"""Paths as code in a sandbox sees them, and where they lie on this machine."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.ports.sandbox import OUTPUT, WORKSPACE, Mount, SandboxProblem

TEMPORARY: Final = "/tmp"

_FOLDERS: Final = {WORKSPACE: "workspace", TEMPORARY: "tmp"}


def mounted(path: str, mounts: Sequence[Mount]) -> tuple[Path, str] | None:
    """The folder of this machine that a path lies in, and the path beneath it, where a mount has it."""
    whole = posixpath.normpath(posixpath.join(WORKSPACE, path))
    for mount in mounts:
        if whole.startswith(mount.target + "/"):
            return Path(mount.source), whole[len(mount.target) + 1 :]
    return None


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of one sandbox on this machine: what it may write to lies beneath `folder`."""

    folder: Path

    @property
    def workspace(self) -> Path:
        """What the sandbox sees as `/workspace`."""
        return self.folder / _FOLDERS[WORKSPACE]

    @property
    def temporary(self) -> Path:
        """What it sees as `/tmp`: on the disk too, so that the next command finds it, and one limit counts both."""
        return self.folder / _FOLDERS[TEMPORARY]

    def named(self, path: str) -> tuple[Path, str]:
        """The folder that a path lies in, and the path beneath it. Raises `SandboxProblem`."""
        if "\0" in path or len(path.encode("utf-8", "surrogateescape")) > 4000:
            raise SandboxProblem("not_found", "no path")
        # A link on the way is never followed, so ".." may be taken out unseen.
        whole = posixpath.normpath(posixpath.join(WORKSPACE, path))
        for seen, below in _FOLDERS.items():
            if whole == seen:
                return self.folder / below, "."
            if whole.startswith(seen + "/"):
                return self.folder / below, whole[len(seen) + 1 :]
        raise SandboxProblem("not_found", f"{path} is not what a sandbox may write to")

    @property
    def outputs(self) -> str:
        """The folder of `$OUTPUT_DIR`, beneath `temporary`."""
        return posixpath.relpath(OUTPUT, TEMPORARY)

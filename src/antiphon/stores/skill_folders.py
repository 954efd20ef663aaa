"""Skills as folders of this machine: unpacked once, shared by all processes, removed when nobody has used them for a
day."""

import asyncio
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from antiphon.ports.skills import SkillFile
from antiphon.ports.stores import StoreError, StoreFull, StoreUnavailable

KEPT: Final = 86_400.0
"""Seconds for which a folder is there after somebody has asked for it."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class LocalSkillFolders:
    """`SkillFolders` in one folder, which is made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def find(self, digest: str) -> str | None:
        return await asyncio.to_thread(self._find, digest)

    async def make(self, digest: str, files: Mapping[str, SkillFile]) -> str:
        try:
            return await asyncio.to_thread(self._make, digest, files)
        except OSError as problem:
            raise _error(problem) from problem

    def _find(self, digest: str) -> str | None:
        path = self._path(digest)
        try:
            os.utime(path)
        except OSError:
            return None
        return str(path)

    def _make(self, digest: str, files: Mapping[str, SkillFile]) -> str:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._clear()
        path = self._path(digest)
        # Code in sandboxes is another user, who is to read it whatever this process's mask is.
        draft = path.with_name(f"{digest}.{secrets.token_hex(4)}")
        try:
            for name, file in files.items():
                _write(draft, name, file)
            # Whole after a power failure too: nobody looks into a folder that is there.
            for within in (draft, *(each for each in draft.rglob("*") if each.is_dir())):
                _settle(within)
            with suppress(OSError):  # another process was faster
                draft.rename(path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        os.utime(path)
        return str(path)

    def _clear(self) -> None:
        """Remove what nobody has used for long, and what killed processes have left half written."""
        for path in self._folder.iterdir():
            with suppress(OSError):
                if path.stat().st_mtime < time.time() - KEPT:
                    shutil.rmtree(path, ignore_errors=True)

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is no digest")
        return self._folder / digest


def _write(draft: Path, name: str, file: SkillFile) -> None:
    path = draft / name
    for parent in reversed((path.parent, *path.parent.parents[: name.count("/")])):
        if not parent.exists():
            parent.mkdir()
            parent.chmod(0o755)
    path.write_bytes(file.data)
    path.chmod(0o755 if file.executable else 0o644)
    _settle(path)


def _settle(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _error(problem: OSError) -> StoreError:
    kind = StoreFull if problem.errno in (28, 122) else StoreUnavailable
    return kind(f"a skill cannot be unpacked: {problem}")

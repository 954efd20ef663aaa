"""What runs inside a sandbox to pack its workspace, or to unpack one. It imports nothing of the server.

`save` writes an archive to the standard output. `load` reads one in frames of four bytes of length, an empty one
last, and says `unpacked`.
"""

import gzip
import os
import sys
import tarfile
from contextlib import suppress
from typing import IO, Final, cast

WORKSPACE: Final = "/workspace"
DONE: Final = "unpacked"

MARK: Final = "/tmp/.python"
"""What tells a Python that there was one before it: whoever had names there is told that they are gone."""

_HAD_PYTHON: Final = "antiphon.python"


class Frames:
    """The frames of the standard input, as one file."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._left = 0
        self._over = False

    def read(self, most: int = -1) -> bytes:
        """The next bytes; none at the end."""
        if not self._left and not self._over:
            self._left = int.from_bytes(self._source.read(4), "big")
            self._over = not self._left
        data = self._source.read(self._left if most < 0 else min(most, self._left))
        self._left -= len(data)
        return data


def save(sink: IO[bytes], top: str = WORKSPACE) -> None:
    """Pack what lies in a folder. What its owner has shut is opened; what cannot be read all the same is left out."""
    said = {_HAD_PYTHON: "yes"} if os.path.lexists(MARK) else {}
    with (
        gzip.GzipFile("", "wb", 1, sink, 0) as packed,
        tarfile.open(fileobj=packed, mode="w|", pax_headers=said) as archive,
    ):
        # A header of its own wants something behind it.
        archive.add(top, ".", recursive=False)
        for folder, folders, files in os.walk(top):
            for name in folders + files:
                path = os.path.join(folder, name)
                if not os.path.islink(path) and not os.access(path, os.R_OK):
                    with suppress(OSError):
                        os.chmod(path, 0o700)
                if os.path.islink(path) or os.access(path, os.R_OK):
                    archive.add(path, os.path.relpath(path, top), recursive=False)


def load(source: IO[bytes], top: str = WORKSPACE) -> None:
    """Unpack an archive in a folder."""
    frames = cast("IO[bytes]", Frames(source))
    with gzip.GzipFile("", "rb", fileobj=frames) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
        archive.extractall(top, filter=_placed)
        had_python = _HAD_PYTHON in archive.pax_headers
    if had_python:
        with open(MARK, "w", encoding="ascii") as mark:
            mark.write("packed")


def _placed(member: tarfile.TarInfo, top: str) -> tarfile.TarInfo | None:
    """The member as it is unpacked; None: not at all."""
    leads_out = member.islnk() and (os.path.isabs(member.linkname) or ".." in member.linkname.split("/"))
    return None if leads_out or member.ischr() or member.isblk() else tarfile.tar_filter(member, top)


if __name__ == "__main__":
    if sys.argv[1] == "save":
        save(sys.stdout.buffer)
    else:
        load(sys.stdin.buffer)
        sys.stdout.write(DONE)

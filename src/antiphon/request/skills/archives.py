"""Skills as zip archives: read from whoever made them, and made for keeping.

A hostile archive costs no more than a skill may: its table is bounded before it is read, and what it unpacks to while
it is. Links, devices, passwords and rare compressions are refused.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

from antiphon.ports.skills import SkillFile
from antiphon.request.skills.wording import MOST_BYTES, MOST_FILES, bad_path, bad_zip, too_large, too_many

MARKS: Final = (b"PK\x03\x04", b"PK\x05\x06")
"""What a zip begins with; the second one is empty."""

_ENTRY: Final = b"PK\x01\x02"
# Folders are entries too, and so may be what lies in an archive within.
_MOST_ENTRIES: Final = 10 * MOST_FILES
_UTF8: Final = 0x800
_ENCRYPTED: Final = 0x1
_TAKEN: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN: Final = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    EOFError,
    OSError,
    struct.error,
    zlib.error,
)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def is_zip(data: bytes) -> bool:
    """Whether these bytes are meant as an archive."""
    return data.startswith(MARKS)


def unzipped(data: bytes) -> list[tuple[str, SkillFile]]:
    """The files of an archive, with their paths as they stand there. Raises `InvalidRequest`."""
    if data.count(_ENTRY) > _MOST_ENTRIES:
        raise too_many()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MOST_FILES:
                raise too_many()
            if sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise too_large()
            return list(_files(archive, entries))
    except _BROKEN:
        raise bad_zip("it is damaged, or not a zip at all") from None


def zipped(folder: str, files: Mapping[str, SkillFile]) -> bytes:
    """An archive with the files in a folder; the same files make the same archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(f"{folder}/{path}", _EPOCH)
            entry.create_system = 3  # Unix: its permissions count
            entry.external_attr = (stat.S_IFREG | (0o755 if files[path].executable else 0o644)) << 16
            archive.writestr(entry, files[path].data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _files(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> Iterator[tuple[str, SkillFile]]:
    left = MOST_BYTES
    for entry in entries:
        path = _path(entry)
        mode = entry.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise bad_path(path, "links and special files are not allowed")
        if entry.flag_bits & _ENCRYPTED:
            raise bad_zip("it is encrypted")
        if entry.compress_type not in _TAKEN:
            raise bad_zip("its compression is not supported; use deflate")
        with archive.open(entry) as opened:
            data = opened.read(left + 1)
        left -= len(data)
        if left < 0:
            raise too_large()
        yield path, SkillFile(data, executable=bool(mode & 0o111))


def _path(entry: zipfile.ZipInfo) -> str:
    # What stands in the archive: the library cuts names at a zero, and makes slashes of a system's own separators.
    name = entry.orig_filename
    if entry.flag_bits & _UTF8 or name.isascii():
        return name
    try:
        # Many write UTF-8 without saying so.
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        raise bad_path(name, "names are encoded as UTF-8") from None

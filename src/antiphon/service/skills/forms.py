"""The form that a client uploads a skill with."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from antiphon.errors import InvalidRequest
from antiphon.ports.skills import SkillFile
from antiphon.request.skills.archives import is_zip, unzipped, zipped
from antiphon.request.skills.bundle import Bundle, bundle_of
from antiphon.request.skills.naming import LONGEST_DISPLAY_NAME, display_name
from antiphon.request.skills.wording import MOST_BYTES, MOST_FILES, too_large, too_many
from antiphon.service.aside import aside_by
from antiphon.service.files.form import Form

_FILES: Final = ("files[]", "files")
_NAMES: Final = ("display_name", "display_title")
_LARGE: Final = 65_536
"""Bytes; so many are packed in about two milliseconds."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came. `archive`: the same files as a zip, as they are kept."""

    bundle: Bundle
    archive: bytes
    display_name: str | None


async def read(form: Form, *, named: bool) -> Sent:
    """The skill in a form. `named`: it may say what people call it. Raises `ApiError`, and what forms raise."""
    files: list[tuple[str, SkillFile]] = []
    name: bytes | None = None
    left = MOST_BYTES
    async for part in form:
        if part.name in _FILES:
            if len(files) == MOST_FILES:
                raise too_many()
            data = await _bytes(part.chunks, left)
            left -= len(data)
            # A form says nothing of rights; what names its interpreter is meant to be run.
            files.append((part.filename, SkillFile(data, executable=data.startswith(b"#!"))))
        elif part.name in _NAMES and named and name is None:
            name = await _short(part.chunks)
        else:
            raise InvalidRequest(f"{part.name[:100]}: Extra inputs are not permitted")
    if not files:
        raise InvalidRequest("files: Field required")
    said = None if name is None else display_name(name)
    bundle, archive = await aside_by(MOST_BYTES - left, lambda: _judged(files), large=_LARGE)
    return Sent(bundle, archive, said)


def _judged(files: list[tuple[str, SkillFile]]) -> tuple[Bundle, bytes]:
    packed = len(files) == 1 and is_zip(files[0][1].data)
    bundle = bundle_of(unzipped(files[0][1].data) if packed else files, zipped=packed)
    return bundle, zipped(bundle.front.name, bundle.files)


async def _bytes(chunks: AsyncIterator[bytes], most: int) -> bytes:
    data = bytearray()
    async for chunk in chunks:
        data += chunk
        if len(data) > most:
            raise too_large()
    return bytes(data)


async def _short(chunks: AsyncIterator[bytes]) -> bytes:
    """A name; of a long one only enough to see that it is."""
    value = b""
    async for chunk in chunks:
        value = (value + chunk)[: 4 * LONGEST_DISPLAY_NAME + 64]
    return value

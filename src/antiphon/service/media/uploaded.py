"""Uploaded files that a request names: found, judged by their bytes, given to what reads any file."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from antiphon.dialogue.content import Text
from antiphon.ports.files import StoredFile
from antiphon.request.files.types import HEAD, IMAGES, PDF, TEXT, UNKNOWN, sniffed, text_of
from antiphon.request.files.wording import unknown_file, unsupported_document, unsupported_image
from antiphon.request.media.wanted import LargeFile, Wanted, WantedImage, WrongFile, uploaded
from antiphon.request.media.wording import most_of_an_upload
from antiphon.service.aside import aside
from antiphon.service.files.library import Library

NO_UPLOADS: Final[Mapping[str, StoredFile]] = MappingProxyType({})

_LARGE: Final = 256 * 1024
"""Bytes; so many are read as text in about a millisecond."""


class Uploaded:
    """The uploaded files of requests; without a `library` there are none. Raises `ApiError`."""

    def __init__(self, library: Library | None) -> None:
        self._library = library

    async def named(self, tenant: str, files: Sequence[Wanted]) -> Mapping[str, StoredFile]:
        """What is known of those among the files, by their ids; the first that cannot be had is the error."""
        ids = list(uploaded(files))
        if not ids:
            return NO_UPLOADS
        if self._library is None:
            raise unknown_file(ids[0])
        return await self._library.named(tenant, ids)

    async def read(self, file: Wanted, stored: StoredFile) -> bytes | Text | WrongFile | LargeFile:
        """A picture's or a PDF's bytes, or the text of a document; or why its block does not take the file."""
        assert self._library is not None
        if stored.size > most_of_an_upload("image" if isinstance(file, WantedImage) else "pdf"):
            return LargeFile(stored.size)
        data = await self._library.read(stored)
        kind = sniffed(data[:HEAD])
        if isinstance(file, WantedImage):
            return data if kind in IMAGES else WrongFile(unsupported_image(kind))
        if kind == PDF:
            return data
        if kind != TEXT:
            return WrongFile(unsupported_document(kind))
        text = await aside(text_of, data, large=_LARGE)
        return WrongFile(unsupported_document(UNKNOWN)) if text is None else Text(text)

"""From a request's image and PDF sources to what they hold: fetched, decoded, read, and judged in order."""

import asyncio
import binascii
import hashlib
import logging
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Final

from antiphon.dialogue.content import Text
from antiphon.dialogue.media import Image
from antiphon.errors import ApiError
from antiphon.ports.fetch import Fetcher, FetchFault
from antiphon.ports.files import StoredFile
from antiphon.ports.media import Description, MediaProblem, MediaReader, MediaUnavailable, Pdf
from antiphon.ports.system import Clock
from antiphon.request.media.wanted import (
    NO_MEDIA,
    Held,
    Media,
    NotBase64,
    Outcome,
    Wanted,
    WantedImage,
    WantedPdf,
    refusal,
)
from antiphon.request.media.wording import MOST_BYTES, MOST_BYTES_OF_A_PDF, too_much_to_show
from antiphon.service.aside import aside
from antiphon.service.faults import media_error
from antiphon.service.faults import refusal as refused
from antiphon.service.files.library import Library
from antiphon.service.media.cache import KnownUrls, MediaCache
from antiphon.service.media.room import Room
from antiphon.service.media.uploaded import NO_UPLOADS, Uploaded
from antiphon.wire.content.sources import Base64Image, FileDocument, FileImage, UrlImage, UrlPdf

AT_ONCE: Final = 6
"""Files of one request that are fetched or read at the same time: the rest of them is not in memory."""

FETCHES_AT_ONCE: Final = 24
"""Files of all requests that are fetched at the same time."""

LARGE: Final = 256 * 1024
"""Bytes; so many are decoded and hashed in about a millisecond."""

_IMAGES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp", "*/*;q=0.1")

_PDFS: Final = ("application/pdf", "*/*;q=0.1")

UPLOADS_AT_ONCE: Final = 8
"""Uploaded files of all requests that are in memory at the same time."""

log = logging.getLogger(__name__)


class MediaIntake:
    """Reads the files of requests, each once as long as it is remembered; `cache`: bytes of memory for that.

    `library`: where uploaded files are; without one there are none."""

    def __init__(
        self, reader: MediaReader, fetcher: Fetcher, clock: Clock, *, cache: int, library: Library | None = None
    ) -> None:
        self._reader = reader
        self._fetcher = fetcher
        self._cache = MediaCache(cache)
        self._urls = KnownUrls(clock)
        self._fetches = asyncio.Semaphore(FETCHES_AT_ONCE)
        self._uploads = asyncio.Semaphore(UPLOADS_AT_ONCE)
        self._uploaded = Uploaded(library)

    async def named(self, tenant: str, files: Sequence[Wanted]) -> Mapping[str, StoredFile]:
        """What is known of the uploaded ones among the files; `ApiError` for the first that cannot be had."""
        return await self._uploaded.named(tenant, files)

    async def read(self, files: Sequence[Wanted], uploads: Mapping[str, StoredFile] = NO_UPLOADS) -> Media:
        """What the files of one request hold, by the paths of their blocks. `uploads`: as `named` told of them.

        Raises `InvalidRequest` for the first file in the request's order that cannot be taken, and `ApiError` where
        none can be read now, or all together are too large. All files are looked at before: the same request always
        gets the same answer.
        """
        if not files:
            return NO_MEDIA
        room = Room()
        outcomes = await self._outcomes(files, room, uploads)
        read: list[tuple[Wanted, Outcome]] = []
        for file, outcome in zip(files, outcomes, strict=True):
            if isinstance(outcome, MediaUnavailable):
                raise media_error(outcome)
            if isinstance(outcome, ApiError):
                raise outcome
            read.append((file, outcome))
        issue = refusal(read)
        if issue is not None:
            raise refused(issue)
        if room.is_full:
            raise ApiError("request_too_large", too_much_to_show())
        return {file.path: outcome for file, outcome in read if isinstance(outcome, Image | Description | Pdf | Text)}

    async def _outcomes(
        self, files: Sequence[Wanted], room: Room, uploads: Mapping[str, StoredFile]
    ) -> list[Outcome | MediaUnavailable | ApiError]:
        places = asyncio.Semaphore(AT_ONCE)
        times = Counter((file.source, file.limit) for file in files)
        async with asyncio.TaskGroup() as group:
            tasks = {
                (file.source, file.limit): group.create_task(
                    self._outcome(file, places, room, times[file.source, file.limit], uploads)
                )
                for file in {(file.source, file.limit): file for file in files}.values()
            }
        return [tasks[file.source, file.limit].result() for file in files]

    async def _outcome(
        self,
        file: Wanted,
        places: asyncio.Semaphore,
        room: Room,
        times: int,
        uploads: Mapping[str, StoredFile],
    ) -> Outcome | MediaUnavailable | ApiError:
        try:
            async with places:
                source = file.source
                if isinstance(source, FileImage | FileDocument):
                    return room.take(await self._read_upload(file, uploads[source.file_id]), times)
                return room.take(await self._read(file), times)
        except (MediaProblem, FetchFault, MediaUnavailable, ApiError) as problem:
            return problem

    async def _read_upload(self, file: Wanted, stored: StoredFile) -> Outcome:
        key = bytes.fromhex(stored.digest), None, file.limit, _described(file)
        kept = self._cache.get(key)
        if kept is not None:
            return kept
        async with self._uploads:
            data = await self._uploaded.read(file, stored)
            return await self._decode(file, data, None, key) if isinstance(data, bytes) else data

    async def _read(self, file: Wanted) -> Outcome:
        assert not isinstance(file.source, FileImage | FileDocument)
        if isinstance(file.source, UrlImage | UrlPdf):
            known = self._urls.get(file.source.url)
            kept = None if known is None else self._cache.get((known, None, file.limit, _described(file)))
            if kept is not None:
                return kept
            data = await self._fetch(file, file.source.url)
            digest = await aside(_digest, data, large=LARGE)
            self._urls.put(file.source.url, digest)
        else:
            decoded = await aside(_decoded, file.source.data, large=LARGE)
            if decoded is None:
                return NotBase64()
            data, digest = decoded
        declared = file.source.media_type if isinstance(file.source, Base64Image) else None
        key = digest, declared, file.limit, _described(file)
        kept = self._cache.get(key)
        return await self._decode(file, data, declared, key) if kept is None else kept

    async def _decode(self, file: Wanted, data: bytes, declared: str | None, key: Hashable) -> Held:
        read: Held
        if isinstance(file, WantedPdf):
            read = await self._reader.pdf(data, file.limit)
        elif file.described:
            read = await self._reader.description(data, declared, file.limit)
        else:
            read = await self._reader.image(data, declared, file.limit)
        self._cache.put(key, read)
        return read

    async def _fetch(self, file: Wanted, url: str) -> bytes:
        most, accept = (MOST_BYTES, _IMAGES) if isinstance(file, WantedImage) else (MOST_BYTES_OF_A_PDF, _PDFS)
        try:
            async with self._fetches:
                fetched = await self._fetcher.fetch(url, max_bytes=most, accept=accept)
        except FetchFault as fault:
            log.info("%s: %s: %s", file.path, type(fault).__name__, fault.reason)
            raise
        return fetched.data


def _described(file: Wanted) -> bool:
    return isinstance(file, WantedImage) and file.described


def _decoded(text: str) -> tuple[bytes, bytes] | None:
    """The bytes that base64 spells, and their digest; None where it is no base64, to the letter."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
    return data, _digest(data)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()

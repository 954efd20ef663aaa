"""`[media]`: what reading images and PDFs may take."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from antiphon.config.kinds import Whole
from antiphon.config.option import Table, key_of


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """How images and PDFs are read: by so many processes at once (`workers`), each with so much `memory`; what was
    read is kept in so much more (`cache`). Both in bytes."""

    workers: int = 2
    memory: int = 1536 * 1024 * 1024
    cache: int = 256 * 1024 * 1024


_key = partial(key_of, "media", MediaSettings())

MEDIA: Final = Table(
    "media",
    "What reading images and PDFs may take.",
    MediaSettings,
    (
        _key(
            "workers",
            Whole(1, 64),
            "Images, PDFs and pages that are read at the same time, each by a process of its own.",
        ),
        _key(
            "memory",
            Whole(268_435_456, None, "BYTES"),
            "Memory that such a process may take, in bytes. Below 805306368, text in pictures and scans is not read.",
        ),
        _key(
            "cache", Whole(0, None, "BYTES"), "Memory for images and PDFs that were read, which clients send again."
        ),
    ),
)

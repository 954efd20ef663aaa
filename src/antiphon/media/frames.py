"""What server and worker say to each other: frames of msgpack with their length in front, and the file as it is.

    to the worker   a job (`ImageJob`, `DescriptionJob`, `PdfJob`, `HtmlJob`), then a frame that is the file
    from it         `Ready` once; for an image one `Picture`, or one `Description`; for a PDF `Opened`, a `Page` each,
                    `Finished`; for a web page one `Written`; instead of any of these, `Refused`, which ends the job

The worker may have been taken over by the file that it read: what comes from it is decoded strictly, and nothing in
it can name code.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from antiphon.dialogue.media import Looks, Scan

LENGTH: Final = 4
"""Bytes of a frame's length, big-endian."""

LARGEST_ANSWER: Final = 32 * 1024 * 1024
"""Bytes of one answer. The largest picture of the highest tier takes some 11 MB where nothing compresses."""

RefusedKind = Literal[
    "unreadable", "exhausted", "wrong_type", "too_large", "oversized", "empty", "broken", "locked", "too_many_pages"
]


PARTS: Final[Mapping[RefusedKind, tuple[type, ...]]] = MappingProxyType(
    {
        "unreadable": (),
        "exhausted": (),
        "wrong_type": (str, str),
        "too_large": (int, int, int),
        "oversized": (int, int, int, int),
        "empty": (),
        "broken": (),
        "locked": (),
        "too_many_pages": (int, int),
    }
)
"""What each kind of refusal has to say."""


class ImageJob(msgspec.Struct, frozen=True, tag="image"):
    """Read a picture; see `ports.ImageLimit`. `seconds`: processor time at most."""

    declared: str | None
    side: int
    edge: int
    tokens: int
    downsize: bool
    seconds: int


class DescriptionJob(msgspec.Struct, frozen=True, tag="description"):
    """Read a picture for who does not see it; its fields are those of `ImageJob`."""

    declared: str | None
    side: int
    edge: int
    tokens: int
    downsize: bool
    seconds: int


class PdfJob(msgspec.Struct, frozen=True, tag="pdf"):
    """Read a PDF; see `ports.PdfLimit`. `seconds`: processor time at most. `scans`: pages without text that are read
    off their pictures, at most."""

    pages: int
    pictures: bool
    edge: int
    tokens: int
    seconds: int
    scans: int = 0


class HtmlJob(msgspec.Struct, frozen=True, tag="html"):
    """Read a web page, in UTF-8; see `ports.articles`. `seconds`: processor time at most."""

    url: str
    characters: int
    seconds: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The worker takes jobs."""


class Picture(msgspec.Struct, frozen=True, tag="picture"):
    """A PNG or JPEG file without metadata."""

    data: bytes
    width: int
    height: int


class Row(msgspec.Struct, frozen=True):
    """A line of text, and where it begins, in pixels of the upright picture."""

    text: str
    left: int
    top: int


class Description(msgspec.Struct, frozen=True, tag="described"):
    """See `ports.Description`."""

    width: int
    height: int
    looks: Looks
    colours: tuple[tuple[str, int], ...]
    rows: tuple[Row, ...]
    turned: int
    whole: bool


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """A PDF that can be read."""

    pages: int
    title: str | None


class Reading(msgspec.Struct, frozen=True, tag="reading"):
    """The text of the next page is read off its picture now, which takes longer than anything else."""


class Page(msgspec.Struct, frozen=True, tag="page"):
    """The next page. `scan`: see `ports.PdfPage`."""

    text: str
    picture: Picture | None
    scan: Scan | None = None


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """That was the last page."""


class Written(msgspec.Struct, frozen=True, tag="written"):
    """What a web page says."""

    text: str
    title: str


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The file cannot be taken; see `ports.MediaProblem`. `exhausted`: it takes more memory than there is, and the
    worker ends."""

    kind: RefusedKind
    parts: tuple[int | str, ...] = ()


Job = ImageJob | DescriptionJob | PdfJob | HtmlJob
Answer = Ready | Picture | Description | Opened | Reading | Page | Finished | Written | Refused


class Refusal(Exception):  # noqa: N818 - reads as what happened
    """Inside of the worker: the file cannot be taken."""

    def __init__(self, kind: RefusedKind, *parts: int | str) -> None:
        super().__init__(kind, *parts)
        self.answer = Refused(kind, parts)


def packed(payload: bytes) -> bytes:
    """A frame."""
    return len(payload).to_bytes(LENGTH, "big") + payload

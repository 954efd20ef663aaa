"""The port of media: images, PDFs and pages, read within limits, or what is wrong with them."""

from dataclasses import dataclass
from typing import Literal, Protocol

from antiphon.dialogue.media import STANDARD, Image, Looks, Scan, Tier


@dataclass(frozen=True, slots=True)
class ImageLimit:
    """What a picture may be, and what becomes of it.

    `side`: pixels of either side at most. `weight`: bytes of its base64 at most. `tier`: how large the model sees it;
    a larger picture is scaled down to that, or refused where `downsize` is False.
    """

    side: int
    weight: int
    tier: Tier = STANDARD
    downsize: bool = True


@dataclass(frozen=True, slots=True)
class PdfLimit:
    """What a PDF may be: `pages` at most. `pictures`: each page is drawn too, as large as `tier` sees it."""

    pages: int
    pictures: bool = True
    tier: Tier = STANDARD


@dataclass(frozen=True, slots=True)
class PdfPage:
    """One page: its text in the order in which the file has it, empty where it has none, and its picture.

    `scan`: it has no text of its own, and what it says was `read` off its picture, or left `unread`, since a PDF has
    only so many pages read."""

    text: str
    image: Image | None = None
    scan: Scan | None = None


@dataclass(frozen=True, slots=True)
class Pdf:
    """A PDF's pages, one at least, and the title that it gives itself."""

    pages: tuple[PdfPage, ...]
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a picture, and where it begins, in pixels from the upper left corner."""

    text: str
    left: int
    top: int


@dataclass(frozen=True, slots=True)
class Description:
    """What is told of a picture to a model that does not see it.

    `width`, `height`: its size as a model would see it. `colours`: the main ones, each with its part of the picture
    in percent. `lines`: its text in reading order, not `whole` where there is too much of it; their places are those
    in the picture `turned` clockwise by so many degrees, which brings its text upright.
    """

    width: int
    height: int
    looks: Looks
    colours: tuple[tuple[str, int], ...]
    lines: tuple[Line, ...] = ()
    turned: int = 0
    whole: bool = True


Medium = Literal["image", "pdf", "page"]

MediaKind = Literal[
    "empty",
    "unreadable",
    "timeout",
    "crashed",
    "wrong_type",
    "too_heavy",
    "too_large",
    "oversized",
    "broken",
    "locked",
    "too_many_pages",
]


class MediaProblem(Exception):  # noqa: N818 - reads as what happened
    """A file cannot be taken, and the client is to blame. `parts` are the facts of the kind:

    `empty`, `unreadable`, `timeout` (it takes too long to read), `crashed` (it broke the reader): none.
    Of images only: `wrong_type` (declared, actual); `too_heavy` (bytes of base64, most); `too_large` (width, height,
    longest side); `oversized` (width, height, and what it would be scaled down to: width, height).
    Of PDFs only: `broken`, `locked` (a password is needed): none; `too_many_pages` (pages, most).
    """

    def __init__(self, medium: Medium, kind: MediaKind, *parts: int | str) -> None:
        super().__init__(f"{medium}: {kind} {parts}" if parts else f"{medium}: {kind}")
        self.medium: Medium = medium
        self.kind: MediaKind = kind
        self.parts = parts


class MediaUnavailable(Exception):  # noqa: N818 - reads as what happened
    """No file can be read now, and the client is not to blame: too many wait (`busy`), or the reader is closed or
    cannot start. The text is for the owner's log."""

    def __init__(self, message: str, *, busy: bool = False) -> None:
        super().__init__(message)
        self.busy = busy


class MediaReader(Protocol):
    """Reads files that nobody can trust. All readings raise `MediaProblem` or `MediaUnavailable`, and nothing else;
    a reading that is cancelled leaves nothing running."""

    async def image(self, data: bytes, declared: str | None, limit: ImageLimit) -> Image:
        """The picture in a JPEG, PNG, GIF or WebP file, upright, on white, at the size that the model sees.

        Of an animation it is the first frame. `declared`: the media type that the file must have; None takes any.
        """
        ...

    async def description(self, data: bytes, declared: str | None, limit: ImageLimit) -> Description:
        """What such a picture looks like and says; what `image` does not take is not described either."""
        ...

    async def pdf(self, data: bytes, limit: PdfLimit) -> Pdf:
        """The pages of a PDF; text is read off those that have none of their own, as far as that is possible here."""
        ...

    async def aclose(self) -> None:
        """Stop everything that was started; may be called more than once."""
        ...


@dataclass(frozen=True, slots=True)
class Article:
    """What a person would read on a web page, as Markdown with its links, and the page's title. Both may be empty."""

    text: str
    title: str = ""


class ArticleReader(Protocol):
    """Reads web pages."""

    async def article(self, html: bytes, url: str, characters: int) -> Article:
        """What the page says, in so many characters at most. `html` is UTF-8; `url`: where relative links start.

        Raises `MediaProblem` or `MediaUnavailable`, and nothing else; cancelled, it leaves nothing running.
        """
        ...

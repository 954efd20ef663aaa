"""Which files of a request are to be read, each with what it may be, and what came of reading them.

Source: API reference, Vision; PDF support."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from antiphon.dialogue.content import Text
from antiphon.dialogue.media import Image
from antiphon.ports.fetch import FetchFault, TooLarge
from antiphon.ports.media import Description, ImageLimit, MediaProblem, Pdf, PdfLimit
from antiphon.request.case import Case, Issue, blocks_of
from antiphon.request.media.wording import (
    MOST_BYTES,
    dimensions_details,
    image_limit,
    large_upload,
    media_issue,
    not_base64,
    pdf_limit,
    too_large_a_file,
)
from antiphon.wire.content.blocks import DocumentBlock, ImageBlock, SearchResultBlock
from antiphon.wire.content.sources import Base64Image, Base64Pdf, FileDocument, FileImage, UrlImage, UrlPdf

_SHOWING = frozenset(
    {"image", "document", "search_result", "tool_result", "mcp_tool_result", "web_fetch_tool_result"}
)

_OF_DIMENSIONS = ("too_large", "oversized")

Held = Image | Description | Pdf | Text
"""What a file holds. Text is of uploaded files alone: what travels in a request as text is no file."""

Media = Mapping[str, Held]
"""The path of a block → what its file holds."""

NO_MEDIA: Media = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class WantedImage:
    """An image that is to be read. `path`: its block's. `described`: for a model that does not see it."""

    path: str
    source: Base64Image | UrlImage | FileImage
    limit: ImageLimit
    described: bool = False


@dataclass(frozen=True, slots=True)
class WantedPdf:
    """A PDF that is to be read, or an uploaded file that may be text too. `path`: its block's."""

    path: str
    source: Base64Pdf | UrlPdf | FileDocument
    limit: PdfLimit


Wanted = WantedImage | WantedPdf


@dataclass(frozen=True, slots=True)
class NotBase64:
    """The data of a source is no base64."""


@dataclass(frozen=True, slots=True)
class WrongFile:
    """An uploaded file is of a kind that its block does not take. `message`: what the client is told."""

    message: str


@dataclass(frozen=True, slots=True)
class LargeFile:
    """An uploaded file is larger than is read of one."""

    size: int


Outcome = Held | MediaProblem | FetchFault | NotBase64 | WrongFile | LargeFile
"""What came of reading a file."""


def cites(block: object) -> bool:
    """Whether the model is asked to cite this block."""
    citable = isinstance(block, DocumentBlock | SearchResultBlock)
    return citable and block.citations is not None and block.citations.enabled is True


def wanted(case: Case) -> tuple[Wanted, ...]:
    """The files that must be read to answer the request, in order, each with what it may be.

    Of a request that `ladder.check` found nothing wrong with.
    """
    images = len(list(images_of(case)))
    found: list[Wanted] = []
    for path, block in shown_files(case):
        source = block.source
        if isinstance(block, ImageBlock) and isinstance(source, Base64Image | UrlImage | FileImage):
            told = block.transformations
            downsize = told is None or told.oversized_image != "error"
            limit = image_limit(case.profile, images, downsize=downsize)
            # What does not travel in the request is no base64, but the file itself.
            of_file = limit if isinstance(source, Base64Image) else replace(limit, weight=-(-MOST_BYTES // 3) * 4)
            found.append(WantedImage(path, source, of_file, described=not case.sees))
        elif isinstance(block, DocumentBlock) and isinstance(source, Base64Pdf | UrlPdf | FileDocument):
            found.append(WantedPdf(path, source, pdf_limit(case.profile, pictures=case.sees)))
    return tuple(found)


def refusal(read: Sequence[tuple[Wanted, Outcome]]) -> Issue | None:
    """The first thing that is wrong with a request's files, in the request's order; None if they can be shown."""
    pages = 0
    for file, outcome in read:
        if isinstance(outcome, Pdf):
            pages += len(outcome.pages)
        issue = _refused(file, outcome, pages)
        if issue is not None and isinstance(outcome, MediaProblem) and outcome.kind in _OF_DIMENSIONS:
            return replace(issue, details=dimensions_details(_of_kind(read, outcome)))
        if issue is not None:
            return issue
    return None


def uploaded(files: Sequence[Wanted]) -> Iterator[str]:
    """The ids of the uploaded files among them, in order."""
    return (file.source.file_id for file in files if isinstance(file.source, FileImage | FileDocument))


def bytes_shown(held: Held) -> int:
    """The size of the pictures that the model is shown of a file, those of PDF pages included, or of its text."""
    if isinstance(held, Description):
        return 0
    if isinstance(held, Text):
        return len(held.text)
    images = (held,) if isinstance(held, Image) else (page.image for page in held.pages)
    return sum(len(image.data) for image in images if image is not None)


def without_pictures(held: Held) -> Held:
    """The file as it is judged, less what the model would be shown of it."""
    if isinstance(held, Description):
        return held
    if isinstance(held, Text):
        return Text("")
    if isinstance(held, Image):
        return replace(held, data=b"")
    return replace(held, pages=tuple(replace(page, image=None) for page in held.pages))


def _refused(file: Wanted, outcome: Outcome, pages: int) -> Issue | None:
    """What is wrong with one file; `pages`: those of all PDFs up to it."""
    medium = "image" if isinstance(file, WantedImage) else "pdf"
    match outcome:
        case MediaProblem():
            return media_issue(outcome, file.path, file.source.type)
        case NotBase64():
            return not_base64(file.path, medium)
        case TooLarge():
            return too_large_a_file(file.path, medium)
        case FetchFault():
            return Issue(outcome.message)
        case WrongFile():
            return Issue(outcome.message)
        case LargeFile():
            return large_upload(file.path, medium, outcome.size)
        case Pdf():
            assert isinstance(file, WantedPdf)
            return _unreadable(file, outcome, pages)
        case Image() | Description() | Text():
            return None


def _unreadable(file: WantedPdf, pdf: Pdf, pages: int) -> Issue | None:
    most = file.limit.pages
    if pages > most:
        return media_issue(MediaProblem("pdf", "too_many_pages", pages, most), file.path, file.source.type)
    if not file.limit.pictures and not any(page.text.strip() for page in pdf.pages):
        return Issue(
            f"{file.path}: this PDF holds no text, only pictures, and this model does not support image input."
        )
    return None


def _of_kind(read: Sequence[tuple[Wanted, Outcome]], first: MediaProblem) -> list[tuple[str, MediaProblem]]:
    return [
        (file.path, outcome)
        for file, outcome in read
        if isinstance(outcome, MediaProblem) and outcome.kind == first.kind
    ]


def shown_files(case: Case) -> Iterator[tuple[str, ImageBlock | DocumentBlock | SearchResultBlock]]:
    if case.kinds.isdisjoint(_SHOWING):
        return
    for item in case.items:
        for path, block in blocks_of(item.path, item.block):
            if isinstance(block, ImageBlock | DocumentBlock | SearchResultBlock):
                yield path, block


def images_of(case: Case) -> Iterator[tuple[str, ImageBlock]]:
    return ((path, block) for path, block in shown_files(case) if isinstance(block, ImageBlock))

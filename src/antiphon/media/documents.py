"""From a PDF to its pages. Runs in the worker; pages are read one at a time, and none is kept."""

import math
from collections.abc import Iterator
from typing import Any, Final

import pypdfium2
from PIL import Image

from antiphon.dialogue.media import Tier, scaled
from antiphon.media.frames import Finished, Opened, Page, PdfJob, Reading, Refusal
from antiphon.media.pictures import READ_AT, encode

_pdfium: Any = pypdfium2
_native: Any = _pdfium.raw

_POINTS_AN_INCH: Final = 72
_DOTS_AN_INCH: Final = 150
_MOST_CHARACTERS: Final = 1_000_000
_LONGEST_TITLE: Final = 500
_LONGEST_SIDE: Final = 14_400.0
_AT_A_GLANCE: Final = Tier(224, 64)


def read(data: bytes, job: PdfJob) -> Iterator[Opened | Reading | Page | Finished]:
    """`Opened`, the pages, `Finished`; raises `Refusal`.

    A page that cannot be read spoils the document: nothing of it is dropped in silence.
    """
    document = _opened(data)
    try:
        pages: int = len(document)
        if pages < 1:
            raise Refusal("empty")
        if pages > job.pages:
            raise Refusal("too_many_pages", pages, job.pages)
        document.init_forms()  # what was written into a form is drawn only then
        yield Opened(pages, _title(document))
        scans = job.scans
        for number in range(pages):
            for answer in _page(document, number, job, scans):
                scans -= isinstance(answer, Reading)
                yield answer
        yield Finished()
    except (Refusal, MemoryError, GeneratorExit):
        raise
    except Exception as problem:  # the library raises many kinds of errors on files that are not as they should be
        raise Refusal("unreadable") from problem
    finally:
        document.close()


def _opened(data: bytes) -> Any:
    try:
        return _pdfium.PdfDocument(data)
    except _pdfium.PdfiumError as problem:
        match problem.err_code:
            case _native.FPDF_ERR_PASSWORD:
                raise Refusal("locked") from problem
            case _native.FPDF_ERR_SECURITY:
                raise Refusal("unreadable") from problem
            case _:
                raise Refusal("broken") from problem


def _title(document: Any) -> str | None:
    title: str = document.get_metadata_value("Title").strip()
    return title[:_LONGEST_TITLE] or None


def _page(document: Any, number: int, job: PdfJob, scans: int) -> Iterator[Reading | Page]:
    """A page with its text, or what can be read off it where it has none and `scans` more may be read."""
    page = document[number]
    try:
        text = _text(page)
        picture = encode(_drawn(page, Tier(job.edge, job.tokens))) if job.pictures else None
        if text.strip() or not job.scans or _is_blank(page):
            yield Page(text, picture)
            return
        if not scans:
            yield Page(text, picture, "unread")
            return
        drawn = _drawn(page, READ_AT)
        yield Reading()
        # Imported late: what reads text takes a second to load, and most PDFs have theirs.
        from antiphon.media.descriptions import text_in

        yield Page(text_in(drawn), picture, "read")
    finally:
        page.close()


def _text(page: Any) -> str:
    written = page.get_textpage()
    try:
        if written.count_chars() > _MOST_CHARACTERS:
            raise Refusal("unreadable")
        text: str = written.get_text_bounded()
    finally:
        written.close()
    # PDFium marks the hyphen of a word that goes on in the next line by a code point that is none.
    return text.replace("\r\n", "\n").replace("\ufffe", "").replace("\x02", "").replace("\0", "")


def _drawn(page: Any, tier: Tier) -> Image.Image:
    """The page as it prints, with annotations and filled forms, at `_DOTS_AN_INCH` or as large as the tier sees."""
    width, height = scaled(_pixels(page.get_width()), _pixels(page.get_height()), tier)
    bitmap = _pdfium.PdfBitmap.new_native(width, height, _native.FPDFBitmap_BGRx, rev_byteorder=True)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        place = (bitmap, page, 0, 0, width, height, 0, _native.FPDF_ANNOT | _native.FPDF_REVERSE_BYTE_ORDER)
        _native.FPDF_RenderPageBitmap(*place)
        if page.formenv is not None:
            _native.FPDF_FFLDraw(page.formenv, *place)
        drawn: Image.Image = bitmap.to_pil().convert("RGB")
        return drawn
    finally:
        bitmap.close()


def _is_blank(page: Any) -> bool:
    """Whether the page shows nothing at all, as far as a small drawing of it tells."""
    extremes: Any = _drawn(page, _AT_A_GLANCE).getextrema()
    return all(darkest == lightest for darkest, lightest in extremes)


def _pixels(points: float) -> int:
    """A page may claim any size: no number at all, nothing, or miles."""
    if not math.isfinite(points):
        return 1
    return max(1, round(min(points, _LONGEST_SIDE) * _DOTS_AN_INCH / _POINTS_AN_INCH))

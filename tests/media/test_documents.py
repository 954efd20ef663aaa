"""What becomes of a PDF that is sound, and how others are told apart."""

import io
import itertools

import pytest
from PIL import Image

from antiphon.media.documents import read
from antiphon.media.frames import Finished, Opened, Page, PdfJob, Refusal, Refused
from tests.media.broken_images import noise, saved
from tests.media.broken_pdfs import image, xobject
from tests.media.pdf_writer import TITLE, document, lines, locked, objects, stream, written


def job(pages: int = 100, *, pictures: bool = False, edge: int = 1568, tokens: int = 1568) -> PdfJob:
    return PdfJob(pages, pictures, edge, tokens, 60)


def refused(data: bytes, asked: PdfJob) -> Refused:
    with pytest.raises(Refusal) as caught:
        list(read(data, asked))
    return caught.value.answer


def page(data: bytes) -> Image.Image:
    """The picture of the only page."""
    _, only, _ = read(data, job(pictures=True))
    assert isinstance(only, Page)
    assert only.picture is not None
    return Image.open(io.BytesIO(only.picture.data)).convert("L")


@pytest.mark.promise("media.pdf-pages")
def test_every_page_comes_with_its_text_and_the_document_with_its_title():
    texts = [Page(f"This is page {n}.\nIt has two lines.", None) for n in (1, 2, 3)]
    assert list(read(document(3), job())) == [Opened(3, TITLE), *texts, Finished()]


def test_pages_come_one_at_a_time():
    first = list(itertools.islice(read(document(3), job()), 2))
    assert first == [Opened(3, TITLE), Page("This is page 1.\nIt has two lines.", None)]


def test_a_document_without_a_title_has_none():
    found = objects(1)
    del found[9]
    assert next(read(written(found, b"/Root 1 0 R"), job())) == Opened(1, None)


@pytest.mark.promise("media.pdf-pages")
@pytest.mark.parametrize(
    ("box", "edge", "tokens", "size"),
    [
        (b"[0 0 595 842]", 1568, 1568, (924, 1307)),
        (b"[0 0 595 842]", 2576, 4784, (1240, 1754)),
        (b"[0 0 72 36]", 1568, 1568, (150, 75)),
        (b"[0 0 14400 7200]", 1568, 1568, (1568, 784)),
        (b"[0 0 14400 7200]", 2576, 4784, (2576, 1288)),
    ],
)
def test_a_page_is_drawn_as_large_as_the_model_sees_it(box: bytes, edge: int, tokens: int, size: tuple[int, int]):
    _, only, _ = read(document(1, box=box), job(pictures=True, edge=edge, tokens=tokens))
    assert isinstance(only, Page)
    assert only.picture is not None
    assert (only.picture.width, only.picture.height) == size
    assert Image.open(io.BytesIO(only.picture.data)).size == size


def test_what_stands_on_a_page_is_seen():
    drawn = page(document(1, stream(b"0 0 297 842 re f")))
    assert (drawn.getpixel((10, 600)), drawn.getpixel((drawn.width - 10, 600))) == (0, 255)


def test_a_scanned_page_has_no_text_and_a_picture():
    scan = image(saved(noise("RGB", 128, 96), "JPEG"), 128, 96, b"/DCTDecode")
    _, only, _ = read(xobject(scan), job(pictures=True))
    assert isinstance(only, Page)
    assert only.text == ""
    assert only.picture is not None
    assert only.picture.data.startswith(b"\xff\xd8")


def test_what_was_filled_into_a_form_is_seen():
    found = objects(1, stream(b""), root=b"/AcroForm << /Fields [5 0 R] >>", page=b"/Annots [5 0 R]")
    found[5] = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /F 4 /Rect [0 0 300 842] /AP << /N 6 0 R >> >>"
    found[6] = stream(b"0 0 300 842 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 300 842]")
    drawn = page(written(found))
    assert drawn.getpixel((10, 600)) != 255
    assert drawn.getpixel((drawn.width - 10, 600)) == 255


def test_a_page_on_its_side_is_turned():
    content = stream(b"BT /F 12 Tf 0 1 -1 0 100 100 Tm (first line) Tj 0 -20 Td (second line) Tj ET")
    turned = document(1, content, page=b"/Rotate 90")
    assert page(turned).size == (1307, 924)
    assert list(read(turned, job()))[1] == Page("first line\nsecond line", None)


def test_a_word_that_goes_on_in_the_next_line_is_one_word():
    content = stream(b"BT /F 12 Tf 50 750 Td (hyphen-) Tj 0 -14 Td (ated word) Tj ET")
    assert list(read(document(1, content), job()))[1] == Page("hyphenated word", None)


def test_what_was_cut_off_from_a_page_is_neither_read_nor_seen():
    content = stream(b"BT /F 12 Tf 50 750 Td (inside) Tj 5000 0 Td (outside) Tj ET 0 0 595 100 re f")
    cut = document(1, content, page=b"/CropBox [0 300 595 842]")
    _, only, _ = read(cut, job())
    assert isinstance(only, Page)
    assert only.text.split() == ["inside"]
    drawn = page(cut)
    assert drawn.getpixel((10, drawn.height - 1)) == 255


@pytest.mark.promise("media.pdf-refusals")
def test_pages_are_counted_before_any_is_read():
    assert refused(document(4), job(3)) == Refused("too_many_pages", (4, 3))
    assert next(read(document(3), job(3))) == Opened(3, TITLE)


@pytest.mark.promise("media.pdf-refusals")
def test_a_password_is_told_from_a_broken_file():
    assert refused(locked(b"open sesame"), job()) == Refused("locked")
    assert refused(b"%PDF-1.7\n", job()) == Refused("broken")
    assert refused(b"no PDF", job()) == Refused("broken")


def test_encrypted_for_everybody_is_open_to_everybody():
    assert list(read(locked(b"", "open to all"), job()))[1] == Page("open to all", None)


def test_more_text_than_a_page_can_hold_is_refused():
    assert refused(document(1, stream(lines(*["x" * 100] * 10_001))), job()) == Refused("unreadable")

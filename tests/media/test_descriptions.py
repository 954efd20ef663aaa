"""What is said of pictures to models that do not see: the text in them, how they look; and scanned pages of PDFs."""

import asyncio
import io
import sys
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import replace

import pytest
from benchmarks.pictures import page
from PIL import Image, ImageDraw

from antiphon.media.available import READING_MEMORY
from antiphon.media.reader import Bounds, Reader
from antiphon.ports.media import Description, ImageLimit, MediaProblem, PdfLimit
from tests.media import broken_images
from tests.media.broken_images import noise
from tests.media.printed_pictures import EACH, printed
from tests.media.written_pictures import LETTER, TABLE, Written, corpus, read_share, saved

LIMIT = ImageLimit(8000, 20_000_000)
# As much as a machine may need that does other things too.
PATIENT = Bounds(workers=1, image=60, page=60, pdf=240, reading=120, scans=1)


@pytest.fixture
async def patient() -> AsyncGenerator[Reader]:
    made = Reader(PATIENT)
    yield made
    await made.aclose()


@pytest.fixture(scope="module")
def told() -> list[tuple[Written, Description]]:
    """The corpus as it is read, by one worker that stays."""

    async def read() -> list[tuple[Written, Description]]:
        reader = Reader(PATIENT)
        found: list[tuple[Written, Description]] = []
        pids: set[int] = set()
        for written in corpus():
            found.append((written, await reader.description(written.file, "image/png", LIMIT)))
            pids |= reader.pids
        await reader.aclose()
        assert len(pids) == 1
        return found

    return asyncio.run(read())


@pytest.mark.promise("vision.described")
def test_nearly_every_character_of_the_corpus_is_read(told: list[tuple[Written, Description]]) -> None:
    shares = {one.name: read_share(one.lines, [line.text for line in said.lines]) for one, said in told}
    assert sum(read for read, _ in shares.values()) / sum(most for _, most in shares.values()) >= 0.95, shares
    assert all(read / most >= 0.9 for read, most in shares.values()), shares


@pytest.mark.promise("vision.reads-most")
async def test_nearly_every_character_of_screenshots_receipts_tables_signs_and_turned_pages_is_read(
    patient: Reader,
) -> None:
    # Every fifth picture of sixty; all of them: `python -m benchmarks.pictures --corpus`.
    shares: dict[str, tuple[int, int]] = {}
    for n, (_, pictures) in enumerate(printed()):
        assert len(pictures) == EACH
        for one in pictures[n::5]:
            said = await patient.description(one.file, "image/png", LIMIT)
            assert said.turned == one.turned, one.name
            shares[one.name] = read_share(one.lines, [line.text for line in said.lines])
    assert len(shares) == 12
    assert sum(read for read, _ in shares.values()) / sum(most for _, most in shares.values()) >= 0.95, shares


@pytest.mark.promise("vision.reads-most")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to this limit")
async def test_a_full_page_is_read_in_the_least_memory_that_counts_as_enough() -> None:
    reader = Reader(replace(PATIENT, memory=READING_MEMORY))
    try:
        said = await reader.description(page(40), "image/png", LIMIT)
        assert len(said.lines) == 40
    finally:
        await reader.aclose()


@pytest.mark.promise("vision.scans")
async def test_with_less_memory_than_reading_takes_a_scan_stays_a_page_without_text() -> None:
    buffer = io.BytesIO()
    corpus()[0].picture.save(buffer, "PDF", resolution=100)
    reader = Reader(replace(PATIENT, memory=READING_MEMORY - 1))
    try:
        [found] = (await reader.pdf(buffer.getvalue(), PdfLimit(100, False))).pages
        assert (found.text, found.scan) == ("", None)
    finally:
        await reader.aclose()


@pytest.mark.promise("vision.described")
def test_turned_text_is_read_upright_and_kinds_are_told_apart(told: list[tuple[Written, Description]]) -> None:
    assert [(one.name, said.looks, said.turned) for one, said in told] == [
        (one.name, one.looks, one.turned) for one, _ in told
    ]


@pytest.mark.promise("vision.described")
def test_rows_of_a_table_and_columns_of_prose_are_read_in_their_order(
    told: list[tuple[Written, Description]],
) -> None:
    said = {one.name: [line.text for line in description.lines] for one, description in told}
    assert [line.split(" | ")[0] for line in said["a table"]] == [line.split(" | ")[0] for line in TABLE]
    assert said["two columns"][0].startswith("The tide")
    assert said["two columns"][4].startswith("Inland")


@pytest.mark.promise("vision.described")
async def test_places_are_those_of_the_picture_as_a_model_would_see_it(patient: Reader) -> None:
    large = Image.new("RGB", (3000, 2000), "white")
    ImageDraw.Draw(large).rectangle((0, 1000, 3000, 2000), fill="#1030c0")
    word = corpus()[9].picture.crop((80, 60, 560, 190))
    large.paste(word, (1500, 500))
    said = await patient.description(saved(large), "image/png", LIMIT)
    assert (said.width, said.height) == (1344, 896)
    (line,) = said.lines
    assert line.text.replace(" ", "") == "NOENTRY"
    # The word begins 10 pixels inside of what was put at 1500, 500; all is 1344 of 3000 as large now.
    assert abs(line.left - 676) < 20
    assert abs(line.top - 233) < 20
    assert {name for name, _ in said.colours} >= {"white", "blue"}


@pytest.mark.promise("vision.described")
async def test_a_photograph_without_text_is_called_one(patient: Reader) -> None:
    said = await patient.description(saved(noise("RGB"), "JPEG"), "image/jpeg", LIMIT)
    assert (said.looks, said.lines) == ("photograph", ())


@pytest.mark.promise("vision.described", "vision.refusals")
async def test_what_cannot_be_shown_is_not_described_either(patient: Reader) -> None:
    async def refusal(read: Awaitable[object]) -> object:
        try:
            return await read and None
        except MediaProblem as problem:
            return problem.kind, problem.parts

    entries = [entry for entry in broken_images.corpus() if not entry.wearing]
    refused = 0
    for entry in entries[:: len(entries) // 40]:
        shown = await refusal(patient.image(entry.data, entry.declared, LIMIT))
        if shown is not None:
            refused += 1
            assert await refusal(patient.description(entry.data, entry.declared, LIMIT)) == shown, entry
    assert refused >= 20


@pytest.mark.promise("further.pdf", "vision.scans")
async def test_scanned_pages_are_read_as_far_as_a_document_has_them_read(patient: Reader) -> None:
    page, buffer = corpus()[0].picture, io.BytesIO()
    blank = Image.new("RGB", page.size, "white")
    page.save(buffer, "PDF", save_all=True, append_images=[blank, page], resolution=100)
    for pictures in (False, True):
        pdf = await patient.pdf(buffer.getvalue(), PdfLimit(100, pictures))
        assert [(found.scan, found.image is not None) for found in pdf.pages] == [
            ("read", pictures),
            (None, pictures),
            ("unread", pictures),
        ]
        read, most = read_share(LETTER, pdf.pages[0].text.split("\n"))
        assert read / most >= 0.95
        assert [found.text for found in pdf.pages[1:]] == ["", ""]

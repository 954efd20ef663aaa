"""Broken and hostile files as a stranger sends them over HTTP: each is a 400 in the API's words, and the server stays."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.media import broken_images, broken_pdfs
from tests.media.entries import Entry
from tests.referee.footprint import footprint
from tests.referee.live import Live, live_process
from tests.referee.posting import Json, count, image, pdf

SCRIPT = f"script:{Path(__file__).parent / 'documents.toml'}"
MEMORY = 500 * 1024 * 1024
# Pages without text are read off their pictures: each of the two workers holds the networks for that.
MEMORY_WITH_SCANS = 1024 * 1024 * 1024
LANES = 2
# What an image may take, or a page, and as much again for a machine that does other things too.
SECONDS = 25.0
_AT = r"messages\.0\.content\.0\."
WORDS = re.compile(
    r"Could not process (image|PDF)"
    rf"|{_AT}image\.source\.base64: The image was specified using the image/\w+ media type, but the image appears to be a image/\w+ image"
    rf"|{_AT}image\.source\.base64\.data: At least one of the image dimensions exceed max allowed size: 8000 pixels"
    rf"|{_AT}pdf\.source\.base64\.data: The PDF specified (was not valid|is password protected)\."
    rf"|{_AT}pdf\.source\.base64\.data: A maximum of 100 PDF pages may be provided\."
    r"|PDF cannot be empty"
)


@dataclass(frozen=True)
class Outcome:
    name: str
    status: int
    message: str
    seconds: float


@pytest.fixture(scope="module")
def scripted() -> Iterator[Live]:
    """A server whose model sees."""
    with live_process("--model", SCRIPT) as live:
        yield live


def spread(corpus: list[Entry], number: int) -> list[Entry]:
    """So many of them, of every kind, but for those that wear the reader out: they are tried with the reader alone."""
    entries = [entry for entry in corpus if not entry.wearing]
    return entries[:: max(1, len(entries) // number)]


def block(entry: Entry, medium: str) -> Json:
    return pdf(entry.data) if medium == "pdf" else image(entry.data, entry.declared or "image/png")


@pytest.mark.promise("media.hostile-uploads")
# Readers of PDFs make sense of much that is broken, of images less.
@pytest.mark.parametrize(("medium", "number", "least"), [("image", 60, 40), ("pdf", 30, 8)])
def test_every_hostile_upload_is_answered_in_time_and_refused_in_the_apis_words(
    scripted: Live, medium: str, number: int, least: int
) -> None:
    entries = spread((broken_pdfs if medium == "pdf" else broken_images).corpus(), number)

    def sent(entry: Entry) -> Outcome:
        began = time.monotonic()
        answer = count(scripted.url, block(entry, medium))
        told = answer.json().get("error", {}).get("message", "")
        return Outcome(entry.name, answer.status_code, told, time.monotonic() - began)

    with footprint(scripted.pid) as memory, ThreadPoolExecutor(LANES) as lanes:
        outcomes = list(lanes.map(sent, entries))
    assert [one for one in outcomes if one.status not in (200, 400) or one.seconds > SECONDS] == []
    assert [one for one in outcomes if one.status == 400 and not WORDS.fullmatch(one.message)] == []
    # Some damage leaves a file that can be read.
    refused = {one.name for one in outcomes if one.status == 400}
    assert {entry.name for entry in entries if entry.kind is not None} <= refused
    assert len(outcomes) >= number
    assert len(refused) >= least
    assert memory.most < (MEMORY_WITH_SCANS if medium == "pdf" else MEMORY)
    assert count(scripted.url, {"type": "text", "text": "Are you there?"}).status_code == 200

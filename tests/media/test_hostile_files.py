"""Hundreds of files that are broken or made to hurt: each ends in time with an answer, and hurts nobody."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import chain

import psutil
import pytest

from antiphon.dialogue.media import Tier
from antiphon.media.reader import Bounds, Reader
from antiphon.ports.media import ImageLimit, MediaProblem, PdfLimit
from tests.media import broken_images, broken_pdfs
from tests.media.entries import Entry, damaged

SECONDS = 1.5
# Starting another worker and ending the old one, on a machine that does other things too.
SLACK = 5.0
GROWTH = 150 * 1024 * 1024
LANES = 2
# Small drawings: it is the files that are tried here, not the drawing.
SMALL = Tier(448, 256)

Read = Callable[[Reader, Entry], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Outcome:
    entry: Entry
    kind: str | None
    seconds: float


def image(reader: Reader, entry: Entry) -> Awaitable[object]:
    return reader.image(entry.data, entry.declared, ImageLimit(8000, 10 * 1024 * 1024))


def pdf(reader: Reader, entry: Entry) -> Awaitable[object]:
    return reader.pdf(entry.data, PdfLimit(100, tier=SMALL))


async def outcome(reader: Reader, read: Read, entry: Entry) -> Outcome:
    began = time.monotonic()
    try:
        await read(reader, entry)
    except MediaProblem as problem:
        return Outcome(entry, problem.kind, time.monotonic() - began)
    return Outcome(entry, None, time.monotonic() - began)


async def outcomes(read: Read, entries: list[Entry]) -> list[Outcome]:
    """Of all of them, two at a time; a sound file is read by the same reader in the end."""
    reader = Reader(Bounds(workers=LANES, image=SECONDS, page=SECONDS, pdf=SECONDS, scans=0))
    waiting = iter(entries)

    async def lane() -> list[Outcome]:
        return [await outcome(reader, read, entry) for entry in waiting]

    try:
        found = [result for lane in await asyncio.gather(*(lane() for _ in range(LANES))) for result in lane]
        assert (
            await reader.image(broken_images.sound()["jpeg"][0], "image/jpeg", ImageLimit(8000, 10**7))
        ).width == 64
        return found
    finally:
        await reader.aclose()


def complaints(found: list[Outcome]) -> list[str]:
    """What is wrong with the outcomes."""
    said: list[str] = []
    for result in found:
        entry = result.entry
        if result.seconds > SECONDS + SLACK:
            said.append(f"{entry.name}: took {result.seconds:.1f} s")
        if result.kind in ("timeout", "crashed") and not entry.wearing:
            said.append(f"{entry.name}: {result.kind}")
        if entry.kind is not None and result.kind != entry.kind:
            said.append(f"{entry.name}: {result.kind} instead of {entry.kind}")
    return said


@pytest.mark.promise("media.hostile-files")
@pytest.mark.parametrize(
    ("corpus", "read", "least"),
    [(broken_images.corpus, image, 500), (broken_pdfs.corpus, pdf, 200)],
    ids=["images", "pdfs"],
)
async def test_every_hostile_file_ends_in_time_with_an_answer(
    corpus: Callable[[], list[Entry]], read: Read, least: int
):
    entries = corpus()
    assert len({entry.name for entry in entries}) == len(entries) >= least
    server = psutil.Process(os.getpid())
    before = server.memory_info().rss
    found = await outcomes(read, entries)
    assert complaints(found) == []
    assert len(found) == len(entries)
    assert {result.kind for result in found} >= {None, "unreadable"}
    assert server.memory_info().rss - before < GROWTH


def test_the_damage_is_the_same_every_time():
    files = [data for data, _ in broken_images.sound().values()] + list(broken_pdfs.sound().values())
    first, second = (list(chain(*(damaged("x", data, None, 9, 9) for data in files))) for _ in range(2))
    assert first == second
    assert broken_images.sound() == broken_images.sound()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
async def test_a_worker_is_held_to_its_memory(reader: Reader):
    await reader.image(broken_images.sound()["jpeg"][0], "image/jpeg", ImageLimit(8000, 10**7))
    (pid,) = reader.pids
    assert psutil.Process(pid).rlimit(psutil.RLIMIT_AS) == (Bounds().memory, Bounds().memory)
    assert psutil.Process(pid).rlimit(psutil.RLIMIT_FSIZE) == (0, 0)

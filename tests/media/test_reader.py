"""What a file does to its worker stays there: the server answers, and the next file is read."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from PIL import Image

from antiphon.media.frames import PdfJob
from antiphon.media.reader import Bounds, Reader
from antiphon.media.worker import PROGRAM, Worker, WorkerLost
from antiphon.ports.media import ImageLimit, MediaProblem, MediaReader, MediaUnavailable, PdfLimit
from tests.media import scripted_worker
from tests.media.broken_images import noise, saved
from tests.media.broken_pdfs import form_bomb
from tests.media.pdf_writer import TITLE, document

SCRIPTED = Path(scripted_worker.__file__)
IMAGE = ImageLimit(8000, 10 * 1024 * 1024)
PDF = PdfLimit(100)
PATIENCE = 60.0


@asynccontextmanager
async def scripted(bounds: Bounds | None = None) -> AsyncGenerator[Reader]:
    made = Reader(bounds, program=SCRIPTED)
    try:
        yield made
    finally:
        await made.aclose()


async def told(reader: Reader, order: str) -> str:
    """What the scripted worker writes on the only page."""
    read = await reader.pdf(order.encode(), PDF)
    return read.pages[0].text


async def gone(pids: frozenset[int]) -> bool:
    """Whether the processes end within the test's patience."""

    def wait() -> bool:
        return all(not psutil.pid_exists(pid) or _ended(pid) for pid in pids)

    return await asyncio.to_thread(wait)


def _ended(pid: int) -> bool:
    try:
        psutil.Process(pid).wait(PATIENCE)
    except psutil.NoSuchProcess:
        return True
    return not psutil.pid_exists(pid)


async def test_a_picture_and_a_document_are_read(reader: Reader):
    port: MediaReader = reader
    image = await port.image(saved(noise("RGB", 1920, 1080), "PNG"), "image/png", IMAGE)
    assert (image.width, image.height) == (1456, 819)
    pdf = await port.pdf(document(2), PDF)
    assert pdf.title == TITLE
    assert [page.text.splitlines()[0] for page in pdf.pages] == ["This is page 1.", "This is page 2."]
    assert all(page.image is not None and page.image.width == 924 for page in pdf.pages)
    plain = await port.pdf(document(1), PdfLimit(100, pictures=False))
    assert plain.pages[0].image is None


async def test_nothing_is_started_before_the_first_file(reader: Reader):
    assert reader.pids == frozenset()
    with pytest.raises(MediaProblem, match="empty"):
        await reader.image(b"", "image/png", IMAGE)
    assert reader.pids == frozenset()


async def test_a_picture_that_is_too_heavy_never_reaches_a_worker(reader: Reader):
    with pytest.raises(MediaProblem) as caught:
        await reader.image(b"x" * 100, "image/png", ImageLimit(8000, 135))
    assert (caught.value.kind, caught.value.parts) == ("too_heavy", (136, 135))
    assert reader.pids == frozenset()


async def test_a_refusal_carries_its_facts_and_costs_no_worker(reader: Reader):
    with pytest.raises(MediaProblem) as caught:
        await reader.image(saved(noise("RGB"), "JPEG"), "image/png", IMAGE)
    assert (caught.value.medium, caught.value.kind) == ("image", "wrong_type")
    assert caught.value.parts == ("image/png", "image/jpeg")
    before = reader.pids
    with pytest.raises(MediaProblem) as caught:
        await reader.pdf(document(3), PdfLimit(2))
    assert (caught.value.medium, caught.value.kind, caught.value.parts) == ("pdf", "too_many_pages", (3, 2))
    assert reader.pids == before


HOSTILE = [
    ("crash", "crashed"),
    ("hang", "timeout"),
    ("hang after a page", "timeout"),
    ("page after page", "crashed"),
    ("nonsense", "crashed"),
    ("an endless frame", "crashed"),
    ("too few pages", "crashed"),
    ("an invented refusal", "crashed"),
    ("a refusal without end", "crashed"),
    ("another kind of answer", "crashed"),
    ("out of memory", "unreadable"),
]


@pytest.mark.promise("media.own-process")
@pytest.mark.parametrize(("order", "kind"), HOSTILE)
async def test_whatever_a_worker_does_the_next_file_is_read(order: str, kind: str):
    async with scripted(Bounds(page=2.0, answer=10_000_000)) as reader:
        assert await told(reader, "file") == "1"
        before = reader.pids
        with pytest.raises(MediaProblem) as caught:
            await told(reader, order)
        assert (caught.value.medium, caught.value.kind) == ("pdf", kind)
        assert await told(reader, "file") == "1", "a worker that failed must not read another file"
        assert not before & reader.pids
        assert await gone(before)


@pytest.mark.promise("media.own-process")
async def test_a_document_has_a_time_limit_in_all():
    # Pages that are read as pictures would have more, and a page's own limit would end it before.
    async with asyncio.timeout(PATIENCE), scripted(Bounds(page=2 * PATIENCE, pdf=1.0, scans=0)) as reader:
        with pytest.raises(MediaProblem, match="timeout"):
            await told(reader, "hang after a page")


@pytest.mark.promise("media.own-process")
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits on Windows")
async def test_processor_time_ends_with_the_process():
    worker = await Worker.launch(PROGRAM, Bounds().memory, PATIENCE)
    try:
        with pytest.raises(WorkerLost):
            await worker.work(PdfJob(100, True, 1568, 1568, 1), form_bomb(), PATIENCE, 10**9)
    finally:
        await worker.end()


@pytest.mark.promise("media.own-process")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to this limit")
async def test_memory_has_a_limit():
    large = saved(Image.new("RGBA", (5000, 5000)), "PNG")
    reader = Reader(Bounds(memory=200_000_000))
    try:
        with pytest.raises(MediaProblem, match="unreadable"):
            await reader.image(large, "image/png", IMAGE)
        assert (await reader.image(saved(noise("RGB"), "PNG"), "image/png", IMAGE)).width == 64
    finally:
        await reader.aclose()


async def test_a_worker_reads_one_file_after_another_until_it_has_read_enough():
    async with scripted(Bounds(files=3)) as reader:
        assert [await told(reader, "file") for _ in range(5)] == ["1", "2", "3", "1", "2"]


async def test_a_worker_without_work_ends():
    async with scripted(Bounds(idle=0.0)) as reader:
        assert await told(reader, "file") == "1"
        before = reader.pids
        assert await gone(before)
        assert reader.pids == frozenset()
        assert await told(reader, "file") == "1"


async def test_no_more_files_are_read_at_once_than_there_are_workers():
    async with scripted(Bounds(workers=2)) as reader:
        counts = await asyncio.gather(*(told(reader, "file") for _ in range(6)))
        assert sum(count == "1" for count in counts) == len(reader.pids) == 2


async def test_too_many_waiting_files_are_turned_away():
    async with scripted(Bounds(workers=1, waiting=1)) as reader:
        reading = [asyncio.create_task(told(reader, "hang")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(MediaUnavailable) as caught:
            await told(reader, "file")
        assert caught.value.busy
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
        assert await told(reader, "file") == "1"


@pytest.mark.promise("media.own-process")
async def test_a_cancelled_reading_leaves_nothing_running():
    async with scripted() as reader:
        assert await told(reader, "file") == "1"
        before = reader.pids
        reading = asyncio.create_task(told(reader, "hang"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reading, 0.2)
        assert reader.pids == frozenset()
        assert await gone(before)


async def test_closing_ends_what_is_read_and_what_waits():
    async with scripted(Bounds(workers=1)) as reader:
        assert await told(reader, "file") == "1"
        before = reader.pids
        reading = [asyncio.create_task(told(reader, "hang")) for _ in range(2)]
        await asyncio.sleep(0)
        await reader.aclose()
        results = await asyncio.gather(*reading, return_exceptions=True)
        assert [type(result) for result in results] == [MediaUnavailable] * 2
        assert await gone(before)
        await reader.aclose()
        with pytest.raises(MediaUnavailable) as caught:
            await told(reader, "file")
        assert not caught.value.busy


async def test_closing_while_a_worker_starts_ends_it():
    reader = Reader(program=SCRIPTED)
    reading = asyncio.create_task(told(reader, "hang"))
    await asyncio.sleep(0)
    await reader.aclose()
    with pytest.raises(MediaUnavailable):
        await reading
    assert reader.pids == frozenset()


async def test_a_worker_that_cannot_start_is_not_the_files_fault(tmp_path: Path):
    reader = Reader(program=tmp_path / "missing.py")
    with pytest.raises(MediaUnavailable):
        await reader.image(b"x", "image/png", IMAGE)
    await reader.aclose()


@pytest.mark.promise("media.own-process")
async def test_a_worker_knows_no_secrets(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ANTIPHON_API_KEY", "secret")
    async with scripted() as reader:
        assert "ANTIPHON_API_KEY" not in (await told(reader, "environment")).split()


def test_a_worker_loads_nothing_but_what_reads_files():
    code = (
        "import sys; from antiphon.media import child, documents, pictures; "
        "print(*(name for name in sys.modules if name.startswith('antiphon') or name in ('asyncio', 'pydantic')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert set(done.stdout.split()) == {
        "antiphon",
        "antiphon.dialogue",
        "antiphon.dialogue.media",
        "antiphon.media",
        "antiphon.media.child",
        "antiphon.media.documents",
        "antiphon.media.frames",
        "antiphon.media.pictures",
    }

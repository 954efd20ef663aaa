"""The reader behind `ports.media`: a few worker processes, started when needed."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final, TypeVar

from antiphon.dialogue.media import Image
from antiphon.media.available import READING_MEMORY, READING_THREADS, can_read
from antiphon.media.frames import (
    PARTS,
    Answer,
    DescriptionJob,
    Finished,
    HtmlJob,
    ImageJob,
    Job,
    Opened,
    Page,
    PdfJob,
    Picture,
    Reading,
    Refused,
    Written,
)
from antiphon.media.frames import Description as Described
from antiphon.media.worker import PROGRAM, Worker, WorkerLost
from antiphon.ports.media import (
    Article,
    Description,
    ImageLimit,
    Line,
    MediaProblem,
    MediaUnavailable,
    Medium,
    Pdf,
    PdfLimit,
    PdfPage,
)

_START_TIMEOUT: Final = 60.0
_LONGEST_PART: Final = 64
_log = logging.getLogger("antiphon.media")
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What reading may take. Seconds are those of the clock, and the same of processor time.

    `workers` run at once, `waiting` files wait for one at most; a worker ends after so many `files`, and without work
    after `idle` seconds. `memory`: address space of a worker, bytes. An image gets `image` seconds; a PDF `page`
    seconds a page and `pdf` in all; a web page `article`. An image, or a page, whose text is read gets `reading`;
    `scans` pages of a PDF are read at most, and for each it gets `scan` seconds more. `answer`: bytes of everything
    that is read out of one file.
    """

    workers: int = 2
    waiting: int = 64
    files: int = 200
    idle: float = 30.0
    memory: int = 1536 * 1024 * 1024
    image: float = 10.0
    page: float = 10.0
    pdf: float = 120.0
    article: float = 15.0
    reading: float = 30.0
    scans: int = 20
    scan: float = 5.0
    answer: int = 256 * 1024 * 1024


class Reader:
    """Reads each file in a process that may crash, hang or run out of memory on it: that is `MediaProblem` then.

    `program`: what the processes run; for tests.
    """

    def __init__(self, bounds: Bounds | None = None, *, program: Path = PROGRAM) -> None:
        self._bounds = bounds or Bounds()
        self._reads = self._bounds.memory >= READING_MEMORY and can_read()
        self._program = program
        self._places = asyncio.Semaphore(self._bounds.workers)
        self._waiting = 0
        self._closed = False
        self._idle: dict[Worker, asyncio.TimerHandle] = {}
        self._running: set[Worker] = set()
        self._endings: set[asyncio.Task[None]] = set()

    @property
    def pids(self) -> frozenset[int]:
        """The processes that run now."""
        return frozenset(worker.pid for worker in self._running)

    async def image(self, data: bytes, declared: str | None, limit: ImageLimit) -> Image:
        """See `ports.MediaReader`."""
        _weigh(data, limit)
        seconds, tier = self._bounds.image, limit.tier
        job = ImageJob(declared, limit.side, tier.edge, tier.tokens, limit.downsize, ceil(seconds))
        return await self._read("image", job, data, _picture, whole=seconds, silence=seconds)

    async def description(self, data: bytes, declared: str | None, limit: ImageLimit) -> Description:
        """See `ports.MediaReader`."""
        _weigh(data, limit)
        seconds, tier = self._bounds.reading, limit.tier
        job = DescriptionJob(declared, limit.side, tier.edge, tier.tokens, limit.downsize, _on_all_cores(seconds))
        return await self._read("image", job, data, _description, whole=seconds, silence=seconds)

    async def pdf(self, data: bytes, limit: PdfLimit) -> Pdf:
        """See `ports.MediaReader`."""
        bounds, tier = self._bounds, limit.tier
        scans = bounds.scans if self._reads else 0
        seconds = bounds.pdf + scans * bounds.scan
        processor = ceil(bounds.pdf) + _on_all_cores(scans * bounds.scan)
        job = PdfJob(limit.pages, limit.pictures, tier.edge, tier.tokens, processor, scans)
        return await self._read("pdf", job, data, _pages, whole=seconds, silence=bounds.page)

    async def article(self, html: bytes, url: str, characters: int) -> Article:
        """See `ports.articles.ArticleReader`."""
        seconds = self._bounds.article
        job = HtmlJob(url, characters, ceil(seconds))

        def understood(answers: list[Answer]) -> Article:
            return _article(answers, characters)

        return await self._read("page", job, html, understood, whole=seconds, silence=seconds)

    async def aclose(self) -> None:
        """End every worker; files that are being read, or wait, are refused. May be called more than once."""
        self._closed = True
        for worker in list(self._running):
            self._retire(worker)
        for _ in range(self._bounds.workers):
            # Who held a place or waited for one has left now, with the worker that it may have been starting.
            await self._places.acquire()
        for _ in range(self._bounds.workers):
            self._places.release()
        await asyncio.gather(*self._endings)

    async def _read(
        self,
        medium: Medium,
        job: Job,
        data: bytes,
        understand: Callable[[list[Answer]], _Read],
        *,
        whole: float,
        silence: float,
    ) -> _Read:
        """What `understand` makes of a worker's answers, where they are no refusal; raises what the port allows."""
        if not data:
            raise MediaProblem(medium, "empty")
        async with self._worker() as worker:
            try:
                async with asyncio.timeout(whole):
                    answers = await worker.work(job, data, silence, self._bounds.answer, self._bounds.reading)
                last = answers[-1]
                if not isinstance(last, Refused):
                    return understand(answers)
                _check(last)
                if last.kind == "exhausted":
                    raise MediaProblem(medium, "unreadable")
            except TimeoutError as problem:
                raise MediaProblem(medium, "timeout") from problem
            except WorkerLost as problem:
                if self._closed:
                    raise MediaUnavailable("the reader of images and PDFs is closed") from problem
                _log.warning("a worker was lost over a file (%s): %s", medium, problem)
                raise MediaProblem(medium, "crashed") from problem
        raise MediaProblem(medium, last.kind, *last.parts)

    @asynccontextmanager
    async def _worker(self) -> AsyncGenerator[Worker]:
        """A worker of one's own; it goes on to the next file unless this one fails."""
        if self._places.locked() and self._waiting >= self._bounds.waiting:
            raise MediaUnavailable("too many images and PDFs wait to be read", busy=True)
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            worker = await self._take()
            try:
                yield worker
            except BaseException:
                self._retire(worker)
                raise
            self._give_back(worker)
        finally:
            self._places.release()

    async def _take(self) -> Worker:
        """An idle worker, or a new one."""
        while self._idle and not self._closed:
            worker, timer = self._idle.popitem()
            timer.cancel()
            if worker.alive:
                return worker
            self._retire(worker)
        if not self._closed:
            try:
                worker = await Worker.launch(self._program, self._bounds.memory, _START_TIMEOUT)
            except WorkerLost as problem:
                raise MediaUnavailable(f"no process that reads images and PDFs: {problem}") from problem
            self._running.add(worker)
            if not self._closed:
                return worker
            self._retire(worker)
        raise MediaUnavailable("the reader of images and PDFs is closed")

    def _give_back(self, worker: Worker) -> None:
        if self._closed or not worker.alive or worker.jobs >= self._bounds.files:
            self._retire(worker)
        else:
            timer = asyncio.get_running_loop().call_later(self._bounds.idle, self._retire, worker)
            self._idle[worker] = timer

    def _retire(self, worker: Worker) -> None:
        self._running.discard(worker)
        timer = self._idle.pop(worker, None)
        if timer is not None:
            timer.cancel()
        ending = asyncio.create_task(worker.end())
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)


def _weigh(data: bytes, limit: ImageLimit) -> None:
    weight = 4 * ceil(len(data) / 3)
    if weight > limit.weight:
        raise MediaProblem("image", "too_heavy", weight, limit.weight)


def _on_all_cores(seconds: float) -> int:
    return ceil(seconds * READING_THREADS)


def _description(answers: list[Answer]) -> Description:
    match answers:
        case [Described() as told]:
            lines = tuple(Line(row.text, row.left, row.top) for row in told.rows)
            return Description(
                told.width, told.height, told.looks, told.colours, lines, turned=told.turned, whole=told.whole
            )
        case _:
            raise WorkerLost("it speaks nonsense")


def _picture(answers: list[Answer]) -> Image:
    match answers:
        case [Picture() as picture]:
            return _image(picture)
        case _:
            raise WorkerLost("it speaks nonsense")


def _pages(answers: list[Answer]) -> Pdf:
    match answers:
        case [Opened(count, title), *said, Finished()]:
            between = [answer for answer in said if not isinstance(answer, Reading)]
            pages = tuple(
                PdfPage(page.text, None if page.picture is None else _image(page.picture), page.scan)
                for page in between
                if isinstance(page, Page)
            )
            if 0 < count == len(pages) == len(between):
                return Pdf(pages, title)
        case _:
            pass
    raise WorkerLost("it speaks nonsense")


def _article(answers: list[Answer], characters: int) -> Article:
    match answers:
        case [Written(text, title)] if len(text) <= characters:
            return Article(text, title)
        case _:
            raise WorkerLost("it speaks nonsense")


def _image(picture: Picture) -> Image:
    return Image(picture.data, picture.width, picture.height)


def _check(refused: Refused) -> None:
    told = tuple(type(part) for part in refused.parts)
    if told != PARTS[refused.kind] or any(len(str(part)) > _LONGEST_PART for part in refused.parts):
        raise WorkerLost("it speaks nonsense")

"""A reader and a fetcher that give what a test says, and remember what they were asked for."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from antiphon.dialogue.media import Image
from antiphon.ports.fetch import Fetched, FetchFault, Unreachable
from antiphon.ports.media import Description, ImageLimit, MediaProblem, MediaUnavailable, Pdf, PdfLimit
from antiphon.service.media.intake import MediaIntake
from antiphon.testing.clock import FixedClock

WAIT = 10.0

Read = Image | Description | Pdf | MediaProblem | MediaUnavailable


@dataclass
class StandInReader:
    """`holds`: the bytes of a file → what they hold, or why they cannot be read; a picture of 10×10 otherwise.

    `gate`: nothing is read before it opens. `left`: readings that were cancelled.
    """

    holds: Mapping[bytes, Read] = field(default_factory=dict[bytes, Read])
    gate: asyncio.Event | None = None
    asked: list[tuple[bytes, str | None, ImageLimit | PdfLimit]] = field(
        default_factory=list[tuple[bytes, str | None, ImageLimit | PdfLimit]]
    )
    left: int = 0
    most_at_once: int = 0
    _at_once: int = 0
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_asked(self, times: int) -> None:
        """Wait until so many files have been asked for."""
        await _until(self.asked, times, self._more)

    async def image(self, data: bytes, declared: str | None, limit: ImageLimit) -> Image:
        """The picture that stands for the file."""
        read = await self._read(data, declared, limit)
        assert isinstance(read, Image)
        return read

    async def description(self, data: bytes, declared: str | None, limit: ImageLimit) -> Description:
        """What stands for the file."""
        read = await self._read(data, declared, limit)
        assert isinstance(read, Description)
        return read

    async def pdf(self, data: bytes, limit: PdfLimit) -> Pdf:
        """The pages that stand for the file."""
        read = await self._read(data, None, limit)
        if not isinstance(read, Pdf):
            raise MediaProblem("pdf", "broken")
        return read

    async def aclose(self) -> None:
        """Nothing to stop."""

    async def _read(
        self, data: bytes, declared: str | None, limit: ImageLimit | PdfLimit
    ) -> Image | Description | Pdf:
        self.asked.append((data, declared, limit))
        self._more.set()
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if self.gate is None:
                await asyncio.sleep(0)
            else:
                async with asyncio.timeout(WAIT):
                    await self.gate.wait()
        except asyncio.CancelledError:
            self.left += 1
            raise
        finally:
            self._at_once -= 1
        read = self.holds.get(data, Image(data, 10, 10))
        if isinstance(read, MediaProblem | MediaUnavailable):
            raise read
        return read


@dataclass
class StandInFetcher:
    """`files`: URL → the file there, or why it cannot be had; every other URL is out of reach.

    `gate`: nothing comes before it opens. `left`: fetches that were cancelled.
    """

    files: Mapping[str, bytes | FetchFault] = field(default_factory=dict[str, bytes | FetchFault])
    gate: asyncio.Event | None = None
    asked: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    accepted: list[Sequence[str]] = field(default_factory=list[Sequence[str]])
    left: int = 0
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_asked(self, times: int) -> None:
        """Wait until so many files have been asked for."""
        await _until(self.asked, times, self._more)

    async def fetch(self, url: str, *, max_bytes: int, accept: Sequence[str] = ("*/*",)) -> Fetched:
        """The file that stands at the URL."""
        self.asked.append((url, max_bytes))
        self._more.set()
        self.accepted.append(accept)
        try:
            if self.gate is not None:
                async with asyncio.timeout(WAIT):
                    await self.gate.wait()
        except asyncio.CancelledError:
            self.left += 1
            raise
        found = self.files.get(url, Unreachable(f"{url}: nobody is there"))
        if isinstance(found, FetchFault):
            raise found
        return Fetched(url, "", "", found)


async def _until(asked: Sequence[object], times: int, more: asyncio.Event) -> None:
    async with asyncio.timeout(WAIT):
        while len(asked) < times:
            more.clear()
            await more.wait()


def intake(
    reader: StandInReader | None = None,
    fetcher: StandInFetcher | None = None,
    clock: FixedClock | None = None,
    *,
    cache: int = 1_000_000,
) -> MediaIntake:
    """The way in for files, over stand-ins."""
    return MediaIntake(reader or StandInReader(), fetcher or StandInFetcher(), clock or FixedClock(), cache=cache)

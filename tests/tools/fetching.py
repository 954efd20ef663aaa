"""What the tests of `web_fetch` share: a fetcher and a reader that give what a test says, a clock, and calls."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from antiphon.config import WebFetchSettings
from antiphon.dialogue.media import Image
from antiphon.ports.fetch import Fetched, FetchFault, Unreachable
from antiphon.ports.media import (
    Article,
    Description,
    ImageLimit,
    MediaProblem,
    MediaUnavailable,
    Pdf,
    PdfLimit,
    PdfPage,
)
from antiphon.ports.server_tools import ServerCall
from antiphon.testing import FixedClock
from antiphon.tools.web_fetch import WebFetch

URL = "https://cats.example/sleep"


@dataclass
class Files:
    """A fetcher: URL → the file there, or why there is none. `gate`: nothing comes before it opens."""

    files: dict[str, Fetched | FetchFault] = field(default_factory=dict[str, Fetched | FetchFault])
    gate: asyncio.Event | None = None
    asked: list[str] = field(default_factory=list[str])
    limits: list[int] = field(default_factory=list[int])

    def put(
        self, data: bytes, media_type: str = "text/plain", url: str = URL, *, at: str = "", charset: str = ""
    ) -> None:
        """A file at the URL, which leads to `at`."""
        self.files[url] = Fetched(at or url, media_type, charset, data)

    async def fetch(self, url: str, *, max_bytes: int, accept: Sequence[str] = ("*/*",)) -> Fetched:
        """The file."""
        self.asked.append(url)
        self.limits.append(max_bytes)
        if self.gate is not None:
            await self.gate.wait()
        found = self.files.get(url, Unreachable("there is no such host"))
        if isinstance(found, FetchFault):
            raise found
        return found


@dataclass
class Reading:
    """A reader: a page says its own HTML in capitals, a PDF has one page; or `trouble` with either."""

    trouble: MediaProblem | MediaUnavailable | None = None
    title: str | None = "A title"
    read: list[bytes] = field(default_factory=list[bytes])

    async def image(self, data: bytes, declared: str | None, limit: ImageLimit) -> Image:
        """Nobody asks for one."""
        raise AssertionError

    async def description(self, data: bytes, declared: str | None, limit: ImageLimit) -> Description:
        """Nobody asks for one either."""
        raise AssertionError

    async def pdf(self, data: bytes, limit: PdfLimit) -> Pdf:
        """One page."""
        assert not limit.pictures
        return Pdf((PdfPage("Text."),), self._title(data))

    async def article(self, html: bytes, url: str, characters: int) -> Article:
        """The page in capitals."""
        return Article(html.decode().upper()[:characters], self._title(html) or "")

    async def aclose(self) -> None:
        """Nothing to stop."""

    def _title(self, data: bytes) -> str | None:
        self.read.append(data)
        if self.trouble is not None:
            raise self.trouble
        return self.title


@dataclass
class Bench:
    """The tool with all that it stands on."""

    files: Files = field(default_factory=Files)
    reader: Reading = field(default_factory=Reading)
    clock: FixedClock = field(default_factory=FixedClock)
    settings: WebFetchSettings = field(default_factory=WebFetchSettings)

    def __post_init__(self) -> None:
        self.tool = WebFetch(self.settings, self.files, self.reader, self.clock)

    async def fetched(self, url: object = URL, **settings: Any) -> dict[str, Any]:
        """The content of the result block."""
        result = await self.tool.run(call(url, **settings))
        assert result.counts == {"web_fetch_requests": 1}
        return result.content

    async def data(self, **settings: Any) -> str:
        """The text that the model reads."""
        return str((await self.fetched(**settings))["content"]["source"]["data"])


def call(url: object = URL, seen: Sequence[str] | None = None, **settings: Any) -> ServerCall:
    """A call for the URL, which the conversation has seen unless `seen` says what it has."""
    known = [url] if seen is None else seen
    return ServerCall("srvtoolu_1", "web_fetch", {"url": url}, settings, frozenset(map(str, known)))


def input_call(input_: Mapping[str, Any]) -> ServerCall:
    """A call with any input."""
    return ServerCall("srvtoolu_1", "web_fetch", input_, {}, frozenset([URL]))

"""Pages that were fetched a moment ago, in bounded memory."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_OVERHEAD: Final = 512


@dataclass(frozen=True, slots=True)
class Page:
    """A page as the tool shows it. `url`: where it was in the end. `data`: its text, or a PDF in base64.
    `retrieved_at`: seconds since the epoch."""

    url: str
    pdf: bool
    data: str
    title: str | None
    retrieved_at: float


class PageCache:
    """Keeps pages of `most` bytes together, each for so many `seconds`; what was not asked for longest goes first.
    `now`: seconds on any clock."""

    def __init__(self, most: int, seconds: float, now: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._now = now
        self._pages: OrderedDict[str, tuple[float, int, Page]] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes that the pages take, roughly."""
        return self._size

    def get(self, key: str) -> Page | None:
        """The page, unless it is too old."""
        kept = self._pages.get(key)
        if kept is None:
            return None
        ends, _, page = kept
        if not self._now() < ends:
            self._drop(key)
            return None
        self._pages.move_to_end(key)
        return page

    def put(self, key: str, page: Page) -> None:
        """Keep the page, if it is not larger than everything may be."""
        self._drop(key)
        # A text of other scripts takes two or four bytes a character.
        size = len(page.data) * (1 if page.data.isascii() else 4) + len(page.url) + len(key) + _OVERHEAD
        if size > self._most:
            return
        self._pages[key] = (self._now() + self._seconds, size, page)
        self._size += size
        while self._size > self._most:
            self._drop(next(iter(self._pages)))

    def _drop(self, key: str) -> None:
        kept = self._pages.pop(key, None)
        if kept is not None:
            self._size -= kept[1]

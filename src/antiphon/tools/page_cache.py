"""Pages that were fetched a moment ago, in bounded memory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from antiphon.memory import Kept

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
        self._seconds = seconds
        self._now = now
        self._pages: Kept[str, tuple[float, Page]] = Kept(most, _weight)

    @property
    def size(self) -> int:
        """Bytes that the pages take, roughly."""
        return self._pages.weight

    def get(self, key: str) -> Page | None:
        """The page, unless it is too old."""
        kept = self._pages.get(key)
        if kept is None:
            return None
        ends, page = kept
        if not self._now() < ends:
            self._pages.drop(key)
            return None
        return page

    def put(self, key: str, page: Page) -> None:
        """Keep the page, if it is not larger than everything may be."""
        self._pages.put(key, (self._now() + self._seconds, page))


def _weight(key: str, kept: tuple[float, Page]) -> int:
    page = kept[1]
    # A text of other scripts takes two or four bytes a character.
    return len(page.data) * (1 if page.data.isascii() else 4) + len(page.url) + len(key) + _OVERHEAD

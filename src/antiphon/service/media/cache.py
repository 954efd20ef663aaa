"""What has been read once: agents send all their pictures again with every request."""

from collections.abc import Hashable
from typing import Final

from antiphon.dialogue.content import Text
from antiphon.dialogue.media import Image
from antiphon.memory import Kept
from antiphon.ports.media import Description
from antiphon.ports.system import Clock
from antiphon.request.media.wanted import Held

MOST_URLS: Final = 4096

URL_SECONDS: Final = 300.0
"""How long a URL is taken to lead to the same file."""

_OVERHEAD: Final = 256


class MediaCache(Kept[Hashable, Held]):
    """Images and PDFs by what they were read from, those that were asked for last, `most` bytes in all."""

    def __init__(self, most: int) -> None:
        super().__init__(most, lambda _, read: _size(read))


class KnownUrls:
    """The digest of the file at a URL, for a short time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._digests: Kept[str, tuple[float, bytes]] = Kept(MOST_URLS)

    def get(self, url: str) -> bytes | None:
        """The digest, if the URL was read not long ago."""
        seen, digest = self._digests.get(url) or (0.0, b"")
        return digest if digest and 0 <= self._clock.now() - seen < URL_SECONDS else None

    def put(self, url: str, digest: bytes) -> None:
        """The file at the URL has been read now."""
        self._digests.put(url, (self._clock.now(), digest))


def _size(read: Held) -> int:
    if isinstance(read, Image):
        return _OVERHEAD + len(read.data)
    if isinstance(read, Description):
        return _OVERHEAD + sum(_OVERHEAD + 4 * len(line.text) for line in read.lines)
    if isinstance(read, Text):
        return _OVERHEAD + 4 * len(read.text)
    # A code point takes four bytes at most.
    pages = (4 * len(page.text) + (0 if page.image is None else _size(page.image)) for page in read.pages)
    return _OVERHEAD + sum(pages)

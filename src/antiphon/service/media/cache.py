"""What has been read once: agents send all their pictures again with every request."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from antiphon.dialogue.media import Image
from antiphon.ports.media import Pdf
from antiphon.ports.system import Clock

MOST_URLS: Final = 4096

URL_SECONDS: Final = 300.0
"""How long a URL is taken to lead to the same file."""

_OVERHEAD: Final = 256


class MediaCache:
    """Images and PDFs by what they were read from, those that were asked for last, `most` bytes in all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Image | Pdf] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> Image | Pdf | None:
        """What was put there, if it is still there."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: Hashable, read: Image | Pdf) -> None:
        """Keep it, unless it alone is more than may be kept."""
        size = _size(read)
        if size > self._most:
            return
        replaced = self._kept.pop(key, None)
        self._bytes += size - (0 if replaced is None else _size(replaced))
        self._kept[key] = read
        while self._bytes > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= _size(oldest)


class KnownUrls:
    """The digest of the file at a URL, for a short time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._digests: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def get(self, url: str) -> bytes | None:
        """The digest, if the URL was read not long ago."""
        seen, digest = self._digests.get(url, (0.0, b""))
        return digest if digest and 0 <= self._clock.now() - seen < URL_SECONDS else None

    def put(self, url: str, digest: bytes) -> None:
        """The file at the URL has been read now."""
        self._digests.pop(url, None)
        self._digests[url] = self._clock.now(), digest
        if len(self._digests) > MOST_URLS:
            self._digests.popitem(last=False)


def _size(read: Image | Pdf) -> int:
    if isinstance(read, Image):
        return _OVERHEAD + len(read.data)
    # A code point takes four bytes at most.
    pages = (4 * len(page.text) + (0 if page.image is None else _size(page.image)) for page in read.pages)
    return _OVERHEAD + sum(pages)

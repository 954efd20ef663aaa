"""A response's body in bounded memory, unpacked."""

import asyncio
import zlib
from collections.abc import Iterator
from typing import Final

from aiohttp import ClientResponse

from antiphon.ports.fetch import TooLarge, Unreachable

_PIECE: Final = 64 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS
_PLAIN: Final = frozenset({"", "identity"})
_PACKED: Final = frozenset({"gzip", "x-gzip"})


async def read_body(response: ClientResponse, max_bytes: int, *, cut: bool = False) -> bytes:
    """The body of a response that the client library leaves packed.

    At most `max_bytes`, on the wire and unpacked: what is longer raises `TooLarge`, or is cut there. Raises
    `Unreachable` for a packing that was not asked for or is broken; the library's own errors pass through.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _PLAIN | _PACKED:
        raise Unreachable(f"the answer is packed in a way that was not asked for: {encoding[:40]!r}")
    length = response.content_length
    if length is not None and length > max_bytes and not cut:
        raise TooLarge(f"the answer has {length} bytes, more than {max_bytes}")
    unpacker = _Unpacker() if encoding in _PACKED else None
    body = bytearray()
    came = 0
    async for chunk in response.content.iter_any():
        came += len(chunk)
        for piece in (chunk,) if unpacker is None else unpacker.pieces(chunk):
            body += piece
            if max(came, len(body)) > max_bytes:
                if cut:
                    return bytes(body[:max_bytes])
                raise TooLarge(f"the answer has more than {max_bytes} bytes")
            # A bomb is unpacked in small steps, between which others get their turn.
            await asyncio.sleep(0)
    if unpacker is not None and not unpacker.done:
        raise Unreachable("the packed answer ends early")
    return bytes(body)


class _Unpacker:
    """One gzip stream, unpacked in pieces of bounded size."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)

    @property
    def done(self) -> bool:
        """Whether the stream's end has come."""
        return self._stream.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What the data unpacks to, so far; zlib.error if it is broken."""
        while data:
            if self._stream.eof:
                raise Unreachable("something follows the packed answer")
            piece = self._stream.decompress(data, _PIECE)
            # What a full piece leaves inside comes with the next data: the stream's end is read after the last piece.
            data = self._stream.unconsumed_tail or self._stream.unused_data
            yield piece

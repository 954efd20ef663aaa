"""The body of a streamed reply as it arrives: what a token that comes alone costs is mostly what lies here.

aiohttp's own reading wakes two coroutines for every read and asks its connection to go on reading although it never
stopped, which has the parser run once more for nothing. A stream of tokens is read by one reader, whole and at once.
"""

import asyncio
from collections.abc import Awaitable

import aiohttp


class Arriving(aiohttp.StreamReader):
    """A body that is read with `take` and `more`, and in no other way."""

    # What aiohttp has made becomes one of these as it is.
    __slots__ = ()

    @classmethod
    def of(cls, response: aiohttp.ClientResponse) -> "Arriving | None":
        """The body of this response; None where it has none."""
        body = response.content
        if type(body) is aiohttp.StreamReader:
            body.__class__ = cls
        return body if isinstance(body, cls) else None

    def take(self) -> bytes:
        """All that has come; empty where there is nothing yet, or nothing any more. Raises what it broke with, behind
        what came before."""
        came = self._buffer
        if not came:
            if self._exception is not None:
                raise self._exception
            return b""
        data = came.popleft() if len(came) == 1 else b"".join(came)
        came.clear()
        self._size = 0
        if self._protocol._reading_paused:  # pyright: ignore[reportPrivateUsage]
            self._protocol.resume_reading()
        return data

    def more(self) -> Awaitable[None] | None:
        """What to await where `take` had nothing, until something comes, be it the end. None at the end."""
        if self._eof:
            return None
        if self._protocol.transport is None:
            raise aiohttp.ClientConnectionError("Connection closed")
        waiter = self._waiter = self._loop.create_future()
        return waiter

    def feed_data(self, data: bytes, size: int = 0) -> bool:
        """Something has come."""
        if not data:
            return False
        self._buffer.append(data)
        self._size += len(data)
        self.total_bytes += len(data)
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
        if self._size > self._high_water:
            self._protocol.pause_reading()
        return False

    def begin_http_chunk_receiving(self) -> None:
        """How the body is cut into chunks is of no interest."""

    def end_http_chunk_receiving(self) -> None:
        """See there."""


class Silence:
    """Breaks a body that brings nothing for so many seconds. aiohttp would set a timer anew for every token."""

    def __init__(self, body: aiohttp.StreamReader, seconds: float) -> None:
        self._body = body
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._timer = self._loop.call_later(seconds, self._look)

    def ends(self) -> None:
        """Something has come."""
        self._since = self._loop.time()

    def close(self) -> None:
        """It is watched no longer."""
        self._timer.cancel()

    def _look(self) -> None:
        left = self._since + self._seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._body.set_exception(TimeoutError())

"""What the parent and one worker say to each other: messages with bytes behind them, over a pair of sockets.

    to the worker   start: what to serve, and on which sockets; homes: the models that the parent runs
                    measure: NUMBER, tell of yourself; gathered: NUMBER, what the others tell
                    change: settings that are others from now on
                    prepare: NUMBER, other models beside those that are served; take: NUMBER, serve these;
                    drop: NUMBER, they are not to be
                    open: take connections, and answer; stop: take no more, and finish; now: finish nothing
    to the parent   ready: all is loaded; failed: WHY, and the kind of it; open: N requests, when it is stopped
                    measured: NUMBER, what it tells of itself; gather: NUMBER, ask the others
                    tell: a call of the observer, with what it is called with
                    prepared, of: NUMBER, or cannot: WHY, and the kind of it; taken, of: NUMBER; ended: MODEL, that is
                    served no more, of: NUMBER
    both ways       home: LINE, with what `engines.llamacpp.lent.line` has

Settings, models and what observers are told travel pickled: both ends are one program of one user. Nothing here is in
arguments or environment, which other processes see.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, Final, cast

import orjson

_HEAD: Final = struct.Struct("!II")

Heard = Callable[[dict[str, Any], bytes], None]


class Channel(asyncio.Protocol):
    """One end. `heard` gets each message in order; `lost` is called once, when the other end is gone."""

    def __init__(self, heard: Heard, lost: Callable[[], None]) -> None:
        self._heard = heard
        self._lost = lost
        self._came = bytearray()
        self._transport: asyncio.Transport | None = None
        self._over = asyncio.Event()

    @classmethod
    async def open(cls, end: socket.socket, heard: Heard, lost: Callable[[], None]) -> "Channel":
        """The channel on one of the two sockets."""
        end.setblocking(False)
        loop = asyncio.get_running_loop()
        _, channel = await loop.create_unix_connection(lambda: cls(heard, lost), sock=end)
        return channel

    def send(self, message: dict[str, Any], data: bytes = b"") -> None:
        """Send a message, without waiting; nothing happens when the other end is gone."""
        if self._transport is not None and not self._transport.is_closing():
            text = orjson.dumps(message)
            self._transport.write(_HEAD.pack(len(text), len(data)) + text + data)

    async def aclose(self) -> None:
        """Say what is not sent yet, and no more. May be called more than once."""
        if self._transport is not None:
            self._transport.close()
            await self._over.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none of asyncio's

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's."""
        self._transport = None
        self._over.set()
        self._lost()

    def data_received(self, data: bytes) -> None:
        """asyncio's."""
        self._came += data
        at = 0
        while len(self._came) - at >= _HEAD.size:
            text, more = _HEAD.unpack_from(self._came, at)
            begin = at + _HEAD.size
            if len(self._came) < begin + text + more:
                break
            at = begin + text + more
            message = orjson.loads(self._came[begin : begin + text])
            self._heard(message, bytes(self._came[begin + text : at]))
        del self._came[:at]

"""How long a client may keep the server waiting, how much of a head it may send, and what who goes beyond is told.

The parser itself has no bound: a head may grow until memory ends, and a client that sends a byte a minute holds its
connection for good. Source: RFC 6585 §5 (431), RFC 9110 §15.5.9 (408).
"""

import asyncio
import json
from collections.abc import Callable
from enum import Enum
from typing import Final

MOST_HEAD: Final = 64 * 1024
"""Bytes of a request's line and header fields."""

HEAD: Final = 20.0
"""Seconds from the first byte of a request to the end of its head."""

BODY: Final = 30.0
"""Seconds within which more of a body has to come, while the server reads on."""

UNREAD: Final = 600.0
"""Seconds for which a client may read nothing of a reply that waits for it."""


class Stage(Enum):
    """Which part of a request comes next."""

    NOTHING = "nothing"
    HEAD = "head"
    BODY = "body"


class Patience:
    """Watches one connection. `refuse`: answers with a status and words, and closes; `reads_on`: whether the server
    takes in what comes."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        refuse: Callable[[int, str, str], None],
        reads_on: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._refuse = refuse
        self._reads_on = reads_on
        self._stage = self._before = Stage.NOTHING
        self._head = 0
        self._came = 0
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, stage: Stage) -> None:
        """A part of a request has begun, or the request has come whole."""
        self._stage = stage
        self.end()

    def heard(self, size: int) -> None:
        """So many bytes have come, and were read: bound what is not whole behind them."""
        before, self._before = self._before, self._stage
        self._came += size
        if self._stage is Stage.HEAD:
            # Bytes that came together with the end of what was before are not told apart.
            self._head = self._head + size if before is Stage.HEAD else 0
            if self._head > MOST_HEAD:
                words = f"The request's header fields are more than {MOST_HEAD} bytes."
                self._refuse(431, "invalid_request_error", words)
            elif self._timer is None:
                self._timer = self._loop.call_later(HEAD, self._too_slow, "header fields")
        elif self._stage is Stage.BODY and self._timer is None:
            self._timer = self._loop.call_later(BODY, self._look, self._came)

    def end(self) -> None:
        """Watch no more until something is heard."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, came: int) -> None:
        if came == self._came and self._reads_on():
            self._too_slow("body")
        else:
            self._timer = self._loop.call_later(BODY, self._look, self._came)

    def _too_slow(self, what: str) -> None:
        self._timer = None
        self._refuse(408, "timeout_error", f"The request's {what} did not come in time.")


def refusal(status: int, kind: str, words: str) -> bytes:
    """The reply, in bytes: the connection ends with it."""
    phrases = {408: "Request Timeout", 431: "Request Header Fields Too Large"}
    body = json.dumps({"type": "error", "error": {"type": kind, "message": words}}).encode()
    head = f"HTTP/1.1 {status} {phrases[status]}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body

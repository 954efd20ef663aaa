"""How a host is asked that serves everybody for nothing: by one request at a time, a little apart, and not at all
for a while when it wants rest or cannot be reached.

Source: MediaWiki, API:Etiquette.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from antiphon.ports.server_tools import ToolProblem

LONGEST_REST: Final = 3600.0
"""Seconds: who asks for more is tried again once an hour."""


class Pace:
    """`interval`: seconds between the beginnings of two requests."""

    def __init__(
        self,
        interval: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._interval = interval
        self._now = now
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._next = now()
        self._rested = self._next
        self._why = ToolProblem("unavailable")

    @asynccontextmanager
    async def turn(self, within: float) -> AsyncGenerator[None]:
        """The caller's turn to ask, once others have had theirs. `ToolProblem`, at once: the host rests; or, after so
        many seconds: too many wait before."""
        self._check()
        try:
            async with asyncio.timeout(within):
                await self._turn.acquire()
        except TimeoutError:
            raise ToolProblem("too_many_requests", f"more searches wait than are asked in {within:.1f} s") from None
        try:
            # Who was asked meanwhile may have had enough.
            self._check()
            if (wait := self._next - self._now()) > 0:
                await self._sleep(wait)
            self._next = self._now() + self._interval
            yield
        finally:
            self._turn.release()

    def rest(self, why: ToolProblem, seconds: float) -> None:
        """Leave the host alone for so long; who asks meanwhile is told why."""
        self._why = why
        self._rested = self._now() + min(seconds, LONGEST_REST)

    def _check(self) -> None:
        if (left := self._rested - self._now()) > 0:
            raise ToolProblem(self._why.code, f"{self._why.reason}; it is asked again in {left:.0f} s")


def seconds_of(retry_after: str, now: float) -> float | None:
    """The seconds that a Retry-After field asks for; None for none. Source: RFC 9110 §10.2.3."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)


def wall_clock() -> float:
    """Seconds since the Unix epoch, which dates are compared with."""
    return datetime.now(UTC).timestamp()

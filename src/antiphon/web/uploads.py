"""The body of an upload as it comes: bounded in size and in time, never held."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from antiphon.errors import ApiError, InvalidRequest
from antiphon.request.files.wording import too_large_a_file
from antiphon.web.body import gone
from antiphon.web.headers import field

AROUND: Final = 65_536
"""Bytes that a form may have around its file."""

_MOST_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds in which the next bytes of a body come, and all of it."""

    silence: float = 60.0
    whole: float = 4 * 3600.0


async def body_of(
    request: Request, most: int, patience: Patience, refuse: Callable[[int], ApiError] = too_large_a_file
) -> AsyncIterator[bytes]:
    """The pieces of a body whose file has `most` bytes at most. Raises `ApiError` where it is larger (as `refuse`
    says), breaks off, or comes too slowly."""
    declared = field(request, b"content-length") or ""
    # A number of so many digits is over every limit, and the interpreter refuses to read thousands of them.
    if declared.isdecimal() and (len(declared) > _MOST_DIGITS or int(declared) > most + AROUND):
        raise _ended(refuse(most))
    loop = asyncio.get_running_loop()
    last, count, more = loop.time() + patience.whole, 0, True
    while more:
        try:
            async with asyncio.timeout_at(min(last, loop.time() + patience.silence)):
                message = await request.receive()
        except TimeoutError:
            raise _too_slow() from None
        if message["type"] == "http.disconnect":
            raise gone()
        body: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        count += len(body)
        if count > most + AROUND:
            raise _ended(refuse(most))
        if body:
            yield body


def _too_slow() -> ApiError:
    return _ended(
        InvalidRequest("The request body was not received in time.", details={"error_code": "request_body_timeout"})
    )


def _ended(error: ApiError) -> ApiError:
    """The same; what is still to come on this connection is not read."""
    error.headers = {**error.headers, "connection": "close"}
    return error

"""The trace of the request that is being answered, wherever in its work something is to be told of it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from contextvars import ContextVar
from typing import Final

from antiphon.dialogue.events import ReplyEvent
from antiphon.errors import ApiError
from antiphon.ports.tracing import Trace

TRACE: Final[ContextVar[Trace | None]] = ContextVar("antiphon.trace", default=None)
"""None: nobody follows this request."""


async def followed(
    trace: Trace, happenings: AsyncGenerator[list[ReplyEvent], None]
) -> AsyncGenerator[list[ReplyEvent], None]:
    """What happens, told to the trace."""
    async with aclosing(happenings) as batches:
        async for batch in batches:
            trace.happens(batch)
            yield batch


def told(error: ApiError) -> ApiError:
    """The error, told to the trace of the request that it answers."""
    trace = TRACE.get()
    if trace is not None:
        trace.fails(error.type)
    return error

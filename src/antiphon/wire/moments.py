"""Times as they travel. Source: API reference, Message Batches and Files."""

from datetime import UTC, datetime
from typing import Final

_MICROS: Final = 1_000_000


def moment(micros: int) -> str:
    """A time in RFC 3339, in UTC, as `2026-09-24T18:37:24.100435Z`. `micros`: microseconds since the Unix epoch."""
    seconds, rest = divmod(micros, _MICROS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def micros(seconds: float) -> int:
    """A clock's seconds as the moments here are counted."""
    return round(seconds * _MICROS)

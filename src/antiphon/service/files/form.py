"""A form as it comes from a client, part after part."""

from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One part. `filename`: empty where none was said. `chunks`: its bytes, to be read before the next part is."""

    name: str
    filename: str
    media_type: str
    chunks: AsyncIterator[bytes]


Form = AsyncIterator[Part]
"""The parts of a form in the order in which they come; it raises `ApiError` where the form breaks off."""

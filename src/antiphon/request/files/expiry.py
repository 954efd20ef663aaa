"""How long an uploaded file is kept. Source: Files page, expiration."""

from typing import Final

from antiphon.errors import InvalidRequest

LEAST: Final = 3600

MOST: Final = 7_776_000

MOST_TEXT: Final = 32
"""Bytes of a number that may be said here."""


def expires_in(said: bytes) -> int:
    """The seconds that a form says; raises `InvalidRequest`."""
    text = said.decode("latin-1").strip()
    # Thousands of digits are not read: they cost more than they say.
    if len(text) > MOST_TEXT or not text.isascii() or not text.removeprefix("-").isdigit():
        raise InvalidRequest(
            "expires_in_seconds: Input should be a valid integer, unable to parse string as an integer"
        )
    seconds = int(text)
    if seconds < LEAST:
        raise InvalidRequest(f"expires_in_seconds: Input should be greater than or equal to {LEAST}")
    if seconds > MOST:
        raise InvalidRequest(f"expires_in_seconds: Input should be less than or equal to {MOST}")
    return seconds

"""What a skill may be called by those who look at it. Source: API reference, Create Skill."""

import re
from typing import Final

from antiphon.errors import InvalidRequest

LONGEST_DISPLAY_NAME: Final = 255

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")


def display_name(said: bytes) -> str | None:
    """The name that a form says, or that it says none; raises `InvalidRequest`."""
    try:
        name = said.decode().strip()
    except UnicodeDecodeError:
        raise InvalidRequest("display_name: Input should be valid UTF-8") from None
    if len(name) > LONGEST_DISPLAY_NAME:
        raise InvalidRequest(f"display_name: String should have at most {LONGEST_DISPLAY_NAME} characters")
    if _CONTROLS.search(name):
        raise InvalidRequest("display_name: Input should be a single line without control characters")
    return name or None

"""What a query says of the page of a list that is wanted, where lists are walked by cursors.

Source: API reference, pagination; official SDK, pagination.
"""

import base64
import binascii
from typing import Final

from antiphon.errors import InvalidRequest
from antiphon.ports.files import Place

DEFAULT_LIMIT: Final = 20

MOST_LISTED: Final = 1000

_PREFIX: Final = "page_"
_MOST_CURSOR: Final = 256
_MOST_DIGITS: Final = 18


def limit_of(value: str | None, most: int = MOST_LISTED, usual: int = DEFAULT_LIMIT) -> int:
    """How many are asked for; `usual`: where nothing is said. Raises `InvalidRequest`."""
    if value is None:
        return usual
    # More digits than a limit can have: the interpreter refuses to read thousands of them.
    if not value.removeprefix("-").isdecimal() or len(value) > _MOST_DIGITS:
        raise InvalidRequest("limit: Input should be a valid integer, unable to parse string as an integer")
    number = int(value)
    if number < 1:
        raise InvalidRequest("limit: Input should be greater than or equal to 1")
    if number > most:
        raise InvalidRequest(f"limit: Input should be less than or equal to {most}")
    return number


def cursor(place: Place) -> str:
    """A place in the list, as clients carry it to the next page."""
    spelled = f"{place.created_at}.{place.id}".encode()
    return _PREFIX + base64.urlsafe_b64encode(spelled).decode().rstrip("=")


def place_of(said: str, of: str) -> Place:
    """The place that a cursor stands for, in a list of what `of` says; raises `InvalidRequest`."""
    text = said.removeprefix(_PREFIX)
    try:
        if text == said or len(said) > _MOST_CURSOR:
            raise ValueError
        spelled = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True).decode("ascii")
        created, dot, id_ = spelled.partition(".")
        if not dot or not created.isdecimal() or len(created) > _MOST_DIGITS:
            raise ValueError
        return Place(int(created), id_)
    except (ValueError, binascii.Error):
        raise InvalidRequest(f"page: this is no cursor of a list of {of}") from None

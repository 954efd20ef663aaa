"""Which of the files a client asks to be listed, in either of the API's two ways.

Source: API reference, List Files, and its beta; official SDK, pagination.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from antiphon.errors import InvalidRequest
from antiphon.ports.files import Place

DEFAULT_LIMIT: Final = 20

MOST_LISTED: Final = 1000

MOST_IDS: Final = 100

_PREFIX: Final = "page_"
_MOST_CURSOR: Final = 256
_MOST_DIGITS: Final = 18

Query = Sequence[tuple[str, str]]
"""A query's parameters, in order."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is asked for: `ids`, or else so many behind `page`, behind `after_id` or before `before_id`.

    `scope_id`: only files of this session, of which there are none here.
    """

    limit: int = DEFAULT_LIMIT
    ids: tuple[str, ...] | None = None
    page: Place | None = None
    after_id: str | None = None
    before_id: str | None = None
    scope_id: str | None = None


def listing(query: Query, *, beta: bool) -> Listing:
    """What a query asks for. `beta`: in the way of the beta. Raises `InvalidRequest`."""
    said = {name: value for name, value in reversed(query) if value}
    scope = said.get("scope_id")
    if beta:
        after, before = said.get("after_id"), said.get("before_id")
        if after is not None and before is not None:
            raise InvalidRequest("after_id: only one of `after_id` and `before_id` may be given")
        return Listing(limit(said.get("limit")), after_id=after, before_id=before, scope_id=scope)
    for name in ("after_id", "before_id"):
        # Whoever walks the list by these would see its first page for ever.
        if name in said:
            raise InvalidRequest(f"{name}: Extra inputs are not permitted")
    ids = tuple(dict.fromkeys(value for name, value in query if name in ("ids", "ids[]") and value))
    if ids:
        if "page" in said or "limit" in said:
            raise InvalidRequest("ids: cannot be combined with `page` or `limit`")
        if len(ids) > MOST_IDS:
            raise InvalidRequest(f"ids: List should have at most {MOST_IDS} items after validation, not {len(ids)}")
        return Listing(ids=ids, scope_id=scope)
    page = None if "page" not in said else place_of(said["page"])
    return Listing(limit(said.get("limit")), page=page, scope_id=scope)


def limit(value: str | None) -> int:
    """How many are asked for; raises `InvalidRequest`."""
    if value is None:
        return DEFAULT_LIMIT
    # More digits than a limit can have: the interpreter refuses to read thousands of them.
    if not value.removeprefix("-").isdecimal() or len(value) > _MOST_DIGITS:
        raise InvalidRequest("limit: Input should be a valid integer, unable to parse string as an integer")
    number = int(value)
    if number < 1:
        raise InvalidRequest("limit: Input should be greater than or equal to 1")
    if number > MOST_LISTED:
        raise InvalidRequest(f"limit: Input should be less than or equal to {MOST_LISTED}")
    return number


def cursor(place: Place) -> str:
    """A place in the list, as clients carry it to the next page."""
    spelled = f"{place.created_at}.{place.id}".encode()
    return _PREFIX + base64.urlsafe_b64encode(spelled).decode().rstrip("=")


def place_of(said: str) -> Place:
    """The place that a cursor stands for; raises `InvalidRequest`."""
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
        raise InvalidRequest("page: this is no cursor of a list of files") from None

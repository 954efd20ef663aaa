"""Which of the files a client asks to be listed, in either of the API's two ways.

Source: API reference, List Files, and its beta; official SDK, pagination.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from antiphon.errors import InvalidRequest
from antiphon.ports.files import Place
from antiphon.request.pages import DEFAULT_LIMIT, limit_of, place_of

MOST_IDS: Final = 100

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
        return Listing(limit_of(said.get("limit")), after_id=after, before_id=before, scope_id=scope)
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
    page = None if "page" not in said else place_of(said["page"], "files")
    return Listing(limit_of(said.get("limit")), page=page, scope_id=scope)

"""What a query says of the page of a list that is wanted."""

from antiphon.errors import InvalidRequest
from antiphon.service.models import DEFAULT_LIMIT, MAX_LIMIT

_MOST_DIGITS = 18


def limit_of(value: str | None) -> int:
    """How many entries a page may have; `value`: what the query says. Raises `InvalidRequest`."""
    if value is None:
        return DEFAULT_LIMIT
    # More digits than a limit can have: the interpreter refuses to read thousands of them.
    if not value.removeprefix("-").isdecimal() or len(value) > _MOST_DIGITS:
        raise InvalidRequest("limit: Input should be a valid integer")
    limit = int(value)
    if limit < 1:
        raise InvalidRequest("limit: Input should be greater than or equal to 1")
    if limit > MAX_LIMIT:
        raise InvalidRequest(f"limit: Input should be less than or equal to {MAX_LIMIT}")
    return limit

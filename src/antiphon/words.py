"""How other people's words stand in ours."""

import errno
from typing import Final

LONGEST_NAME: Final = 256
"""Characters of a client's own name that are worth showing."""


def shown(name: str) -> str:
    """A client's own name as it stands in a message: a hostile one must not make the reply as long as the request."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def unreached(url: str, problem: BaseException) -> str:
    """That nobody was reached at a URL, why, and what to do about it."""
    cause = problem
    while (below := cause.__cause__ or _reason(cause)) is not None:
        cause = below
    if isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED:
        return f"nothing answers at {url}. Is the server running? `antiphon serve` starts one; --url names another."
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return f"{url} cannot be reached: {said or type(cause).__name__}"


def _reason(problem: BaseException) -> BaseException | None:
    """What libraries keep of a failure below theirs."""
    for name in ("os_error", "reason"):
        if isinstance(found := getattr(problem, name, None), BaseException):
            return found
    return None

"""`/livez` and `/readyz`: what those ask who start processes and send requests to them.

Nobody needs a key for it, and nobody learns more from it than yes or no.
"""

from typing import Final

from starlette.responses import PlainTextResponse, Response

LIVE: Final = "/livez"
READY: Final = "/readyz"

_PRIVATE: Final = {"cache-control": "no-store"}


def live() -> Response:
    """This process answers."""
    return PlainTextResponse("ok\n", headers=_PRIVATE)


def ready(*, yes: bool) -> Response:
    """Whether requests are best sent here."""
    return PlainTextResponse("ok\n" if yes else "unavailable\n", status_code=200 if yes else 503, headers=_PRIVATE)

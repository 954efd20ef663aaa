"""An `ApiError` as an HTTP reply."""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.responses import JSONResponse, Response

from antiphon.errors import ApiError
from antiphon.ports.stores import StoreError
from antiphon.service.faults import store_error
from antiphon.service.tracing import told

log = logging.getLogger(__name__)

# The SDKs obey it over their own judgement. On 5xx they are left to that, which is to try again.
_RETRY: Final = MappingProxyType(
    {status: {"x-should-retry": "false"} for status in (400, 401, 402, 403, 404, 405, 413)}
    | {429: {"x-should-retry": "true"}}
)

_UNSAID: Final[Mapping[str, str]] = MappingProxyType({})


def error_reply(error: ApiError, id_: str) -> Response:
    """The error envelope with its status and headers."""
    told(error)
    headers = {**_RETRY.get(error.status, _UNSAID), **error.headers}
    return JSONResponse(error.body(id_), status_code=error.status, headers=headers)


def bug(problem: Exception, id_: str) -> ApiError:
    """What is left of our own failures for a client; the owner's log has the rest."""
    if isinstance(problem, StoreError):
        return store_error(problem)
    log.error("request %s failed", id_, exc_info=problem)
    return ApiError("api_error", "Internal server error")


def unknown_resource() -> ApiError:
    """The 404 of a path or id that is not there."""
    return ApiError("not_found_error", "The requested resource could not be found.")

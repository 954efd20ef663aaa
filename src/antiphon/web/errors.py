"""An `ApiError` as an HTTP reply."""

import logging

from starlette.responses import JSONResponse, Response

from antiphon.errors import ApiError

log = logging.getLogger(__name__)


def error_reply(error: ApiError, id_: str) -> Response:
    """The error envelope with its status and headers."""
    return JSONResponse(error.body(id_), status_code=error.status, headers=dict(error.headers))


def bug(problem: Exception, id_: str) -> ApiError:
    """What is left of our own failures for a client; the owner's log has the rest."""
    log.error("request %s failed", id_, exc_info=problem)
    return ApiError("api_error", "Internal server error")


def unknown_resource() -> ApiError:
    """The 404 of a path or id that is not there."""
    return ApiError("not_found_error", "The requested resource could not be found.")

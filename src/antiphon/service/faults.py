"""What clients are told when something outside the request fails."""

import logging
import math

from antiphon.errors import (
    ApiError,
    EngineDeclined,
    EngineDied,
    EngineFault,
    EngineFull,
    EngineUnavailable,
    InvalidRequest,
)
from antiphon.ports.media import MediaUnavailable
from antiphon.ports.stores import StoreError, StoreUnavailable
from antiphon.request.case import Issue

RETRY_AFTER_SECONDS = "2"

log = logging.getLogger(__name__)


def engine_error(fault: EngineFault) -> ApiError:
    """What a client is told of an engine's fault; the reason itself goes to the owner's log."""
    log.error("engine: %s: %s", type(fault).__name__, fault)
    match fault:
        case EngineDeclined():
            return InvalidRequest(str(fault))
        case EngineFull():
            later = str(max(1, math.ceil(fault.retry_after)))
            return ApiError("overloaded_error", "Overloaded", headers={"retry-after": later})
        case EngineUnavailable():
            return ApiError("overloaded_error", "Overloaded", headers={"retry-after": RETRY_AFTER_SECONDS})
        case EngineDied():
            return ApiError("api_error", "The model engine stopped during this reply. Please send the request again.")
        case _:
            return ApiError("api_error", "Internal server error")


def is_down(error: ApiError) -> bool:
    """Whether it says that an engine is not there. One that is full is there."""
    return isinstance(error.__cause__, EngineUnavailable) and not isinstance(error.__cause__, EngineFull)


def media_error(problem: MediaUnavailable) -> ApiError:
    """What a client is told where no files can be read now."""
    log.error("media: %s", problem)
    if problem.busy:
        return ApiError("overloaded_error", "Overloaded", headers={"retry-after": RETRY_AFTER_SECONDS})
    return ApiError("api_error", "Images and PDFs cannot be read now. Please try again later.")


def store_error(problem: StoreError) -> ApiError:
    """What a client is told where what is kept cannot be read or written."""
    log.error("stores: %s: %s", type(problem).__name__, problem)
    if isinstance(problem, StoreUnavailable):
        return ApiError("overloaded_error", "Overloaded", headers={"retry-after": RETRY_AFTER_SECONDS})
    return ApiError("api_error", "Internal server error")


def refusal(issue: Issue) -> InvalidRequest:
    """The error that says what is wrong with a request; what its owner can do about it goes to the log."""
    if issue.advice is not None:
        log.warning("%s", issue.advice)
    return InvalidRequest(issue.message, details=issue.details)

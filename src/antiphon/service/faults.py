"""What clients are told when something outside the request fails."""

from antiphon.errors import ApiError, EngineDied, EngineFault, EngineUnavailable
from antiphon.service.reply.reply import log

RETRY_AFTER_SECONDS = "2"


def told(fault: EngineFault) -> ApiError:
    """What a client is told of an engine's fault; the reason itself goes to the owner's log."""
    log.error("engine: %s: %s", type(fault).__name__, fault)
    match fault:
        case EngineUnavailable():
            return ApiError("overloaded_error", "Overloaded", headers={"retry-after": RETRY_AFTER_SECONDS})
        case EngineDied():
            return ApiError("api_error", "The model engine stopped during this reply. Please send the request again.")
        case _:
            return ApiError("api_error", "Internal server error")

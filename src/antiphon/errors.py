"""Errors that reach a client, as values, and the one table from their type to an HTTP status.

    ApiError                   anything the API answers with its error envelope
      └ InvalidRequest         the client's request is wrong: 400, first problem only
    EngineFault                a model engine failed; `service` turns it into an ApiError
      ├ EngineUnavailable      no engine can take the request now (starting, restarting, full)
      │   ├ EngineNotBegun     the engine was lost before it began: another may be asked
      │   └ EngineFull         too many wait already
      ├ EngineDied             the engine was lost while it worked on this request
      └ EngineRefused          the engine answered, and would not do it
          └ EngineDeclined     because of what is in the request, as its sender is told

Source: the API's error page; `error.type` values may grow, statuses may not.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

ErrorType = Literal[
    "invalid_request_error",
    "authentication_error",
    "billing_error",
    "permission_error",
    "not_found_error",
    "conflict_error",
    "request_too_large",
    "rate_limit_error",
    "api_error",
    "timeout_error",
    "overloaded_error",
]

STATUS: Mapping[ErrorType, int] = MappingProxyType(
    {
        "invalid_request_error": 400,
        "authentication_error": 401,
        "billing_error": 402,
        "permission_error": 403,
        "not_found_error": 404,
        "conflict_error": 409,
        "request_too_large": 413,
        "rate_limit_error": 429,
        "api_error": 500,
        "timeout_error": 504,
        "overloaded_error": 529,
    }
)


class ApiError(Exception):
    """An answer in the API's error envelope.

    `status` overrides the table for the few errors whose type and status disagree (405, 408).
    `details` is the envelope's `error.details`; `headers` go out with the reply (`retry-after`).
    """

    def __init__(
        self,
        type: ErrorType,  # noqa: A002 - the API's own field name
        message: str,
        *,
        status: int | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.type: ErrorType = type
        self.message = message
        self.status = STATUS[type] if status is None else status
        self.details = details
        self.headers: Mapping[str, str] = headers or {}

    def body(self, request_id: str) -> dict[str, Any]:
        """The error envelope as it travels, in replies and in `error` events alike."""
        error: dict[str, Any] = {"type": self.type, "message": self.message}
        if self.details is not None:
            error["details"] = dict(self.details)
        return {"type": "error", "error": error, "request_id": request_id}


class InvalidRequest(ApiError):  # noqa: N818 - reads as what happened
    """A 400: `message` carries the path of the offending value where there is one."""

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__("invalid_request_error", message, details=details)


class EngineFault(Exception):  # noqa: N818
    """A model engine failed. Its text is for the owner's log, never for the client."""


class EngineUnavailable(EngineFault):
    """No engine can take the request now: it is starting, restarting, stopped or full."""


class EngineNotBegun(EngineUnavailable):
    """The engine was lost before it began to work: what was asked of it may be asked of another.

    A prompt that kills the engine is not among these: engines answer before they read a prompt.
    """


class EngineFull(EngineUnavailable):
    """Too many wait already. `retry_after`: seconds after which there may be room."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class EngineDied(EngineFault):
    """The engine was lost while it worked on this request."""


class EngineRefused(EngineFault):
    """The engine is alive and would not do what it was asked."""


class EngineDeclined(EngineRefused):
    """The engine cannot do this for what stands in the request. Its text is for the client, as no other is."""

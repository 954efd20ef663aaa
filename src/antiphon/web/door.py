"""The outermost layer: every HTTP reply carries a `request-id`, and a closed door says so.

While models load, `GET /health` is a 503 and every other request a 529 that clients retry.
"""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from antiphon.errors import ApiError
from antiphon.ids import ENTROPY_BYTES, make_id
from antiphon.ports.system import Entropy
from antiphon.web.errors import error_reply

LOADING_RETRY_SECONDS = "5"


class Door:
    """Wraps an app that may come later (`open`)."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._app: ASGIApp | None = None
        self.in_flight = 0

    def open(self, app: ASGIApp) -> None:
        """Let requests through to the app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        id_ = make_id("req_", self._entropy.bytes(ENTROPY_BYTES))
        scope["antiphon.request_id"] = id_
        header = (b"request-id", id_.encode())

        def send_with_id(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), header]
            return send(message)

        self.in_flight += 1
        try:
            await (self._app or _closed)(scope, receive, send_with_id)
        finally:
            self.in_flight -= 1


async def _closed(scope: Scope, receive: Receive, send: Send) -> None:
    loading = ApiError(
        "overloaded_error",
        "The model is still being loaded. Please try again in a moment.",
        status=503 if scope["path"] == "/health" else None,
        headers={"retry-after": LOADING_RETRY_SECONDS},
    )
    await error_reply(loading, scope["antiphon.request_id"])(scope, receive, send)

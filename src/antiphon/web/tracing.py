"""Requests to `/v1/messages`, each followed from its coming to its end."""

from collections.abc import Awaitable, Mapping
from typing import Final, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from antiphon.ports.tracing import Tracer
from antiphon.service.tracing import TRACE
from antiphon.web.headers import FIELDS

_PATH: Final = "/v1/messages"
_CARRIED: Final = ("traceparent", "tracestate")
"""Source: W3C Trace Context, §3."""


class Traced:
    """Answers as another app does, and follows it. Wants a request's id and its header fields in the scope."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status: int | None = None

        def noted(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        fields = cast("Mapping[bytes, bytes]", scope[FIELDS])
        carried = {name: fields[name.encode()].decode("latin-1") for name in _CARRIED if name.encode() in fields}
        trace = self._tracer.begin(scope["antiphon.request_id"], carried)
        following = TRACE.set(trace)
        try:
            await self._app(scope, receive, noted)
        finally:
            TRACE.reset(following)
            trace.end(status)


def is_followed(scope: Scope) -> bool:
    """Whether a request is one of those that are."""
    return scope["path"] == _PATH and scope["method"] == "POST"

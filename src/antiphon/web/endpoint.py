"""One resource as an ASGI app: method check, errors to envelopes, nothing between a reply and its socket.

Starlette's own exception layers wrap every message that is sent; a stream sends one a token.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon.errors import ApiError
from antiphon.web.errors import bug, error_reply, unknown_resource

Handler = Callable[[Request], Awaitable[ASGIApp]]


class Endpoint:
    """Answers one path. `handlers`: method → what makes the reply; a GET handler answers HEAD too."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = dict(handlers)
        if "GET" in handlers:
            self._handlers["HEAD"] = handlers["GET"]
        self._allow = {"allow": ", ".join(sorted(self._handlers))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        id_: str = scope["antiphon.request_id"]
        try:
            handler = self._handlers.get(scope["method"])
            if handler is None:
                raise ApiError("invalid_request_error", "Method Not Allowed", status=405, headers=self._allow)
            reply = await handler(Request(scope, receive, send))
        except ApiError as error:
            reply = error_reply(error, id_)
        except Exception as problem:
            reply = error_reply(bug(problem, id_), id_)
        await reply(scope, receive, send)


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers every path that is not there."""
    await error_reply(unknown_resource(), scope["antiphon.request_id"])(scope, receive, send)

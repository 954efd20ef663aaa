"""What pages in browsers may do: preflights, and which replies a page may read.

As with the API, a page says by `anthropic-dangerous-direct-browser-access: true` that it knows what it does; the
origins that may are the owner's choice, and by default pages of this machine.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from antiphon.errors import ApiError
from antiphon.web.names import is_loopback_origin

ANY: Final = "*"
OPT_IN: Final = b"anthropic-dangerous-direct-browser-access"

PREFLIGHT: Final = b"access-control-request-method"
"""The field that makes OPTIONS a preflight."""

_Fields = Mapping[bytes, bytes]
_Headers = Sequence[tuple[bytes, bytes]]
_NAMES: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z, -]+")
_VARY: Final = (b"vary", b"Origin")
_READABLE: Final = (b"access-control-expose-headers", b"*")
_GRANTED: Final = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (b"access-control-max-age", b"7200"),
    _VARY,
)


class Cors:
    """Knows the origins whose pages may call the server: those of this machine, and `origins` (`*` = every one)."""

    def __init__(self, origins: Collection[str] = ()) -> None:
        self._any = ANY in origins
        self._origins = {origin.encode() for origin in origins}

    def readable(self, origin: bytes, fields: _Fields) -> _Headers:
        """The headers that let the page read the reply to a request with these fields; none for one that may not."""
        if fields.get(OPT_IN, b"").lower() != b"true" or not self._allows(origin):
            return (_VARY,)
        return ((b"access-control-allow-origin", origin), _READABLE, _VARY)

    def preflight(self, origin: bytes, fields: _Fields) -> "Preflight":
        """The answer to the browser's question whether the page may send its request. Raises a 403 if not."""
        if not self._allows(origin):
            raise ApiError(
                "permission_error",
                f"origin: pages from {origin.decode('latin-1')} may not call this server. "
                "Its owner can name them in cors_origins.",
            )
        answer = [(b"access-control-allow-origin", origin), *_GRANTED]
        names = fields.get(b"access-control-request-headers", b"")
        if _NAMES.fullmatch(names):
            answer.append((b"access-control-allow-headers", names))
        if fields.get(b"access-control-request-private-network") == b"true":
            answer.append((b"access-control-allow-private-network", b"true"))
        return Preflight(answer)

    def _allows(self, origin: bytes) -> bool:
        return self._any or origin in self._origins or is_loopback_origin(origin)


class Preflight:
    """The empty reply to a preflight; an ASGI app."""

    def __init__(self, headers: _Headers) -> None:
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = Response(status_code=204)
        reply.raw_headers = [*self._headers]
        await reply(scope, receive, send)

"""By which URL a client has reached the server: what it is told to fetch has to be under the same one."""

import re
from typing import Final

from starlette.requests import Request

from antiphon.web.headers import field

_HOST: Final = re.compile(r"[A-Za-z0-9._-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")


def base_url(request: Request) -> str:
    """The URL before the path, without a slash at its end.

    A proxy says by `x-forwarded-proto`, `-host` and `-prefix` what the client has called it. A client that writes
    these itself is told what it wrote: nobody else sees its reply.
    """
    scheme = _first(request, b"x-forwarded-proto")
    host = _first(request, b"x-forwarded-host") or field(request, b"host") or ""
    prefix = _first(request, b"x-forwarded-prefix").rstrip("/")
    if scheme not in ("http", "https"):
        scheme = request.scope["scheme"]
    if _HOST.fullmatch(host) is None:
        host = _listening(request)
    return f"{scheme}://{host}{prefix if _PREFIX.fullmatch(prefix) else ''}"


def _first(request: Request, name: bytes) -> str:
    """What the proxy that is nearest to the client says."""
    return (field(request, name) or "").partition(",")[0].strip()


def _listening(request: Request) -> str:
    host, port = request.scope["server"] or ("localhost", None)
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"

"""The console's files, as pages by their paths: fixed at the start, and nothing beside them can be asked for."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

Page = Callable[[Request], Awaitable[Response]]
"""Answers GET and HEAD."""

CONSOLE: Final = "/console"
INDEX: Final = "index.html"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""No script but the console's own files, no text that becomes markup, nobody else to talk to, nobody around it."""

_KINDS: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    # A browser asks each time, and is told that it has the file: pages and scripts are of one release.
    "cache-control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file."""

    body: bytes
    kind: str
    etag: str

    async def answer(self, request: Request) -> Response:
        """The file, or a 304 for who has it."""
        headers = {**_HEADERS, "etag": self.etag}
        if _names(request.headers.get("if-none-match", ""), self.etag):
            return Response(status_code=304, headers=headers)
        return Response(self.body, headers={**headers, "content-type": self.kind})


def console_pages() -> Mapping[str, Page]:
    """What answers each path of the console."""
    found = {f"{CONSOLE}/{name}": file.answer for name, file in _static().items() if name != INDEX}
    return {CONSOLE: _static()[INDEX].answer, f"{CONSOLE}/": _to_console, **found}


@cache
def _static() -> Mapping[str, StaticFile]:
    found: dict[str, StaticFile] = {}
    for file in files("antiphon.console").joinpath("static").iterdir():
        kind = _KINDS.get(file.name.rpartition(".")[2])
        if kind is not None:
            body = file.read_bytes()
            found[file.name] = StaticFile(body, kind, f'"{blake2b(body, digest_size=16).hexdigest()}"')
    return found


async def _to_console(_: Request) -> Response:
    # Relative, since a proxy may know the server under a path of its own.
    return Response(status_code=308, headers={**_HEADERS, "location": f"..{CONSOLE}"})


def _names(field: str, etag: str) -> bool:
    """Whether `If-None-Match` names the tag. Proxies that pack what they pass on make tags weak."""
    said = [each.strip().removeprefix("W/") for each in field.split(",")]
    return etag in said or "*" in said

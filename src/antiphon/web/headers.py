"""What the request's headers say: who calls, in which version, with which beta features."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request

from antiphon.web.identity import CALLER, IDENTITY, Caller, Identity
from antiphon.wire.base import WireContext
from antiphon.wire.headers import parse_betas, parse_version

FIELDS: Final = "antiphon.fields"
"""Where the scope of a request holds its header fields by name; of several with one name the first.

Starlette looks through the whole head for each field that it is asked for.
"""

SESSION: Final = b"x-claude-code-session-id"
"""The header in which a coding agent names its session. Source: Claude Code, recorded requests."""

_BETAS: Final = b"anthropic-beta"


def by_name(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The fields of a head as `FIELDS` holds them."""
    return dict(reversed(headers))


def field(request: Request, name: bytes) -> str | None:
    """The first field of this name, which is in lower case."""
    value: bytes | None = request.scope[FIELDS].get(name)
    return None if value is None else value.decode("latin-1")


def wire_context(request: Request, *, strict_betas: bool) -> WireContext:
    """What the request's headers say; its key has been checked."""
    version = parse_version(field(request, b"anthropic-version"))
    betas = betas_of(request, strict=strict_betas)
    shown: Caller | None = request.scope.get(CALLER)
    identity: Identity = request.scope[IDENTITY]
    caller = shown or identity.nobody
    return WireContext(
        version=version,
        betas=betas,
        client=field(request, b"user-agent") or "",
        session=field(request, SESSION) or "",
        tenant=caller.workspace,
        key=caller.key,
        models=caller.models,
    )


def betas_of(request: Request, *, strict: bool = False) -> frozenset[str]:
    """The beta features that are asked for. `strict`: unknown ones are an error."""
    said = request.headers.getlist("anthropic-beta") if _BETAS in request.scope[FIELDS] else ()
    return parse_betas(said, strict=strict)

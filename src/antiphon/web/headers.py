"""What the request's headers say: who calls, in which version, with which beta features."""

from starlette.requests import Request

from antiphon.wire.base import WireContext
from antiphon.wire.headers import parse_betas, parse_version


def wire_context(request: Request, *, strict_betas: bool) -> WireContext:
    """The version and the beta features that this request is read under."""
    version = parse_version(request.headers.get("anthropic-version"))
    betas = parse_betas(request.headers.getlist("anthropic-beta"), strict=strict_betas)
    return WireContext(version=version, betas=betas, client=request.headers.get("user-agent", ""))

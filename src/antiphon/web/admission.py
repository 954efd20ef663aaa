"""Who may ask, and what the request's headers say: of every endpoint but the few that ask for no key."""

from dataclasses import dataclass

from starlette.requests import Request

from antiphon.web.headers import wire_context
from antiphon.web.keys import Gatekeeper
from antiphon.wire.base import WireContext


@dataclass(frozen=True, slots=True)
class Admission:
    """Lets requests in. `strict_betas`: unknown beta headers are an error."""

    gatekeeper: Gatekeeper
    strict_betas: bool

    async def of(self, request: Request) -> WireContext:
        """What the headers say of a request whose key is good; raises `ApiError`."""
        await self.gatekeeper.check(request)
        return wire_context(request, strict_betas=self.strict_betas)

"""Who may ask, and what the request's headers say: of every endpoint but the few that ask for no key."""

from dataclasses import dataclass

from starlette.requests import Request

from antiphon.config.tables.limits import Group
from antiphon.service.limits import Limiter
from antiphon.web.headers import wire_context
from antiphon.web.identity import LIMITS
from antiphon.web.keys import Gatekeeper
from antiphon.wire.base import WireContext


@dataclass(frozen=True, slots=True)
class Admission:
    """Lets requests in. `strict_betas`: unknown beta headers are an error. `limiter`: keeps callers to their
    limits; None: there are none."""

    gatekeeper: Gatekeeper
    strict_betas: bool
    limiter: Limiter | None = None

    async def of(self, request: Request, group: Group | None = None) -> WireContext:
        """What the headers say of a request whose key is good; raises `ApiError`. `group`: what limits it beside
        all that is known of its model."""
        await self.gatekeeper.check(request)
        context = wire_context(request, strict_betas=self.strict_betas)
        if self.limiter is not None and group is not None:
            passed = await self.limiter.admit(group, context)
            if passed is not None:
                request.scope[LIMITS] = passed.headers
        return context

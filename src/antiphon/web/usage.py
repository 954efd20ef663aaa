"""`/v1/organizations/usage_report/messages` and `/v1/organizations/cost_report`, for those who run the server."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from antiphon.service.usage.reports import Reports
from antiphon.web.errors import unknown_resource
from antiphon.web.headers import betas_of
from antiphon.web.keys import Gatekeeper

FAST: Final = "fast-mode-"
"""How the header begins that lets a report tell speeds apart."""


@dataclass(frozen=True, slots=True)
class UsageResources:
    """The endpoints. `reports`: None where nothing is kept of what requests came to."""

    reports: Reports | None
    gatekeeper: Gatekeeper

    async def usage(self, request: Request) -> Response:
        """`GET /v1/organizations/usage_report/messages`"""
        reports = await self._admit(request)
        speeds = any(beta.startswith(FAST) for beta in betas_of(request))
        return _json(await reports.usage(request.query_params.multi_items(), speeds=speeds))

    async def cost(self, request: Request) -> Response:
        """`GET /v1/organizations/cost_report`"""
        reports = await self._admit(request)
        return _json(await reports.cost(request.query_params.multi_items()))

    async def _admit(self, request: Request) -> Reports:
        await self.gatekeeper.check_admin(request)
        if self.reports is None:
            raise unknown_resource()
        return self.reports


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")

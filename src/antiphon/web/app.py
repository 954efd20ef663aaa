"""The ASGI app: a table of resources over a set of services."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon.config import Settings
from antiphon.web.admission import Admission
from antiphon.web.batches import BatchResources
from antiphon.web.endpoint import Endpoint, Handler, nowhere
from antiphon.web.files import FileResources
from antiphon.web.keys import Gatekeeper
from antiphon.web.limits import LimitResources
from antiphon.web.metrics import METRICS, MetricsResource
from antiphon.web.probes import READY
from antiphon.web.routes import Resources, Services
from antiphon.web.skills import SkillResources
from antiphon.web.usage import UsageResources

_NO_PAGES: Final[Mapping[str, Handler]] = {}


@dataclass(frozen=True, slots=True)
class Paths:
    """Answers each path with what stands for it in a table, and all others with `rest`.

    Starlette's router tries one pattern after the other.
    """

    table: Mapping[str, ASGIApp]
    rest: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.table.get(scope["path"], self.rest)(scope, receive, send)


def build_app(settings: Settings, services: Services, pages: Mapping[str, Handler] = _NO_PAGES) -> ASGIApp:
    """The whole API, and pages that ask for no key, by their paths. Wants a request's id and its header fields in the
    scope (`web.door`)."""
    gatekeeper = Gatekeeper(
        settings.api_keys, services.keys, required=settings.require_keys, metrics_keys=settings.metrics_keys
    )
    admission = Admission(gatekeeper, settings.strict_betas, services.limiter)
    resources = Resources(settings, services, admission)
    limits = LimitResources(settings.limits, services.models, gatekeeper)
    usage = UsageResources(services.reports, gatekeeper)
    batches = BatchResources(services.batches, admission)
    table = {
        "/v1/messages": Endpoint({"POST": resources.create_message}),
        "/v1/messages/count_tokens": Endpoint({"POST": resources.count_tokens}),
        "/v1/messages/batches": Endpoint({"GET": batches.list, "POST": batches.create}),
        "/v1/models": Endpoint({"GET": resources.list_models}),
        "/v1/organizations/rate_limits": Endpoint({"GET": limits.read}),
        "/v1/organizations/usage_report/messages": Endpoint({"GET": usage.usage}),
        "/v1/organizations/cost_report": Endpoint({"GET": usage.cost}),
        "/v1/complete": Endpoint({"POST": resources.complete}),
        "/api/hello": Endpoint({"GET": resources.hello}),
        "/health": Endpoint({"GET": resources.health}),
        READY: Endpoint({"GET": resources.ready}),
        "/": Endpoint({"GET": resources.index}),
    }
    named = {
        "/v1/organizations/workspaces/{workspace_id}/rate_limits": Endpoint({"GET": limits.read_workspace}),
        "/v1/models/{model_id}": Endpoint({"GET": resources.get_model}),
        "/v1/messages/batches/{batch_id}": Endpoint({"GET": batches.retrieve, "DELETE": batches.delete}),
        "/v1/messages/batches/{batch_id}/cancel": Endpoint({"POST": batches.cancel}),
        "/v1/messages/batches/{batch_id}/results": Endpoint({"GET": batches.results}),
    }
    if services.measures is not None:
        table[METRICS] = Endpoint({"GET": MetricsResource(services.measures, gatekeeper, services.gather).read})
    if services.files is not None:
        files = FileResources(services.files, admission)
        table["/v1/files"] = Endpoint({"GET": files.list, "POST": files.upload})
        named["/v1/files/{file_id}"] = Endpoint({"GET": files.get, "DELETE": files.delete})
        named["/v1/files/{file_id}/content"] = Endpoint({"GET": files.content})
    if services.skills is not None:
        skills = SkillResources(services.skills, admission)
        table["/v1/skills"] = Endpoint({"GET": skills.list, "POST": skills.create})
        named |= skills.endpoints()
    table |= {path: Endpoint({"GET": page}) for path, page in pages.items()}
    routes = [Route(path, endpoint) for path, endpoint in named.items()]
    return Paths(table, Router(routes, default=nowhere, redirect_slashes=False))

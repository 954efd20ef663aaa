"""The ASGI app: a table of resources over a set of services."""

from starlette.routing import Route, Router

from antiphon.config import Settings
from antiphon.ports.server_tools import NO_SERVER_TOOLS, ServerTools
from antiphon.ports.system import Clock, Entropy
from antiphon.request.case import Latitude
from antiphon.seals import Seals
from antiphon.service.media.intake import MediaIntake
from antiphon.service.messages import MessageService, Thinkers
from antiphon.service.models import ModelService
from antiphon.service.reply.summarizer import Summarizer
from antiphon.service.served import ModelRoutes
from antiphon.service.server_side import ServerSide
from antiphon.web.endpoint import Endpoint, nowhere
from antiphon.web.keys import Gatekeeper
from antiphon.web.routes import Resources


def build_app(
    settings: Settings,
    routes: ModelRoutes,
    clock: Clock,
    entropy: Entropy,
    seals: Seals,
    media: MediaIntake,
    server_tools: ServerTools = NO_SERVER_TOOLS,
) -> Router:
    """The whole API over started engines. Wants a request id in the scope (`web.door`).

    `server_tools`: those that replies may use; whoever made them closes them.
    """
    summarizer = settings.thinking.summarizer
    thinkers = Thinkers(
        seals,
        settings.thinking.foreign,
        None if summarizer is None else Summarizer(routes.served[summarizer], clock),
    )
    resources = Resources(
        settings=settings,
        routes=routes,
        messages=MessageService(
            routes,
            clock,
            entropy,
            thinkers,
            media,
            ServerSide(server_tools, settings.server_tools),
            Latitude(settings.extended_schemas, settings.accommodations),
        ),
        models=ModelService(routes, server_tools),
        gatekeeper=Gatekeeper(settings.api_keys),
    )
    table = {
        "/v1/messages": Endpoint({"POST": resources.create_message}),
        "/v1/messages/count_tokens": Endpoint({"POST": resources.count_tokens}),
        "/v1/models": Endpoint({"GET": resources.list_models}),
        "/v1/models/{model_id}": Endpoint({"GET": resources.get_model}),
        "/health": Endpoint({"GET": resources.health}),
        "/": Endpoint({"GET": resources.index}),
    }
    return Router(
        [Route(path, endpoint) for path, endpoint in table.items()], default=nowhere, redirect_slashes=False
    )

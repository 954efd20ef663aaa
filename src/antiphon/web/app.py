"""The ASGI app: a table of resources over a set of services."""

from starlette.routing import Route, Router

from antiphon.config import Settings
from antiphon.web.endpoint import Endpoint, nowhere
from antiphon.web.keys import Gatekeeper
from antiphon.web.routes import Resources, Services


def build_app(settings: Settings, services: Services) -> Router:
    """The whole API. Wants a request id in the scope (`web.door`)."""
    resources = Resources(settings, services, Gatekeeper(settings.api_keys))
    table = {
        "/v1/messages": Endpoint({"POST": resources.create_message}),
        "/v1/messages/count_tokens": Endpoint({"POST": resources.count_tokens}),
        "/v1/models": Endpoint({"GET": resources.list_models}),
        "/v1/models/{model_id}": Endpoint({"GET": resources.get_model}),
        "/v1/complete": Endpoint({"POST": resources.complete}),
        "/api/hello": Endpoint({"GET": resources.hello}),
        "/health": Endpoint({"GET": resources.health}),
        "/": Endpoint({"GET": resources.index}),
    }
    return Router(
        [Route(path, endpoint) for path, endpoint in table.items()], default=nowhere, redirect_slashes=False
    )

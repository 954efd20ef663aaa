"""The resources of the API, each a few lines between HTTP and the service."""

from dataclasses import dataclass
from typing import Any

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from antiphon.config import Settings
from antiphon.errors import InvalidRequest
from antiphon.service.completions import refuse_completion
from antiphon.service.messages import MessageService
from antiphon.service.models import DEFAULT_LIMIT, MAX_LIMIT, ModelService, PageQuery
from antiphon.web.body import read_json_body
from antiphon.web.headers import wire_context
from antiphon.web.keys import Gatekeeper
from antiphon.web.replies import MessageReply, Pace, nobody, unless_gone
from antiphon.wire.base import WireContext

_MOST_DIGITS = 18
_LIFECYCLES = ("active", "deprecated", "retired")


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases that the API is made of."""

    messages: MessageService
    models: ModelService


@dataclass(frozen=True, slots=True)
class Resources:
    """The endpoints, over one set of services."""

    settings: Settings
    services: Services
    gatekeeper: Gatekeeper

    async def create_message(self, request: Request) -> ASGIApp:
        """`POST /v1/messages`"""
        context = self._admit(request)
        body = await self._body(request)
        pace = Pace(self.settings.commit_after, self.settings.ping_after)
        return MessageReply(self.services.messages.prepare(body, context), pace)

    async def count_tokens(self, request: Request) -> ASGIApp:
        """`POST /v1/messages/count_tokens`"""
        context = self._admit(request)
        body = await self._body(request)
        count = await unless_gone(request.receive, self.services.messages.count(body, context))
        return nobody if count is None else _json(msgspec.json.encode(count))

    async def list_models(self, request: Request) -> Response:
        """`GET /v1/models`"""
        self._admit(request)
        return _json(msgspec.json.encode(self.services.models.page(_page_query(request))))

    async def get_model(self, request: Request) -> Response:
        """`GET /v1/models/{id}`"""
        self._admit(request)
        return _json(msgspec.json.encode(self.services.models.get(request.path_params["model_id"])))

    async def complete(self, request: Request) -> Response:
        """`POST /v1/complete`: what the API's models of today say to its first endpoint."""
        self._admit(request)
        raise refuse_completion(await self._body(request))

    async def hello(self, _: Request) -> Response:
        """`HEAD /api/hello`: a coding agent asks whether it is online."""
        return _json(orjson.dumps({"message": "hello"}))

    async def health(self, request: Request) -> Response:
        """`GET /health`: 200 only when every served model can answer. What keeps one from it is for those alone who
        may use the models."""
        states = await self.services.models.health()
        ready = all(state.ready for state in states.values())
        body: dict[str, Any] = {"status": "ok" if ready else "unavailable"}
        if self.gatekeeper.trusts(request):
            body["models"] = {id_: "ready" if state.ready else state.detail for id_, state in states.items()}
            if parts := {id_: state.parts for id_, state in states.items() if state.parts}:
                body["engines"] = parts
        return _json(orjson.dumps(body), status=200 if ready else 503)

    async def index(self, _: Request) -> Response:
        """`GET /` and `HEAD /`: clients ask whether anybody is there."""
        return PlainTextResponse("Antiphon serves the Messages API here: POST /v1/messages\n")

    def _admit(self, request: Request) -> WireContext:
        self.gatekeeper.check(request)
        return wire_context(request, strict_betas=self.settings.strict_betas)

    async def _body(self, request: Request) -> bytes:
        return await read_json_body(request, self.settings.max_body)


def _json(body: str | bytes, status: int = 200) -> Response:
    return Response(body, status_code=status, media_type="application/json")


def _page_query(request: Request) -> PageQuery:
    query = request.query_params
    lifecycle = tuple(query.getlist("lifecycle") + query.getlist("lifecycle[]"))
    for value in lifecycle:
        if value not in _LIFECYCLES:
            raise InvalidRequest("lifecycle: Input should be 'active', 'deprecated' or 'retired'")
    return PageQuery(
        limit=_limit(query.get("limit")),
        after_id=query.get("after_id"),
        before_id=query.get("before_id"),
        lifecycle=lifecycle,
    )


def _limit(value: str | None) -> int:
    if value is None:
        return DEFAULT_LIMIT
    # More digits than a limit can have: the interpreter refuses to read thousands of them.
    if not value.removeprefix("-").isdecimal() or len(value) > _MOST_DIGITS:
        raise InvalidRequest("limit: Input should be a valid integer")
    limit = int(value)
    if limit < 1:
        raise InvalidRequest("limit: Input should be greater than or equal to 1")
    if limit > MAX_LIMIT:
        raise InvalidRequest(f"limit: Input should be less than or equal to {MAX_LIMIT}")
    return limit

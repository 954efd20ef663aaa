"""The resources of the API, each a few lines between HTTP and the service."""

from dataclasses import asdict, dataclass
from typing import Any

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from antiphon.config import Settings
from antiphon.errors import InvalidRequest
from antiphon.request.pages import limit_of
from antiphon.service.batches.enqueued import Enqueued
from antiphon.service.batches.runner import BatchRunner
from antiphon.service.batches.taking import Batches
from antiphon.service.completions import refuse_completion
from antiphon.service.explainer import Explainer
from antiphon.service.files.files import Files
from antiphon.service.guard.guard import OwnersGuard
from antiphon.service.keys import KeyRing
from antiphon.service.limits import Limiter
from antiphon.service.measuring import Gather, Measures
from antiphon.service.messages import MessageService
from antiphon.service.models import ModelService, PageQuery
from antiphon.service.readiness import Readiness
from antiphon.service.skills.library import SkillLibrary
from antiphon.service.usage.reports import Reports
from antiphon.service.usage.spending import Spending
from antiphon.web import probes
from antiphon.web.admission import Admission
from antiphon.web.body import read_json_body
from antiphon.web.explaining import explained_reply, wants_explanation
from antiphon.web.replies import MessageReply, Pace, nobody, unless_gone
from antiphon.wire.base import WireContext
from antiphon.wire.gates import FALLBACK

_LIFECYCLES = ("active", "deprecated", "retired")


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases that the API is made of. `files`, `batches`: None where nothing is kept. `runner`: runs the
    requests of batches, from its start to its close. `keys`: those of callers that are
    kept; None: those of the settings alone. `limiter`: keeps callers to their limits, if
    there are any. `reports`: of what requests came to; None where that is not kept. `spending`: keeps
    callers to what they may spend, until it is closed. `guard`: who may decline what is asked and answered.
    `enqueued`: how many requests batches may have waiting. `readiness`: whether requests can be answered; by default,
    whether a model can. `measures`: what is told to those who watch; None: nothing. `gather`: adds what other
    processes tell."""

    messages: MessageService
    models: ModelService
    explainer: Explainer
    files: Files | None = None
    batches: Batches | None = None
    runner: BatchRunner | None = None
    keys: KeyRing | None = None
    limiter: Limiter | None = None
    reports: Reports | None = None
    spending: Spending | None = None
    guard: OwnersGuard | None = None
    enqueued: Enqueued | None = None
    skills: SkillLibrary | None = None
    readiness: Readiness | None = None
    measures: Measures | None = None
    gather: Gather | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """The endpoints, over one set of services."""

    settings: Settings
    services: Services
    admission: Admission

    async def create_message(self, request: Request) -> ASGIApp:
        """`POST /v1/messages`"""
        context = await self.admission.of(request)
        if wants_explanation(request):
            return await self._explain(request, context)
        body = await self._body(request)
        pace = Pace(self.settings.commit_after, self.settings.ping_after)
        return MessageReply(self.services.messages.prepare(body, context), pace)

    async def _explain(self, request: Request, context: WireContext) -> ASGIApp:
        body, betas = await self._body(request), request.headers.getlist("anthropic-beta")
        explained = await unless_gone(request.receive, self.services.explainer.explain(body, context, betas))
        return nobody if explained is None else explained_reply(explained)

    async def count_tokens(self, request: Request) -> ASGIApp:
        """`POST /v1/messages/count_tokens`"""
        context = await self.admission.of(request, "token_count")
        body = await self._body(request)
        count = await unless_gone(request.receive, self.services.messages.count(body, context))
        return nobody if count is None else _json(msgspec.json.encode(count))

    async def list_models(self, request: Request) -> Response:
        """`GET /v1/models`"""
        context = await self.admission.of(request)
        page = self.services.models.page(_page_query(request), context.models, fallbacks=context.unlocks(FALLBACK))
        return _json(msgspec.json.encode(page))

    async def get_model(self, request: Request) -> Response:
        """`GET /v1/models/{id}`"""
        context = await self.admission.of(request)
        name, fallbacks = request.path_params["model_id"], context.unlocks(FALLBACK)
        return _json(msgspec.json.encode(self.services.models.get(name, context.models, fallbacks=fallbacks)))

    async def complete(self, request: Request) -> Response:
        """`POST /v1/complete`: what the API's models of today say to its first endpoint."""
        await self.admission.of(request)
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
        if await self.admission.gatekeeper.trusts(request):
            body["models"] = {id_: "ready" if state.ready else state.detail for id_, state in states.items()}
            if choices := self.services.models.choices(states):
                body["routes"] = choices
            if parts := {id_: state.parts for id_, state in states.items() if state.parts}:
                body["engines"] = parts
            if kept := {id_: asdict(state.kept) for id_, state in states.items() if state.kept is not None}:
                body["prompt_cache"] = kept
        return _json(orjson.dumps(body), status=200 if ready else 503)

    async def ready(self, _: Request) -> Response:
        """`GET /readyz`: 200 while some request can be answered here."""
        readiness = self.services.readiness or Readiness(self.services.models)
        return probes.ready(yes=await readiness.ready())

    async def index(self, _: Request) -> Response:
        """`GET /` and `HEAD /`: clients ask whether anybody is there."""
        return PlainTextResponse("Antiphon serves the Messages API here: POST /v1/messages\n")

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
        limit=limit_of(query.get("limit")),
        after_id=query.get("after_id"),
        before_id=query.get("before_id"),
        lifecycle=lifecycle,
    )

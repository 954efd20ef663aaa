"""From a request's bytes to what was asked: parsed, judged, opened, its files read. Every endpoint's one way in."""

import dataclasses
from collections.abc import Callable, Collection
from typing import Final

from msgspec.structs import replace

from antiphon.ports.mcp import McpConnector
from antiphon.ports.system import Clock
from antiphon.request.asked import Asked, Host, Request, receive, receive_again
from antiphon.request.case import NONE, Issue
from antiphon.request.intake import Document, document_of
from antiphon.service.aside import aside, aside_by
from antiphon.service.containers import Containers
from antiphon.service.faults import refusal
from antiphon.service.held import Hold
from antiphon.service.listing import listed
from antiphon.service.media.intake import MediaIntake
from antiphon.service.served import ModelRoutes, ServedModel
from antiphon.wire.base import WireContext
from antiphon.wire.request import CreateMessage

LARGE_BODY: Final = 512 * 1024
"""Bytes; one that small is read in about ten milliseconds."""


class Intake:
    """Takes requests in. `mcp`: the way to MCP servers; None: there is none. `clock`: says whether tokens have
    expired; None: they never do. Raises `ApiError` only."""

    def __init__(
        self,
        routes: ModelRoutes,
        media: MediaIntake,
        host: Host,
        containers: Containers | None = None,
        mcp: McpConnector | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock
        self._mcp = mcp
        self._routes = routes
        self._media = media
        self._host = host
        self._containers = containers

    def hold(self) -> Hold:
        """A request that begins, for as long as it may need a model."""
        return self._routes.holds.open()

    async def read_document(self, body: bytes) -> Document:
        """The body as JSON."""
        return await aside(document_of, body, large=LARGE_BODY)

    async def read_shape(
        self, document: Document, context: WireContext, parse: Callable[[Document, WireContext], Request]
    ) -> Request:
        """The request as far as it can be judged without its model; the first thing that is wrong is the error."""
        context = self._of_this_host(context)
        return await aside_by(document.size, lambda: parse(document, context), large=LARGE_BODY)

    async def judge_strictly(
        self, document: Document, context: WireContext, parse: Callable[[Document, WireContext], Request]
    ) -> None:
        """Raise what is wrong with the request where the owner lets nothing pass that the API refuses; none of its
        files is read."""
        await self._received(document, context, parse, dataclasses.replace(self._host, latitude=NONE))

    def has_choice(self, name: str) -> bool:
        """Whether several models answer for the name."""
        return len(self._routes.targets(name)) > 1

    async def read_request(
        self,
        document: Document,
        context: WireContext,
        parse: Callable[[Document, WireContext], Request],
        avoid: Collection[str] = (),
    ) -> tuple[Asked[Request], ServedModel]:
        """What was asked, and the model that answers; the first thing that is wrong with it is the error. `avoid`:
        the ids of models that are down, where others answer for the name."""
        chosen = await self._routes.choose(document.value.get("model"), avoid)
        asked, served = await self._received(document, context, parse, self._host, chosen)
        if asked.request.mcp_servers:
            asked = await listed(asked, self._mcp)
        asked = asked.naming(await self._media.named(context.tenant, asked.files))
        if self._containers is not None and asked.case.runs_code:
            uploads = await self._containers.uploads(asked.case)
            skills = await self._containers.skills(asked.case)
            claimed = await self._containers.claim(asked.case, uploads, skills)
            asked = asked.naming({**asked.uploads, **uploads})
            asked = asked.working_in(claimed, tuple(one.version for one in skills))
        return asked.reading(await self._media.read(asked.files, asked.uploads)), served

    async def _received(
        self,
        document: Document,
        context: WireContext,
        parse: Callable[[Document, WireContext], Request],
        host: Host,
        chosen: str | None = None,
    ) -> tuple[Asked[Request], ServedModel]:
        context, now = self._of_this_host(context), 0.0 if self._clock is None else self._clock.now()

        def received() -> tuple[Asked[Request] | Issue, ServedModel]:
            request = parse(document, context)
            target, served = self._routes.resolve(request.model, context.models, chosen)
            return receive(request, target, context, host, now), served

        asked, served = await aside_by(document.size, received, large=LARGE_BODY)
        if isinstance(asked, Issue):
            raise refusal(asked)
        return asked, served

    async def judged_for(self, request: CreateMessage, context: WireContext, size: int) -> Issue | None:
        """What is wrong with a request of so many bytes for the model that it names, which answers it in its turn."""
        context = self._of_this_host(context)

        def judged() -> Issue | None:
            target, _ = self._routes.resolve(request.model, context.models)
            received = receive(request, target, context, self._host)
            return received if isinstance(received, Issue) else None

        return await aside_by(size, judged, large=LARGE_BODY)

    async def read_for(
        self, asked: Asked[CreateMessage], request: CreateMessage, size: int
    ) -> tuple[Asked[CreateMessage], ServedModel]:
        """The same request, of so many bytes, for another model: what is known of its uploads, tools and container is
        kept."""
        chosen = await self._routes.choose(request.model)
        target, served = self._routes.resolve(request.model, asked.context.models, chosen)
        again = await aside_by(size, lambda: receive(request, target, asked.context, self._host), large=LARGE_BODY)
        if isinstance(again, Issue):
            raise refusal(again)
        again = replace(again, case=dataclasses.replace(again.case, listed=asked.case.listed))
        again = again.naming(asked.uploads).working_in(asked.container, asked.skills)
        return again.reading(await self._media.read(again.files, again.uploads)), served

    async def read_again(self, asked: Asked[Request], request: Request) -> Asked[Request]:
        """What a reply goes on with: `request` is `asked` as a client would send it back. Known files are kept."""
        again = receive_again(asked, request, self._host)
        if isinstance(again, Issue):
            raise refusal(again)
        again = again.naming(asked.uploads).working_in(asked.container, asked.skills)
        new = await self._media.read([file for file in again.files if file.path not in asked.media], again.uploads)
        return again.reading({**asked.media, **new})

    def _of_this_host(self, context: WireContext) -> WireContext:
        return replace(context, own=self._host.own, own_models=self._routes.wide)

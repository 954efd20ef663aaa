"""From a request's bytes to what was asked: parsed, judged, opened, its files read. Every endpoint's one way in."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from antiphon.request.asked import Asked, Host, Request, receive, receive_again
from antiphon.request.case import Issue
from antiphon.service.aside import aside
from antiphon.service.faults import refusal
from antiphon.service.media.intake import MediaIntake
from antiphon.service.served import ModelRoutes, ServedModel
from antiphon.wire.base import WireContext

LARGE_BODY: Final = 512 * 1024
"""Bytes; one that small is read in about ten milliseconds."""


class Intake:
    """Takes requests in. Raises `ApiError` only."""

    def __init__(self, routes: ModelRoutes, media: MediaIntake, host: Host) -> None:
        self._routes = routes
        self._media = media
        self._host = host

    async def read_request(
        self, body: bytes, context: WireContext, parse: Callable[[bytes, WireContext], Request]
    ) -> tuple[Asked[Request], ServedModel]:
        """What was asked, and the model that answers; the first thing that is wrong with it is the error."""
        host = self._host
        context = replace(context, own=host.own, own_models=host.wide)

        def received(body: bytes) -> tuple[Asked[Request] | Issue, ServedModel]:
            request = parse(body, context)
            target, served = self._routes.resolve(request.model)
            return receive(request, target, context, host), served

        asked, served = await aside(received, body, large=LARGE_BODY)
        if isinstance(asked, Issue):
            raise refusal(asked)
        return asked.reading(await self._media.read(asked.files)), served

    async def read_again(self, asked: Asked[Request], request: Request) -> Asked[Request]:
        """What a reply goes on with: `request` is `asked` as a client would send it back. Known files are kept."""
        again = receive_again(asked, request, self._host)
        if isinstance(again, Issue):
            raise refusal(again)
        new = await self._media.read([file for file in again.files if file.path not in asked.media])
        return again.reading({**asked.media, **new})

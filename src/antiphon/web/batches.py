"""The resources of message batches, between HTTP and the service."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon.ports.batches import Batch
from antiphon.request.pages import limit_of
from antiphon.service.batches.taking import MOST_BODY, Batches
from antiphon.web.admission import Admission
from antiphon.web.body import json_pieces
from antiphon.web.errors import unknown_resource
from antiphon.web.reached import base_url
from antiphon.web.replies import UntilDisconnect
from antiphon.wire.base import WireContext
from antiphon.wire.batches import DeletedMessageBatch, MessageBatch, MessageBatchPage, RequestCounts
from antiphon.wire.moments import moment
from antiphon.wire.reply import ReplyModel

PROGRESS: Final = "antiphon-batch-counts"
"""The header that says how far a batch is. Its body does not, before it has ended: so does the API."""

_RETRY_AFTER: Final = "10"


@dataclass(frozen=True, slots=True)
class BatchResources:
    """The endpoints. `batches`: None where nothing is kept."""

    batches: Batches | None
    admission: Admission

    async def create(self, request: Request) -> ASGIApp:
        """`POST /v1/messages/batches`"""
        batches, context = await self._admit(request)
        async with aclosing(json_pieces(request, MOST_BODY)) as body:
            return _shown(request, await batches.create(body, context))

    async def list(self, request: Request) -> ASGIApp:
        """`GET /v1/messages/batches`"""
        batches, context = await self._admit(request)
        query = request.query_params
        limit = limit_of(query.get("limit"))
        page = await batches.page(limit, query.get("after_id"), query.get("before_id"), context)
        base = base_url(request)
        data = [_wire(batch, base) for batch in page.batches]
        first, last = (data[0].id, data[-1].id) if data else (None, None)
        return _json(MessageBatchPage(data=data, has_more=page.more, first_id=first, last_id=last))

    async def retrieve(self, request: Request) -> ASGIApp:
        """`GET /v1/messages/batches/{id}`"""
        batches, context = await self._admit(request)
        batch = await batches.get(request.path_params["batch_id"], context)
        reply = _shown(request, batch)
        if batch.ended_at is None:
            reply.headers["retry-after"] = _RETRY_AFTER
        return reply

    async def cancel(self, request: Request) -> ASGIApp:
        """`POST /v1/messages/batches/{id}/cancel`"""
        batches, context = await self._admit(request)
        return _shown(request, await batches.cancel(request.path_params["batch_id"], context))

    async def delete(self, request: Request) -> ASGIApp:
        """`DELETE /v1/messages/batches/{id}`"""
        batches, context = await self._admit(request)
        id_: str = request.path_params["batch_id"]
        await batches.delete(id_, context)
        return _json(DeletedMessageBatch(id=id_))

    async def results(self, request: Request) -> ASGIApp:
        """`GET /v1/messages/batches/{id}/results`"""
        batches, context = await self._admit(request)
        return _Lines(await batches.results(request.path_params["batch_id"], context))

    async def _admit(self, request: Request) -> tuple[Batches, WireContext]:
        context = await self.admission.of(request, "batch")
        if self.batches is None:
            raise unknown_resource()
        return self.batches, context


class _Lines:
    """A reply of lines of JSON, fetched as the client takes them; an ASGI app for one request."""

    def __init__(self, lines: AsyncGenerator[bytes]) -> None:
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False
        with UntilDisconnect(receive):
            async with aclosing(self._lines) as lines:
                async for data in lines:
                    if not begun:
                        begun = True
                        await send(_START)
                    if scope["method"] == "HEAD":
                        break
                    await send({"type": "http.response.body", "body": data, "more_body": True})
            if not begun:
                await send(_START)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _shown(request: Request, batch: Batch) -> Response:
    """A batch; the head says how far it is."""
    counts = batch.counts
    progress = f"succeeded={counts.succeeded}, errored={counts.errored}, canceled={counts.canceled}, "
    headers = {PROGRESS: f"{progress}expired={counts.expired}, total={batch.total}"}
    return _json(_wire(batch, base_url(request)), headers)


def _wire(batch: Batch, base: str) -> MessageBatch:
    ended, counts = batch.ended_at is not None, batch.counts
    fetched = ended and batch.archived_at is None
    return MessageBatch(
        id=batch.id,
        processing_status="ended" if ended else "in_progress" if batch.cancel_initiated_at is None else "canceling",
        # Until it has ended all of it counts as being worked at. Source: official SDK, types.
        request_counts=RequestCounts(
            processing=0,
            succeeded=counts.succeeded,
            errored=counts.errored,
            canceled=counts.canceled,
            expired=counts.expired,
        )
        if ended
        else RequestCounts(processing=batch.total),
        ended_at=_moment(batch.ended_at),
        created_at=moment(batch.created_at),
        expires_at=moment(batch.expires_at),
        archived_at=_moment(batch.archived_at),
        cancel_initiated_at=_moment(batch.cancel_initiated_at),
        results_url=f"{base}/v1/messages/batches/{batch.id}/results" if fetched else None,
    )


def _moment(micros: int | None) -> str | None:
    return None if micros is None else moment(micros)


def _json(value: ReplyModel, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json", headers=headers)


_START: Final = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/x-jsonl"), (b"cache-control", b"no-store")],
}

"""The endpoints of files."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon.ports.files import StoredFile
from antiphon.ports.stores import StoreError
from antiphon.request.files.listing import listing
from antiphon.service.files.files import Files
from antiphon.service.files.telling import metadata, page
from antiphon.web.admission import Admission
from antiphon.web.multipart import form_of
from antiphon.web.replies import UntilDisconnect
from antiphon.web.uploads import Patience, body_of
from antiphon.wire.base import WireContext
from antiphon.wire.files import DeletedFile
from antiphon.wire.gates import FILES

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FileResources:
    """`/v1/files` and what is under it. Whoever sends the beta's header is answered in its shapes."""

    files: Files
    admission: Admission
    patience: Patience = field(default_factory=Patience)

    async def upload(self, request: Request) -> Response:
        """`POST /v1/files`"""
        context = await self.admission.of(request, "files")
        form = form_of(request, body_of(request, self.files.uploads.most, self.patience))
        return _json(metadata(await self.files.uploads.upload(context.tenant, form), beta=_beta(context)))

    async def list(self, request: Request) -> Response:
        """`GET /v1/files`"""
        context = await self.admission.of(request, "files")
        beta = _beta(context)
        asked = listing(request.query_params.multi_items(), beta=beta)
        return _json(page(await self.files.library.shelf(context.tenant, asked), beta=beta))

    async def get(self, request: Request) -> Response:
        """`GET /v1/files/{id}`"""
        context = await self.admission.of(request, "files")
        return _json(metadata(await self.files.library.get(context.tenant, _id(request)), beta=_beta(context)))

    async def content(self, request: Request) -> ASGIApp:
        """`GET /v1/files/{id}/content`"""
        context = await self.admission.of(request, "files")
        file, chunks = await self.files.library.download(context.tenant, _id(request))
        return Download(file, chunks)

    async def delete(self, request: Request) -> Response:
        """`DELETE /v1/files/{id}`"""
        context = await self.admission.of(request, "files")
        await self.files.library.delete(context.tenant, _id(request))
        return _json(DeletedFile(id=_id(request)))


@dataclass(frozen=True, slots=True)
class Download:
    """A file's bytes, as they are read; an ASGI app for one request.

    Whoever opens them in a browser gets a file to save, never a page of this server's.
    """

    file: StoredFile
    chunks: AsyncGenerator[bytes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self.chunks):
            await send({"type": "http.response.start", "status": 200, "headers": self._headers()})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
                return
            with UntilDisconnect(receive):
                try:
                    async for chunk in self.chunks:
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                except StoreError as problem:
                    # A reply that ends before its length is one that failed, to every client.
                    log.error("files: %s was sent in part: %s", self.file.id, problem)
                    return
                await send({"type": "http.response.body", "body": b""})

    def _headers(self) -> list[tuple[bytes, bytes]]:
        name = quote(self.file.filename, safe="")
        return [
            (b"content-type", self.file.mime_type.encode()),
            (b"content-length", str(self.file.size).encode()),
            (b"content-disposition", f"attachment; filename*=UTF-8''{name}".encode()),
            (b"x-content-type-options", b"nosniff"),
        ]


def _id(request: Request) -> str:
    return request.path_params["file_id"]


def _beta(context: WireContext) -> bool:
    return context.unlocks(FILES)


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")

"""The endpoints of skills."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from antiphon.request.skills.listing import skill_listing, version_listing
from antiphon.request.skills.wording import MOST_BYTES, too_large
from antiphon.service.files.form import Form
from antiphon.service.skills import telling
from antiphon.service.skills.library import SkillLibrary
from antiphon.web.admission import Admission
from antiphon.web.endpoint import Endpoint
from antiphon.web.multipart import form_of
from antiphon.web.uploads import Patience, body_of
from antiphon.wire.base import WireContext
from antiphon.wire.gates import SKILLS
from antiphon.wire.skills import Deleted

_AROUND = 1024 * 1024
"""Bytes that a form of many files may have around them."""


@dataclass(frozen=True, slots=True)
class SkillResources:
    """`/v1/skills` and what is under it. Whoever sends the beta's header is answered in its shapes."""

    library: SkillLibrary
    admission: Admission
    patience: Patience = field(default_factory=Patience)

    def endpoints(self) -> dict[str, Endpoint]:
        """All of them but the first, by their paths."""
        version = "/v1/skills/{skill_id}/versions/{version}"
        return {
            "/v1/skills/{skill_id}": Endpoint({"GET": self.get, "DELETE": self.delete}),
            "/v1/skills/{skill_id}/versions": Endpoint({"GET": self.versions, "POST": self.add_version}),
            version: Endpoint({"GET": self.get_version, "DELETE": self.delete_version}),
            f"{version}/content": Endpoint({"GET": self.content}),
        }

    async def create(self, request: Request) -> Response:
        """`POST /v1/skills`"""
        context = await self._admitted(request)
        return _json(
            telling.skill(await self.library.create(context.tenant, self._form(request)), beta=_beta(context))
        )

    async def list(self, request: Request) -> Response:
        """`GET /v1/skills`"""
        context = await self._admitted(request)
        beta = _beta(context)
        asked = skill_listing(request.query_params.multi_items(), beta=beta)
        return _json(telling.skills(await self.library.skills(context.tenant, asked), beta=beta))

    async def get(self, request: Request) -> Response:
        """`GET /v1/skills/{id}`"""
        context = await self._admitted(request)
        return _json(telling.skill(await self.library.get(context.tenant, _id(request)), beta=_beta(context)))

    async def delete(self, request: Request) -> Response:
        """`DELETE /v1/skills/{id}`"""
        context = await self._admitted(request)
        await self.library.delete(context.tenant, _id(request))
        return _json(Deleted(id=_id(request), type="skill_deleted"))

    async def add_version(self, request: Request) -> Response:
        """`POST /v1/skills/{id}/versions`"""
        context = await self._admitted(request)
        added = await self.library.add_version(context.tenant, _id(request), self._form(request))
        return _json(telling.version(added, beta=_beta(context)))

    async def versions(self, request: Request) -> Response:
        """`GET /v1/skills/{id}/versions`"""
        context = await self._admitted(request)
        asked = version_listing(request.query_params.multi_items())
        found = await self.library.versions(context.tenant, _id(request), asked)
        return _json(telling.versions(found, beta=_beta(context)))

    async def get_version(self, request: Request) -> Response:
        """`GET /v1/skills/{id}/versions/{version}`"""
        context = await self._admitted(request)
        found = await self.library.version(context.tenant, _id(request), _version(request))
        return _json(telling.version(found, beta=_beta(context)))

    async def delete_version(self, request: Request) -> Response:
        """`DELETE /v1/skills/{id}/versions/{version}`: clients of the beta take even the last one away."""
        context = await self._admitted(request)
        beta = _beta(context)
        gone = await self.library.delete_version(context.tenant, _id(request), _version(request), last=beta)
        return _json(Deleted(id=telling.named(gone, beta=beta), type="skill_version_deleted"))

    async def content(self, request: Request) -> Response:
        """`GET /v1/skills/{id}/versions/{version}/content`"""
        context = await self._admitted(request)
        version, data = await self.library.download(context.tenant, _id(request), _version(request))
        headers = {
            "content-disposition": f'attachment; filename="{version.name}.zip"',
            "x-content-type-options": "nosniff",
        }
        return Response(data, media_type="application/zip", headers=headers)

    async def _admitted(self, request: Request) -> WireContext:
        return await self.admission.of(request, "skills")

    def _form(self, request: Request) -> Form:
        return form_of(request, body_of(request, MOST_BYTES + _AROUND, self.patience, lambda _: too_large()))


def _id(request: Request) -> str:
    return request.path_params["skill_id"]


def _version(request: Request) -> str:
    return request.path_params["version"]


def _beta(context: WireContext) -> bool:
    return context.unlocks(SKILLS)


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")

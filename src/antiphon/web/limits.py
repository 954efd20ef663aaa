"""`/v1/organizations/rate_limits`: the limits of the settings, for those who run the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from antiphon.config.tables.limits import LimitRule
from antiphon.errors import ApiError, InvalidRequest
from antiphon.ids import make_id
from antiphon.request.pages import limit_of
from antiphon.service.models import ModelService
from antiphon.web.keys import Gatekeeper

_GROUPS: Final = ("model_group", "batch", "token_count", "files", "skills", "web_search")
_LIMITERS: Final = ("requests_per_minute", "input_tokens_per_minute", "output_tokens_per_minute")


@dataclass(frozen=True, slots=True)
class LimitResources:
    """The endpoint, over the limits of the settings."""

    rules: Sequence[LimitRule]
    models: ModelService
    gatekeeper: Gatekeeper

    async def read(self, request: Request) -> Response:
        """`GET /v1/organizations/rate_limits`"""
        await self.gatekeeper.check_admin(request)
        query = request.query_params
        entries = self._entries(query.get("group_type"), query.get("model"))
        limit = limit_of(query.get("limit"))
        begin = _page(query.get("page"))
        end = begin + limit
        body = {"data": entries[begin:end], "next_page": str(end) if end < len(entries) else None}
        return Response(orjson.dumps(body), media_type="application/json")

    def _entries(self, group: str | None, model: str | None) -> list[dict[str, Any]]:
        if group is not None and group not in _GROUPS:
            raise InvalidRequest(f"group_type: Input should be {_one_of(_GROUPS)}")
        entries = [self._entry(rule) for rule in self.rules if rule.paced and group in (None, rule.group)]
        if model is not None:
            entries = [entry for entry in entries if model in (entry["models"] or ())]
            if not entries:
                raise ApiError("not_found_error", f"model: {model}")
        return entries

    def _entry(self, rule: LimitRule) -> dict[str, Any]:
        models = self.models.fitting(rule.models) if rule.group == "model_group" else None
        said = {name: getattr(rule, name) for name in _LIMITERS}
        return {
            "id": make_id("rl_", _digest(rule.name)),
            "type": "rate_limit",
            "group_type": rule.group,
            "group": {"id": make_id("rlg_", _digest(rule.name)), "type": rule.group, "display_name": rule.name},
            "models": models,
            "limits": [{"type": name, "value": value} for name, value in said.items() if value],
        }


def _page(value: str | None) -> int:
    if value is None:
        return 0
    if not (value.isascii() and value.isdecimal()) or len(value) > 9:
        raise InvalidRequest("page: Input should be a page that an earlier reply named")
    return int(value)


def _digest(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=16).digest()


def _one_of(words: Sequence[str]) -> str:
    *others, last = (f"'{word}'" for word in words)
    return f"{', '.join(others)} or {last}"

"""`/v1/organizations/rate_limits` and `…/workspaces/{id}/rate_limits`: the limits of the settings, for those who run
the server. They are changed in the settings alone."""

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
_LIMITERS: Final = (
    "requests_per_minute",
    "input_tokens_per_minute",
    "output_tokens_per_minute",
    "enqueued_batch_requests",
)


@dataclass(frozen=True, slots=True)
class LimitResources:
    """The endpoints, over the limits of the settings."""

    rules: Sequence[LimitRule]
    models: ModelService
    gatekeeper: Gatekeeper

    async def read(self, request: Request) -> Response:
        """`GET /v1/organizations/rate_limits`"""
        await self.gatekeeper.check_admin(request)
        query = request.query_params
        entries = [self._entry(rule) for rule in self._rules(query.get("group_type"))]
        model = query.get("model")
        if model is not None:
            entries = [entry for entry in entries if model in (entry["models"] or ())]
            if not entries:
                raise ApiError("not_found_error", f"model: {model}")
        return _paged(request, entries)

    async def read_workspace(self, request: Request) -> Response:
        """`GET /v1/organizations/workspaces/{id}/rate_limits`"""
        await self.gatekeeper.check_admin(request)
        workspace: str = request.path_params["workspace_id"]
        if not self.gatekeeper.knows(request, workspace):
            raise ApiError("not_found_error", f"Workspace {workspace} not found.")
        inherited = request.query_params.get("include_inherited", "false")
        if inherited not in ("true", "false"):
            raise InvalidRequest("include_inherited: Input should be a valid boolean")
        rules = self._rules(request.query_params.get("group_type"))
        entries = [self._of_workspace(rule, rules, workspace) for rule in rules if rule.per == "workspace"]
        if inherited == "true":
            entries += [self._of_workspace(rule, [rule], workspace) for rule in rules if rule.per == "organization"]
        return _paged(request, entries)

    def _rules(self, group: str | None) -> list[LimitRule]:
        if group is not None and group not in _GROUPS:
            raise InvalidRequest(f"group_type: Input should be {_one_of(_GROUPS)}")
        return [rule for rule in self.rules if _told(rule) and group in (None, rule.group)]

    def _entry(self, rule: LimitRule) -> dict[str, Any]:
        return {
            "id": _id(rule),
            "type": "rate_limit",
            **self._grouped(rule),
            "limits": [{"type": name, "value": value} for name, value in _values(rule)],
        }

    def _of_workspace(self, rule: LimitRule, rules: Sequence[LimitRule], workspace: str) -> dict[str, Any]:
        above = [each for each in rules if each.per == "organization" and self._shares(each, rule)]
        limits = [
            {
                "type": name,
                "value": value,
                "org_limit": min((getattr(each, name) for each in above if getattr(each, name)), default=None),
                "source": {"type": rule.per},
            }
            for name, value in _values(rule)
        ]
        named = {"rate_limit_id": _id(rule), "type": "workspace_rate_limit", "workspace_id": workspace}
        return {**named, **self._grouped(rule), "limits": limits}

    def _grouped(self, rule: LimitRule) -> dict[str, Any]:
        models = self.models.fitting(rule.models) if rule.group == "model_group" else None
        group = {"id": make_id("rlg_", _digest(rule.name)), "type": rule.group, "display_name": rule.name}
        return {"group_type": rule.group, "group": group, "models": models}

    def _shares(self, one: LimitRule, other: LimitRule) -> bool:
        """Whether some request has to be within both."""
        models = self.models.fitting(other.models)
        return one.group == other.group and not set(models).isdisjoint(self.models.fitting(one.models))


def _paged(request: Request, entries: Sequence[dict[str, Any]]) -> Response:
    """A page of them: all, where nothing is said. Source: official SDK, rate limits."""
    query = request.query_params
    begin = _page(query.get("page"))
    end = begin + limit_of(query.get("limit"), usual=max(1, len(entries)))
    body = {"data": entries[begin:end], "next_page": str(end) if end < len(entries) else None}
    return Response(orjson.dumps(body), media_type="application/json")


def _id(rule: LimitRule) -> str:
    return make_id("rl_", _digest(rule.name))


def _values(rule: LimitRule) -> list[tuple[str, int]]:
    """What is limited, and to how much."""
    said = [(name, getattr(rule, name)) for name in _LIMITERS]
    return [(name, value) for name, value in said if value]


def _told(rule: LimitRule) -> bool:
    """Whether the API has a name for it: it has none for money, and for the pace of what is in batches."""
    return rule.group in _GROUPS and any(getattr(rule, name) for name in _LIMITERS)


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

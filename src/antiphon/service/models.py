"""The model list: every name that this server answers to, truthfully described."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from msgspec import UNSET

from antiphon.errors import InvalidRequest
from antiphon.ports.engine import EngineHealth
from antiphon.ports.server_tools import NO_SERVER_TOOLS, ServerTools
from antiphon.profiles import EFFORTS, Profile
from antiphon.request.tools import server_kinds
from antiphon.service.fallbacks.chain import Fallbacks
from antiphon.service.served import Allowed, ModelRoutes, may_ask
from antiphon.wire.models import Capabilities, ModelInfo, ModelPage, Supported

DEFAULT_LIMIT = 20
MAX_LIMIT = 1000

_YES = Supported(supported=True)
_NO = Supported(supported=False)
_THINKING = ("enabled", "adaptive", "disabled", "between_tools")


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page is asked for."""

    limit: int = DEFAULT_LIMIT
    after_id: str | None = None
    before_id: str | None = None
    lifecycle: tuple[str, ...] = ()


class ModelService:
    """Lists and describes models. `batches`: requests are taken in batches. `fallbacks`: knows who may answer where a
    model declines; None: nobody. Raises `ApiError` only."""

    def __init__(
        self,
        routes: ModelRoutes,
        server_tools: ServerTools = NO_SERVER_TOOLS,
        fallbacks: Fallbacks | None = None,
        *,
        batches: bool = False,
    ) -> None:
        self._fallbacks = fallbacks
        self._routes = routes
        self._batch = _YES if batches else _NO
        self._tools = {server_kinds.tool_of(tool.name) for tool in server_tools.tools}

    def fitting(self, patterns: Sequence[str]) -> list[str]:
        """The names in the list that fit one of the patterns."""
        names = [profile.id for profile in self._routes.catalogue.all()]
        return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]

    async def health(self) -> dict[str, EngineHealth]:
        """The state of each served model, by its id."""
        return {id_: await served.engine.health() for id_, served in self._routes.served.items()}

    def choices(self, states: Mapping[str, EngineHealth]) -> dict[str, dict[str, Any]]:
        """Of each name or pattern for which several models answer: these, and which of them does, as they stand."""
        found: dict[str, dict[str, Any]] = {}
        for name, ids in self._routes.choices.items():
            up = (id_ for id_ in ids if id_ in states and states[id_].ready)
            found[name] = {"models": list(ids), "answers": next(up, None)}
        return found

    def get(self, name: str, allowed: Allowed = None, *, fallbacks: bool = False) -> ModelInfo:
        """One model, by id or alias; with the models that may be its `fallbacks`."""
        return self._describe(self._routes.promised(name, allowed), allowed, fallbacks=fallbacks)

    def page(self, query: PageQuery, allowed: Allowed = None, *, fallbacks: bool = False) -> ModelPage:
        """A page of the list of what is `allowed`, newest model first; as `get`."""
        profiles = [
            profile
            for profile in self._routes.catalogue.all()
            if (not query.lifecycle or profile.lifecycle in query.lifecycle) and may_ask(allowed, profile.id, profile)
        ]
        chosen, more = _window(profiles, query)
        infos = [self._describe(profile, allowed, fallbacks=fallbacks) for profile in chosen]
        return ModelPage(
            data=infos,
            has_more=more,
            first_id=infos[0].id if infos else None,
            last_id=infos[-1].id if infos else None,
        )

    def _describe(self, profile: Profile, allowed: Allowed, *, fallbacks: bool) -> ModelInfo:
        targets = [] if self._fallbacks is None else self._fallbacks.targets(profile, allowed)
        served = self._routes.served[self._routes.model_id(profile)]
        card = served.engine.card
        alias_of = "" if profile.id == card.id else f" (answered by {card.title or card.name})"
        return ModelInfo(
            id=profile.id,
            display_name=profile.display_name + alias_of,
            created_at=profile.created_at,
            lifecycle=profile.lifecycle,
            line=profile.line,
            max_input_tokens=min(profile.window, card.window),
            max_tokens=profile.max_output,
            deprecated_at=profile.deprecated_at,
            retires_at=profile.retires_at,
            capabilities=_capabilities(profile, self._tools, self._batch, takes_images=card.sees or served.reads),
            allowed_fallback_models=targets if fallbacks else UNSET,
        )


def _capabilities(profile: Profile, tools: Collection[str], batch: Supported, *, takes_images: bool) -> Capabilities:
    return Capabilities(
        batch=batch,
        citations=_YES,
        code_execution=_YES if server_kinds.SANDBOXED[0] in tools else _NO,
        image_input=Supported(supported=takes_images),
        pdf_input=_YES,
        structured_outputs=_YES,
        context_management={
            "supported": True,
            "clear_thinking_20251015": {"supported": True},
            "clear_tool_uses_20250919": {"supported": True},
            "compact_20260112": {"supported": profile.compaction},
        },
        compaction={"supported": profile.compaction, "summarize": {"supported": profile.compaction}},
        effort=_each(EFFORTS, profile.efforts),
        server_tools={
            "supported": bool(tools),
            **{kind: {"supported": kind in tools} for kind in server_kinds.LISTED},
        },
        thinking={
            "supported": bool(profile.thinking - {"disabled"}),
            "types": {kind: {"supported": kind in profile.thinking} for kind in _THINKING},
        },
    )


def _each(levels: Sequence[str], supported: Sequence[str]) -> dict[str, Any]:
    return {"supported": bool(supported), **{level: {"supported": level in supported} for level in levels}}


def _window(profiles: Sequence[Profile], query: PageQuery) -> tuple[Sequence[Profile], bool]:
    ids = [profile.id for profile in profiles]
    if query.after_id is not None and query.before_id is not None:
        raise InvalidRequest("after_id: only one of `after_id` and `before_id` may be given")
    if query.before_id is not None:
        end = _position(ids, query.before_id, "before_id")
        start = max(0, end - query.limit)
        return profiles[start:end], start > 0
    start = 0 if query.after_id is None else _position(ids, query.after_id, "after_id") + 1
    end = start + query.limit
    return profiles[start:end], end < len(profiles)


def _position(ids: Sequence[str], cursor: str, name: str) -> int:
    try:
        return ids.index(cursor)
    except ValueError:
        raise InvalidRequest(f"{name}: no model has the id {cursor!r}") from None

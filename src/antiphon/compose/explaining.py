"""A request explained: a model started, the request planned on the road of every request, and nothing answered."""

import json
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from antiphon.compose.assembly import Ground
from antiphon.compose.edges import reader_for, reads_pictures, server_tools
from antiphon.compose.engines import start_engine
from antiphon.compose.models import names_by_model, ready_model, with_own
from antiphon.compose.observer import ServerObserver
from antiphon.compose.services import services_for
from antiphon.config import Settings
from antiphon.errors import ApiError, EngineFault
from antiphon.service.explaining import Explanation, explain
from antiphon.service.faults import engine_error
from antiphon.service.media.intake import MediaIntake
from antiphon.service.messages import MessageService
from antiphon.service.served import ModelRoutes
from antiphon.tools.offered import Surroundings, close_tools
from antiphon.wire.base import WireContext
from antiphon.wire.headers import parse_betas, parse_version


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a client is told instead of a reply."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Explained:
    """What becomes of a request here. `refusal`: it is not answered. `there`: the API itself, which takes less on
    trust, refuses it. `warnings`: what the server's log says of it."""

    explanation: Explanation | None
    refusal: Refusal | None
    there: Refusal | None
    warnings: tuple[str, ...]


async def explain_request(
    settings: Settings, body: bytes, betas: Sequence[str], version: str, observer: ServerObserver
) -> Explained:
    """Start the model that the request names, plan the request, and say what it comes to. Raises `ConfigError` or
    `StartError`."""
    settings = _for_one(settings, body)
    async with AsyncExitStack() as running:
        ground = Ground.of(settings)
        running.push_async_callback(ground.fetcher.aclose)
        (model,) = settings.models.values()
        engine = await start_engine(model, settings, observer)
        running.push_async_callback(engine.aclose)
        reads = reads_pictures(model, engine, settings.media.memory)
        served = {model.id: ready_model(engine, ground.families[model.id], reads=reads)}
        routes = ModelRoutes(with_own(ground.catalogue, served), served, model.id, {})
        reader = reader_for(settings)
        running.push_async_callback(reader.aclose)
        tools = server_tools(settings, Surroundings(ground.fetcher, reader, ground.clock, settings.network.ca_file))
        running.push_async_callback(close_tools, tools.tools)
        media = MediaIntake(reader, ground.fetcher, ground.clock, cache=settings.media.cache)

        def service(given: Settings) -> MessageService:
            return services_for(given, routes, ground.clock, ground.entropy, ground.seals, media, tools).messages

        here = _Reader(service(settings), betas, version, strict=settings.strict_betas)
        with _Warnings() as warnings:
            found = await here.read(body, ground)
        strict = replace(settings, extended_schemas=False, accommodations=False)
        there = await _Reader(service(strict), betas, version, strict=True).read(body, ground)
    return Explained(
        found if isinstance(found, Explanation) else None,
        found if isinstance(found, Refusal) else None,
        there if isinstance(there, Refusal) and isinstance(found, Explanation) else None,
        tuple(warnings.said),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Plans requests under one set of rules."""

    messages: MessageService
    betas: Sequence[str]
    version: str
    strict: bool

    async def read(self, body: bytes, ground: Ground) -> Explanation | Refusal:
        """What the request comes to."""
        try:
            betas = parse_betas(self.betas, strict=self.strict)
            context = WireContext(version=parse_version(self.version), betas=betas)
            asked, work = await self.messages.plan(body, context)
            today = datetime.fromtimestamp(ground.clock.now(), UTC).date()
            return await explain(asked, work, today)
        except EngineFault as fault:
            error = engine_error(fault)
            return Refusal(error.status, error.body(""))
        except ApiError as error:
            return Refusal(error.status, error.body(""))


class _Warnings(logging.Handler):
    """Keeps what the log is told within a block."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """One line of the log."""
        self.said.append(record.getMessage())

    def __enter__(self) -> "_Warnings":
        logging.getLogger("antiphon").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("antiphon").removeHandler(self)


def _for_one(settings: Settings, body: bytes) -> Settings:
    """The settings with the one model that answers for the name in the request; nothing limits, retells or keeps."""
    try:
        name = json.loads(body).get("model")
    except (ValueError, AttributeError):
        name = None
    answers = names_by_model(settings)
    id_ = next((id_ for id_, names in answers.items() if name in names), settings.default_model)
    thinking = replace(settings.thinking, summarizer=None)
    return replace(
        settings,
        models={id_: settings.models[id_]},
        default_model=id_,
        routes={},
        limits=(),
        thinking=thinking,
    )

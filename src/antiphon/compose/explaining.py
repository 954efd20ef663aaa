"""A request explained: a model started, the request planned on the road of every request, and nothing answered."""

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from antiphon.compose.assembly import Ground
from antiphon.compose.edges import reader_for, reads_pictures, server_tools
from antiphon.compose.engines import start_engine
from antiphon.compose.models import names_by_model, ready_model, with_own
from antiphon.compose.observer import ServerObserver
from antiphon.compose.services import services_for
from antiphon.config import Settings
from antiphon.errors import ApiError
from antiphon.service.explainer import Explained
from antiphon.service.media.intake import MediaIntake
from antiphon.service.served import ModelRoutes
from antiphon.tools.offered import Surroundings, close_tools
from antiphon.wire.base import WireContext
from antiphon.wire.headers import parse_betas, parse_version


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

        services = services_for(settings, routes, ground.clock, ground.entropy, ground.seals, media, tools)
        try:
            context = WireContext(
                version=parse_version(version), betas=parse_betas(betas, strict=settings.strict_betas)
            )
        except ApiError as error:
            return Explained(None, error, None, ())
        return await services.explainer.explain(body, context, betas)


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

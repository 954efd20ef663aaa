"""Where concrete things meet: settings → weights → engines → services → the listening server.

The only module that names concrete engines. Reads files and starts processes; decides nothing else.
"""

import asyncio
import importlib.metadata
import logging
import os
import time
import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import uvloop

from antiphon import keyfile
from antiphon.config import ConfigError, ModelSettings, Settings
from antiphon.config.models import nearest
from antiphon.engines.llamacpp import LlamaCppEngine, ModelFile
from antiphon.engines.llamacpp.engine import DEFAULT_CONTEXT
from antiphon.engines.scripted import ScriptedEngine
from antiphon.errors import EngineFault
from antiphon.keyfile import KeyFileError, KeysDescription
from antiphon.media.reader import Bounds, Reader
from antiphon.network import GuardedFetcher
from antiphon.ports import Engine, Entropy
from antiphon.ports.server_tools import ServerTools
from antiphon.profiles import Catalogue, ProfileError, parse_catalogue
from antiphon.render.families import FAMILIES, family_for
from antiphon.render.syntax import Family
from antiphon.render.template import TemplateError
from antiphon.service.media import MediaIntake
from antiphon.service.serving import ModelRoutes, ServedModel
from antiphon.thinking.seal import Seals
from antiphon.tools.offered import Surroundings, ToolCheck, check_tools, close_tools, tools_for
from antiphon.tools.own import ToolsError
from antiphon.web.app import build_app
from antiphon.web.door import Door
from antiphon.web.server import HttpServer, ListenError, address, allow_many_connections, bind
from antiphon.weights.description import ModelDescription, describe
from antiphon.weights.errors import WeightsError
from antiphon.weights.progress import Progress
from antiphon.weights.resolve import SCRIPT_PREFIX, ResolvedModel, resolve

Work = Callable[[str], Awaitable[None]]
"""What is done with a running server, whose URL is given."""


class StartError(Exception):
    """The server cannot start. The text says why and what to do."""


class ServerObserver(Protocol):
    """Somebody who watches the server start and stop."""

    def stage(self, text: str) -> None:
        """A step of the start begins."""
        ...

    def download(self, name: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes of a file have come."""
        ...

    def listening(self, url: str, model_names: Sequence[str]) -> None:
        """The server answers at `url`."""
        ...

    def draining(self, open_requests: int) -> None:
        """The server stops; so many requests are still open."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return time.time()


class SystemEntropy:
    """The machine's dice."""

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""
        return os.urandom(count)


@dataclass(frozen=True, slots=True)
class EngineProbe:
    """Whether the native engine can be used on this machine, and on which devices it would run."""

    importable: bool
    version: str
    devices: tuple[str, ...]
    detail: str


def run_server(settings: Settings, observer: ServerObserver, work: Work | None = None) -> None:
    """Serve until SIGINT or SIGTERM, or until `work` is done; returns after a graceful shutdown.

    Raises `ConfigError` or `StartError`, and what `work` raises.
    """
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    if settings.log_level != "debug":
        logging.getLogger("uvicorn").setLevel(logging.WARNING)  # it tells of its own start and stop, as we do
    allow_many_connections()
    uvloop.run(_serve(settings, observer, work))


def load_catalogue(settings: Settings) -> Catalogue:
    """The profiles that ship with the package, with the owner's over them. Raises `ConfigError`."""
    builtin = tomllib.loads(files("antiphon.profiles").joinpath("data.toml").read_text("utf-8"))
    try:
        return parse_catalogue(builtin, settings.profiles, settings.aliases, local_ids=settings.models)
    except ProfileError as problem:
        raise ConfigError(str(problem)) from problem


def describe_models(settings: Settings) -> list[ModelDescription]:
    """Every model of the settings: its file, if it is here, and the names that it answers for. Loads none.

    Raises `ConfigError`.
    """
    families(settings)
    answers = names_by_model(settings)
    return [describe(model, answers[id_], DEFAULT_CONTEXT) for id_, model in settings.models.items()]


def describe_keys(settings: Settings) -> KeysDescription:
    """Which keys would seal thinking. Makes none."""
    return keyfile.describe_keys(settings.thinking, os.environ)


def seals_for(settings: Settings, entropy: Entropy) -> Seals:
    """The seals on thinking; the first start makes the file with their key. Raises `StartError`."""
    try:
        return keyfile.seals_for(settings.thinking, entropy, os.environ)
    except KeyFileError as problem:
        raise StartError(str(problem)) from problem


def families(settings: Settings) -> dict[str, Family | None]:
    """Model id → the family that the settings name for it, None if they name none. Raises `ConfigError`."""
    known = [family.name for family in FAMILIES]
    named: dict[str, Family | None] = dict.fromkeys(settings.models)
    for id_, model in settings.models.items():
        if model.family is None:
            continue
        if model.family not in known:
            raise ConfigError(
                f"[models.{id_}] family: '{model.family}' is not a family of models"
                f"{nearest(model.family, known)} (allowed: {', '.join(known)})"
            )
        named[id_] = family_for(None, model.family)
    return named


def names_by_model(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Model id → the API names that it answers for, its own first."""
    answers: dict[str, list[str]] = {id_: [id_] for id_ in settings.models}
    for profile in load_catalogue(settings).all():
        for name in (profile.id, *profile.aliases):
            id_ = settings.routes.get(name) or settings.routes.get(profile.id) or settings.default_model
            answers[id_].append(name)
    for alias in settings.aliases:
        answers[settings.routes.get(alias) or settings.default_model].append(alias)
    return {id_: tuple(dict.fromkeys(names)) for id_, names in answers.items()}


def probe_engine() -> EngineProbe:
    """Import the native engine and ask for its devices."""
    try:
        import xllamacpp

        native: Any = xllamacpp
        devices = tuple(str(device["description"]) for device in native.get_device_info())
    except Exception as problem:
        return EngineProbe(False, "", (), f"{type(problem).__name__}: {problem}")
    return EngineProbe(True, importlib.metadata.version("xllamacpp"), devices, "")


def server_tools(settings: Settings, around: Surroundings) -> ServerTools:
    """The tools that run inside the server, as the settings offer them; who gets them closes them. `StartError`."""
    try:
        return ServerTools(tools_for(settings.tools, around))
    except ToolsError as problem:
        raise StartError(str(problem)) from problem


def check_server_tools(settings: Settings) -> list[ToolCheck]:
    """Try each server tool that the settings offer, as far as that can be done without a conversation."""

    async def tried() -> list[ToolCheck]:
        reader = _reader(settings)
        try:
            return await check_tools(settings.tools, reader, settings.network.ca_file)
        finally:
            await reader.aclose()

    return asyncio.run(tried())


async def _serve(settings: Settings, observer: ServerObserver, work: Work | None) -> None:
    catalogue = load_catalogue(settings)
    named = families(settings)
    clock, entropy = SystemClock(), SystemEntropy()
    seals = seals_for(settings, entropy)
    fetcher = _fetcher(settings)
    try:
        listener = bind(settings.host, settings.port)
    except ListenError as problem:
        raise StartError(str(problem)) from problem
    host, port = address(listener)
    door = Door(entropy)
    server = HttpServer(door, listener, drain_timeout=settings.drain_timeout, on_drain=observer.draining)
    async with AsyncExitStack() as running:
        running.push_async_callback(fetcher.aclose)
        reader = _reader(settings)
        running.push_async_callback(reader.aclose)

        async def start() -> None:
            # Before the models, which take long: what an owner has added may not be there.
            tools = server_tools(settings, Surroundings(fetcher, reader, clock, settings.network.ca_file))
            running.push_async_callback(close_tools, tools.tools)
            served: dict[str, ServedModel] = {}
            for model in settings.models.values():
                engine = await _start_engine(model, settings, observer)
                running.push_async_callback(engine.aclose)
                served[model.id] = _served(engine, named[model.id])
            routes = ModelRoutes(_with_own(catalogue, served), served, settings.default_model, settings.routes)
            media = MediaIntake(reader, fetcher, clock, cache=settings.media.cache)
            door.open(build_app(settings, routes, clock, entropy, seals, media, tools))
            shown = f"[{host}]" if ":" in host else host
            url = f"http://{shown}:{port}"
            observer.listening(url, names_by_model(settings)[settings.default_model])
            if work is not None:
                await work(url)
                server.stop()

        await server.run(start)


def _reader(settings: Settings) -> Reader:
    return Reader(Bounds(workers=settings.media.workers, memory=settings.media.memory))


def _fetcher(settings: Settings) -> GuardedFetcher:
    try:
        return GuardedFetcher(settings.network)
    except OSError as problem:
        path = settings.network.ca_file
        raise StartError(f"network_ca_file: the certificates in {path} cannot be read: {problem}") from problem


async def _start_engine(model: ModelSettings, settings: Settings, observer: ServerObserver) -> Engine:
    """A started engine for one model; a failure names the model. Downloads run in a thread."""
    try:
        observer.stage(f"Finding {model.id} ({model.source})")
        engine = await asyncio.to_thread(_engine_for, model, settings, _relay(observer))
        observer.stage(f"Loading {model.id}")
        await engine.start()
    except (WeightsError, EngineFault, OSError, ValueError) as problem:
        raise StartError(f"model {model.id}: {problem}") from problem
    return engine


def _engine_for(model: ModelSettings, settings: Settings, progress: Progress) -> Engine:
    if model.source.startswith(SCRIPT_PREFIX):
        path = Path(model.source.removeprefix(SCRIPT_PREFIX)).expanduser()
        try:
            script = path.read_text("utf-8")
        except OSError as problem:
            raise WeightsError(f"the script {path} cannot be read: {problem.strerror}") from problem
        return ScriptedEngine(model.id, script)
    found = resolve(model.source, progress, projector=model.projector, adapter=model.adapter)
    if model.chat_template is not None:
        model = replace(model, chat_template=_read_template(model.chat_template))
    return LlamaCppEngine(model, _model_file(found), ready_timeout=settings.ready_timeout)


def _read_template(path: str) -> str:
    try:
        return Path(path).expanduser().read_text("utf-8")
    except OSError as problem:
        raise WeightsError(f"the chat template {path} cannot be read: {problem.strerror}") from problem


def _model_file(found: ResolvedModel) -> ModelFile:
    header = found.header
    return ModelFile(
        path=found.path,
        name=found.name,
        trained_context=header.context_length,
        chat_template=header.chat_template,
        bos_token=header.bos_token,
        eos_token=header.eos_token,
        special_tokens=header.special_tokens,
        origin=found.origin,
        created=int(found.path.stat().st_mtime),
        projector=None if found.projector is None else found.projector.path,
        projector_kind="" if found.projector is None else found.projector.kind,
        adapter=None if found.adapter is None else found.adapter.path,
        spares_plain_work=found.adapter is not None and found.adapter.for_tools,
    )


def _relay(observer: ServerObserver) -> Progress:
    """Progress of a thread, told on the event loop's thread."""
    loop = asyncio.get_running_loop()

    def tell(name: str, done: int, total: int | None) -> None:
        loop.call_soon_threadsafe(observer.download, name, done, total)

    return tell


def _served(engine: Engine, family: Family | None) -> ServedModel:
    try:
        return ServedModel.of(engine, family)
    except TemplateError as problem:
        raise StartError(
            f"model {engine.card.id}: {problem}. Set `chat_template` of this model to the path of a working template."
        ) from problem


def _with_own(catalogue: Catalogue, served: Mapping[str, ServedModel]) -> Catalogue:
    for id_, model in served.items():
        card = model.engine.card
        created = datetime.fromtimestamp(card.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            catalogue = catalogue.with_local(id_, card.name, card.window, created)
        except ProfileError as problem:
            raise ConfigError(str(problem)) from problem
    return catalogue

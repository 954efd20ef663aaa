"""An engine for a model of the settings: found, downloaded where it has to be, started."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon.compose.observer import ServerObserver, StartError
from antiphon.compose.remote import remote_engine
from antiphon.config import ModelSettings, Settings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.errors import EngineFault
from antiphon.ports.engine import Engine
from antiphon.weights.errors import WeightsError
from antiphon.weights.progress import Progress
from antiphon.weights.resolve import SCRIPT_PREFIX, ResolvedModel, resolve

if TYPE_CHECKING:
    from antiphon.engines.llamacpp import ModelFile


async def start_engine(model: ModelSettings, settings: Settings, observer: ServerObserver) -> Engine:
    """A started engine for one model; a failure names the model. Downloads run in a thread."""
    try:
        observer.stage(f"Finding {model.id} ({model.source})")
        if model.remote is None:
            engine = await asyncio.to_thread(_engine_for, model, settings, _relay(observer))
            observer.stage(f"Loading {model.id}")
        else:
            template = None if model.chat_template is None else _read_template(model.chat_template)
            engine = await remote_engine(model, template, partial(observer.found, model.id), _relay(observer))
            observer.stage(f"Trying {model.id}")
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
    # A server of scripts alone holds neither this engine nor the HTTP library that it talks with.
    from antiphon.engines.llamacpp import LlamaCppEngine

    found = resolve(model.source, progress, projector=model.projector, adapter=model.adapter)
    if model.chat_template is not None:
        model = replace(model, chat_template=_read_template(model.chat_template))
    return LlamaCppEngine(model, model_file(found), ready_timeout=settings.ready_timeout)


def _read_template(path: str) -> str:
    try:
        return Path(path).expanduser().read_text("utf-8")
    except OSError as problem:
        raise WeightsError(f"the chat template {path} cannot be read: {problem.strerror}") from problem


def model_file(found: ResolvedModel) -> "ModelFile":
    """What the engine has to know of a model that was found."""
    from antiphon.engines.llamacpp import ModelFile

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
        title=found.shown,
        spares_plain_work=found.adapter is not None and found.adapter.for_tools,
    )


def _relay(observer: ServerObserver) -> Progress:
    """Progress of a thread, told on the event loop's thread."""
    loop = asyncio.get_running_loop()

    def tell(name: str, done: int, total: int | None) -> None:
        loop.call_soon_threadsafe(observer.download, name, done, total)

    return tell

"""An engine for a model of the settings: found, downloaded where it has to be, started."""

import asyncio
import contextlib
import importlib.metadata
import logging
import os
import platform
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from antiphon.compose.edges import cache_directory
from antiphon.compose.observer import ServerObserver, StartError
from antiphon.compose.remote import remote_engine
from antiphon.config import ModelSettings, Settings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.errors import EngineFault
from antiphon.ports.caching import Entry
from antiphon.ports.engine import Engine
from antiphon.stores.caching import MemoryLedger
from antiphon.weights.anew import Prepared, as_it_came, is_wanted, prepare
from antiphon.weights.errors import WeightsError
from antiphon.weights.forms import Choices, Speed
from antiphon.weights.hub import parts
from antiphon.weights.progress import Progress
from antiphon.weights.resolve import SCRIPT_PREFIX, ResolvedModel, resolve

if TYPE_CHECKING:
    from antiphon.engines.llamacpp import LlamaCppEngine, ModelFile
    from antiphon.engines.llamacpp.embedded.home import EmbeddedHome
    from antiphon.engines.llamacpp.home import Home
    from antiphon.engines.llamacpp.kept.keeping import Room

log = logging.getLogger(__name__)


async def start_engine(model: ModelSettings, settings: Settings, observer: ServerObserver) -> Engine:
    """A started engine for one model; a failure names the model. Downloads run in a thread."""
    with _failing(model):
        engine: Engine
        if model.remote is not None:
            observer.stage(f"Finding {model.id} ({model.source})")
            template = None if model.chat_template is None else _read_template(model.chat_template)
            engine = await remote_engine(model, template, partial(observer.found, model.id), _relay(observer))
            observer.stage(f"Trying {model.id}")
        elif is_embedded(model):
            _, engine = await load(model, observer, lambda found: _llama_cpp(found, settings))
            return engine
        else:
            observer.stage(f"Finding {model.id} ({model.source})")
            engine = await asyncio.to_thread(_scripted, model)
            observer.stage(f"Loading {model.id}")
        try:
            await engine.start()
        except BaseException:
            await engine.aclose()
            raise
    return engine


@dataclass(frozen=True, slots=True)
class Found:
    """A model for llama.cpp that is on this machine: its settings, with its template read, and its file. `proof`: see
    `Prepared.proof`; None once it is loaded, when other processes are told of it."""

    settings: ModelSettings
    file: "ModelFile"
    proof: Callable[[], bool] | None = None


class _Loadable(Protocol):
    """What loads a model."""

    async def start(self) -> object: ...

    async def aclose(self) -> None: ...


_Loaded = TypeVar("_Loaded", bound=_Loadable)


def is_embedded(model: ModelSettings) -> bool:
    """Whether the model runs in a process of ours, which several processes that answer can share."""
    return model.remote is None and not model.source.startswith(SCRIPT_PREFIX)


async def start_home(
    model: ModelSettings, settings: Settings, observer: ServerObserver
) -> tuple[Found, "EmbeddedHome"]:
    """The process of an embedded model, its model loaded, for engines in other processes: see `attach_engine`."""
    from antiphon.engines.llamacpp.engine import check_context, home_of

    def home_for(found: Found) -> "EmbeddedHome":
        check_context(found.settings, found.file)
        return home_of(found.settings, found.file, room=room_for(settings))

    with _failing(model):
        return await load(model, observer, home_for)


async def load(
    model: ModelSettings, observer: ServerObserver, made: Callable[[Found], _Loaded]
) -> tuple[Found, _Loaded]:
    """A model that is found and loaded by what is `made` for it.

    Its files are proven while they are loaded; where they turn out damaged, they are made again and loaded again.
    """
    found = await find(model, observer, trust=True)
    loads = made(found)
    observer.stage(f"Loading {model.id}")
    proving = None if found.proof is None else asyncio.create_task(asyncio.to_thread(found.proof))
    try:
        await loads.start()
    except BaseException as problem:
        await loads.aclose()
        if proving is None or not isinstance(problem, EngineFault) or await proving:
            raise
    else:
        if proving is None or await proving:
            return replace(found, proof=None), loads
        await loads.aclose()
    log.warning("files of model %s that were written anew are damaged, and are made again", model.id)
    found = await find(model, observer)
    loads = made(found)
    observer.stage(f"Loading {model.id}")
    try:
        await loads.start()
    except BaseException:
        await loads.aclose()
        raise
    return found, loads


async def attach_engine(found: Found, settings: Settings, home: "Home") -> Engine:
    """A started engine whose model runs elsewhere."""
    engine = _llama_cpp(found, settings, home)
    with _failing(found.settings):
        await engine.start()
    return engine


@contextmanager
def _failing(model: ModelSettings) -> Generator[None]:
    """Failures are `StartError`, and name the model."""
    try:
        yield
    except (WeightsError, EngineFault, OSError, ValueError) as problem:
        raise StartError(f"model {model.id}: {problem}") from problem


def _scripted(model: ModelSettings) -> ScriptedEngine:
    path = Path(model.source.removeprefix(SCRIPT_PREFIX)).expanduser()
    try:
        script = path.read_text("utf-8")
    except OSError as problem:
        raise WeightsError(f"the script {path} cannot be read: {problem.strerror}") from problem
    return ScriptedEngine(model.id, script)


async def find(model: ModelSettings, observer: ServerObserver, *, trust: bool = False) -> Found:
    """A model's files, downloaded or written anew where they have to be. `trust`: see `prepare`."""
    observer.stage(f"Finding {model.id} ({model.source})")
    model, found, prepared = await asyncio.to_thread(_find_now, model, _relay(observer), trust=trust)
    if found.builtin and found.path != prepared.path:
        prepared = await _in_its_best_form(model, found, prepared, observer)
    return Found(model, model_file(found, prepared), prepared.proof)


async def _in_its_best_form(
    model: ModelSettings, found: ResolvedModel, anew: Prepared, observer: ServerObserver
) -> Prepared:
    """The plain model anew or as it came, whichever is faster here. Where that cannot be measured, anew."""
    from antiphon.engines.llamacpp.embedded.trial import tried
    from antiphon.engines.llamacpp.engine import load_of

    forms = {form.path: form for form in (anew, replace(anew, path=found.path))}
    choices = Choices(anew.path.parent, f"{machine()}, threads {model.threads}, GPU layers {model.gpu_layers}")
    best = await asyncio.to_thread(choices.best, list(forms))
    if best is None:
        observer.stage(f"Trying once in which form {model.id} is fastest here")
        loads = [load_of(model, model_file(found, form)) for form in forms.values()]
        try:
            speeds = await asyncio.to_thread(tried, loads)
        except EngineFault as problem:
            log.warning("in which form %s is fastest here is not known: %s", model.id, problem)
            return anew
        choices.keep({path: Speed(*speed) for path, speed in zip(forms, speeds, strict=True)})
        best = choices.best(list(forms))
    return forms[best or anew.path]


def machine() -> str:
    """What the speed of a model depends on, in words."""
    name = platform.processor()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    version = importlib.metadata.version("xllamacpp")
    return f"{platform.machine()} {name}, {cores} cores, xllamacpp {version}"


def _find_now(
    model: ModelSettings, progress: Progress, *, trust: bool
) -> tuple[ModelSettings, ResolvedModel, Prepared]:
    found = resolve(model.source, progress, projector=model.projector, adapter=model.adapter)
    anew = is_wanted(model.merge_adapter, found)
    prepared = prepare(found, progress, trust=trust) if anew else as_it_came(found)
    if prepared.problem:
        log.warning(
            "model %s is served as it came, which is slower, and work with tools and without takes turns: it could "
            "not be written anew: %s. Mend that, or say merge_adapter = false, and this is not said again.",
            model.id,
            prepared.problem,
        )
    if model.chat_template is not None:
        model = replace(model, chat_template=_read_template(model.chat_template))
    return model, found, prepared


def _llama_cpp(found: Found, settings: Settings, home: "Home | None" = None) -> "LlamaCppEngine":
    # A server of scripts alone holds neither this engine nor the HTTP library that it talks with.
    from antiphon.engines.llamacpp import LlamaCppEngine

    room = room_for(settings) if home is None else None
    return LlamaCppEngine(found.settings, found.file, ready_timeout=settings.ready_timeout, home=home, room=room)


def ledger_for(settings: Settings) -> MemoryLedger:
    """What is known of cached prefixes: at first those of which earlier processes have left what was read.

    Reads files, which belongs in a thread.
    """
    ledger, directory = MemoryLedger(), cache_directory(settings)
    if directory is not None and any(map(is_embedded, settings.models.values())):
        from antiphon.engines.llamacpp.kept.files import all_marks  # see `_llama_cpp`

        ledger.know((Entry(mark.key, mark.seconds), mark.until) for mark in all_marks(directory))
    return ledger


def room_for(settings: Settings) -> "Room | None":
    """Where a model that runs here keeps marked prefixes; None: nowhere."""
    from antiphon.engines.llamacpp.kept.keeping import Room  # see `_llama_cpp`

    given = settings.prompt_cache
    if not given.keep or not given.memory:
        return None
    return Room(given.memory, given.files, cache_directory(settings))


def _read_template(path: str) -> str:
    try:
        return Path(path).expanduser().read_text("utf-8")
    except OSError as problem:
        raise WeightsError(f"the chat template {path} cannot be read: {problem.strerror}") from problem


def model_file(found: ResolvedModel, prepared: Prepared | None = None) -> "ModelFile":
    """What the engine has to know of a model that was found. `prepared`: the files that it is served from (None: as
    it
    came)."""
    from antiphon.engines.llamacpp import ModelFile

    prepared = prepared or as_it_came(found)
    header = found.header
    return ModelFile(
        path=prepared.path,
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
        adapter=prepared.adapter,
        title=found.shown,
        spares_plain_work=found.adapter is not None and found.adapter.for_tools,
        for_tools=prepared.for_tools,
        size=sum(prepared.path.with_name(name).stat().st_size for name in parts(prepared.path.name)),
        is_fast=found.builtin and prepared.path != found.path,
        parts=tuple(prepared.path.with_name(name) for name in parts(prepared.path.name)),
        sliding_window=header.sliding_window,
        for_tools_size=0 if prepared.for_tools is None else prepared.for_tools.stat().st_size,
        for_tools_is_fast=found.builtin and prepared.for_tools is not None,
    )


def _relay(observer: ServerObserver) -> Progress:
    """Progress of a thread, told on the event loop's thread."""
    loop = asyncio.get_running_loop()

    def tell(name: str, done: int, total: int | None) -> None:
        loop.call_soon_threadsafe(observer.download, name, done, total)

    return tell

"""What `antiphon doctor` looks at. Each check is a function to one or more findings; none starts a model."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from antiphon.cli.fit import ENGINE_BYTES
from antiphon.cli.machine import Memory
from antiphon.cli.progress import adapted
from antiphon.cli.sizes import megabytes
from antiphon.cli.tried import State, state, titled
from antiphon.config import ANY_SANDBOX, MEMORY, OFF, Settings, StoreSettings

if TYPE_CHECKING:
    from antiphon.compose.probes import CacheProbe, EngineProbe
    from antiphon.compose.remote import Looked
    from antiphon.compose.stores import Trial
    from antiphon.sandbox.choosing import Tried
    from antiphon.stores.keyfile import KeysDescription
    from antiphon.tools.offered import ToolCheck
    from antiphon.weights.description import ModelDescription

_OLDEST = (3, 11)
_SHORT_KEY = 16
_NEW_KEY = "python3 -c 'import secrets; print(secrets.token_urlsafe(24))'"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: in a few words, and what to do about it where something is to be done. `place`: the engine
    that it was found at, with its URL; empty for this machine."""

    check: str
    state: State
    detail: str
    remedy: str = ""
    place: str = ""


def python_version(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Whether this Python is one that the project supports."""
    text = ".".join(map(str, version))
    if version < _OLDEST:
        return Finding("python", "FAIL", f"Python {text}", "Install Python 3.11 or newer, then run make clean serve.")
    return Finding("python", "OK", f"Python {text}")


def engine(probe: "EngineProbe") -> Finding:
    """Whether the engine's native library loads, and on what it would run."""
    if not probe.importable:
        remedy = "Run make clean serve to install it anew; the detail names what its library lacks."
        return Finding("engine", "FAIL", f"the engine cannot be loaded: {probe.detail}", remedy)
    devices = ", ".join(probe.devices) or "CPU"
    return Finding("engine", "OK", f"xllamacpp {probe.version} on {devices}")


def models(described: "Sequence[ModelDescription]") -> Iterator[Finding]:
    """Whether each model's file is there and readable."""
    for model in (model for model in described if not model.remote):
        name = f"model {model.id}"
        size = "" if model.size_bytes is None else f", {megabytes(model.size_bytes)}"
        window = "" if model.window is None else f", window of {model.window} tokens"
        if model.problem:
            yield Finding(name, "FAIL", model.problem, f"Correct its source ({model.source}).")
        elif model.path is None and model.source.startswith("hf:"):
            remedy = "Start the server once while this machine is online."
            yield Finding(name, "WARN", f"{model.source} is not here yet{size}", remedy)
        else:
            change = "" if model.adapter is None else f", {adapted(model.adapter)}"
            yield Finding(name, "OK", f"{model.path or model.source}{size}{window}{change}")


def second_choices(settings: Settings) -> Iterator[Finding]:
    """Who answers for whom where a model is down."""
    for name, (first, *others) in settings.routes.items():
        if others:
            yield Finding(f"route {name}", "OK", f"{first}, and where that is down {', then '.join(others)}")


def engines(looked: "Mapping[str, Sequence[Looked]]") -> Iterator[Finding]:
    """Whether each of the engines that somebody else runs can be used, and all that was tried there."""
    for model, looks in looked.items():
        for look in looks:
            place = f"model {model}: {look.url}"
            title = place if look.findings is None else f"{place}, {titled(look.findings)}"
            if look.drained:
                remedy = f"antiphon engines undrain {look.url}"
                yield Finding("service", "WARN", "drained: servers give it nothing new", remedy, title)
            if look.findings is None:
                # One that is drained may be away for good reason.
                state_ = "WARN" if look.drained else "FAIL"
                yield Finding("answer", state_, look.problem, "Is its address right, and is it running?", title)
                continue
            for row in look.findings.rows:
                yield Finding(row.subject, state(row), row.says, row.remedy, title)


def port(settings: Settings, ours: bool = False) -> Finding:
    """Whether the server could listen where it should. `ours`: a server of this program is there already."""
    place = f"{settings.host} port {settings.port}"
    if settings.port == 0:
        return Finding("port", "OK", "any free port")
    # Imported late: see `serve`.
    from antiphon.web.server import ListenError, bind

    try:
        bind(settings.host, settings.port).close()
    except ListenError as failure:
        if ours:
            detail = f"Antiphon answers at {place} already"
            return Finding("port", "WARN", detail, "Stop it with Ctrl-C, or start another with --port 0.")
        return Finding("port", "FAIL", str(failure), "--port 0 takes any free one.")
    return Finding("port", "OK", f"{place} is free")


def threads(settings: Settings, cores: int) -> Iterator[Finding]:
    """Whether a model asks for more threads than this process may use at once."""
    for model in (model for model in settings.models.values() if model.remote is None):
        if model.threads > cores:
            detail = (
                f"{model.id} asks for {model.threads} threads on {cores} processors; they would wait for each other"
            )
            yield Finding("threads", "WARN", detail, f"Set threads to {cores} or less, or to 0.")
        else:
            asked = "one per physical core" if model.threads == 0 else f"{model.threads}"
            yield Finding("threads", "OK", f"{model.id}: {asked}; this process may use {cores} processors")


def keys(settings: Settings, made: bool | None = False) -> Finding:
    """Whether the keys suit the place that the server listens at. `made`: whether one ever was; None: unknown."""
    if not settings.api_keys and (settings.require_keys or made):
        return Finding("keys", "OK", "those made by `antiphon keys add`; nobody is let in without one")
    if not settings.api_keys and made is None:
        return Finding("keys", "WARN", "whether one was made is not known", "Mend the database, see below.")
    if not settings.api_keys:
        detail = "until one is made every key is accepted; only this machine can reach the server"
        return Finding("keys", "OK", detail)
    count = "1 key" if len(settings.api_keys) == 1 else f"{len(settings.api_keys)} keys"
    if any(len(key) < _SHORT_KEY for key in settings.api_keys):
        return Finding("keys", "WARN", f"{count}, one shorter than {_SHORT_KEY} characters", f"Make one: {_NEW_KEY}")
    if not settings.is_loopback:
        detail = f"{count}; other machines reach {settings.host} unencrypted"
        return Finding("keys", "WARN", detail, "Outside a network that you trust, put a proxy with TLS in front.")
    return Finding("keys", "OK", count)


def thinking_keys(described: "KeysDescription") -> Finding:
    """Whether the keys that seal thinking outlive this server's process, and are its owner's alone."""
    check, count = "thinking", "1 key" if described.count == 1 else f"{described.count} keys"
    if described.wrong:
        return Finding(check, "FAIL", described.wrong, "The server does not start with it.")
    if described.unreachable:
        detail = f"{described.place} can be neither read nor made: {described.unreachable}"
        remedy = "Seals on thinking will not verify after a start. Set ANTIPHON_THINKING_KEYS or --thinking-key-file."
        return Finding(check, "WARN", detail, remedy)
    if described.exposed:
        return Finding(check, "WARN", f"{described.place}: others can get at its {count}", f"Run {described.exposed}")
    if not described.count:
        return Finding(check, "OK", f"{described.place} will be made at the first start")
    return Finding(check, "OK", f"{count} from {described.place}")


def message_threads(settings: Settings, problem: str | None) -> Finding:
    """Whether the conversations of message threads can be kept where the settings say."""
    given = settings.message_threads
    if given.store == OFF:
        return Finding("store", "OK", "no message threads are kept; clients send whole conversations")
    if given.store == MEMORY:
        return Finding("store", "OK", f"message threads are kept in {megabytes(given.memory)} of memory")
    place = urlsplit(given.store)
    shown = f"{place.scheme}://{place.netloc.rpartition('@')[2]}{place.path}"
    if problem is not None:
        remedy = "The server starts, and clients send whole conversations until it answers."
        return Finding("store", "WARN", f"{shown} does not answer: {problem}", remedy)
    return Finding("store", "OK", f"message threads are kept in {shown}")


def stores(settings: Settings, trials: "Sequence[Trial]") -> Iterator[Finding]:
    """Whether files and batches can be kept where the settings say."""
    if not trials:
        yield Finding("stores", "OK", "neither files nor batches are kept")
    unsaid = settings.stores == StoreSettings(connections=settings.stores.connections)
    for trial in trials:
        check = f"store of {trial.what}"
        if trial.problem:
            # A server that nobody has told where to keep them does without.
            remedy = "Mend that, name another directory with --data, or keep neither files nor batches: --data off"
            yield Finding(check, "WARN" if unsaid and trial.new else "FAIL", trial.problem, remedy)
        elif trial.new:
            yield Finding(check, "OK", f"{trial.shown} will be made at the first start")
        else:
            yield Finding(check, "OK", f"{trial.shown} was written to and read")


def prompt_cache(
    described: "Sequence[ModelDescription]", settings: Settings, probe: "CacheProbe"
) -> Iterator[Finding]:
    """What is kept of marked prefixes, where, and how often it was of use."""
    given = settings.prompt_cache
    if not given.keep or not given.memory:
        yield Finding("cache", "OK", "what was read of marked prefixes is not kept beyond its slot")
        return
    room = f"marked prefixes are kept in {megabytes(given.memory)} of memory"
    if not probe.directory:
        yield Finding("cache", "OK", f"{room}, and not beyond the process")
    elif probe.problem is not None:
        remedy = "Let this user write there, or say another place with --prompt-cache-directory."
        yield Finding("cache", "WARN", f"{room} alone: no files can be written: {probe.problem}", remedy)
    else:
        there = f"{probe.files} files have {megabytes(probe.size)} of {megabytes(given.files)} in {probe.directory}"
        yield Finding("cache", "OK", f"{room}; {there}")
    for model in described:
        if model.fleeting:
            yield Finding("cache", "OK", f"{model.id}: what it has read cannot be kept: {model.fleeting}")
    for id_, kept in probe.running.items():
        yield Finding("cache", "OK", f"{id_}, as it runs: {_kept(kept)}")


def _kept(kept: Mapping[str, Any]) -> str:
    if not kept.get("works"):
        return f"nothing is kept: {kept.get('why') or 'it is being found out'}"
    return (
        f"{kept.get('prefixes')} prefixes, {megabytes(kept.get('memory', 0))} in memory and "
        f"{megabytes(kept.get('files', 0))} in files; of marked prompts {kept.get('in_place')} were in their slot, "
        f"{kept.get('restored')} put back, {kept.get('missed')} read; {kept.get('evicted')} prefixes had to go"
    )


def sandbox(settings: Settings, tried: "Sequence[Tried]", libraries: bool) -> Finding:
    """Which driver runs code that models write; a server without one answers all else."""
    if not tried:
        return Finding("sandbox", "OK", "[sandbox] driver = none: no code is run")
    last = tried[-1]
    if last.problem is None:
        small = "" if libraries or last.name != "bubblewrap" else ", with Python's own library alone"
        remedy = "antiphon sandbox install adds numpy, pandas and the others." if small else ""
        return Finding("sandbox", "OK", f"{last.name} runs code{small}", remedy)
    problems = "; ".join(f"{one.name}: {one.problem}" for one in tried)
    asked = settings.sandbox.driver != ANY_SANDBOX
    remedy = "See docs/sandbox.md, or set [sandbox] driver = none."
    return Finding("sandbox", "FAIL" if asked else "WARN", f"no code can be run: {problems}", remedy)


def server_tools(tried: "Sequence[ToolCheck]") -> Iterator[Finding]:
    """Whether each server tool that is offered works; a request that names another is told that it is not here."""
    if not tried:
        yield Finding("tools", "OK", "none run inside the server; [server_tools.web_search] and web_fetch would")
    for tool in tried:
        # Without a network, a server that nobody has told to search is as sound as ever.
        state = "OK" if tool.works else "WARN" if tool.by_default else "FAIL"
        yield Finding(f"tool {tool.name}", state, tool.detail, tool.remedy)


def memory(described: "Sequence[ModelDescription]", settings: Settings, machine: Memory | None) -> Finding:
    """Whether weights and KV caches of all models fit into the machine's memory at once.

    A model's KV cache is as large as `parallel` full conversations, once they are full. On a GPU part of it lies
    elsewhere, so that more than the machine has is a warning, not a failure.
    """
    if described and all(model.remote for model in described):
        return Finding("memory", "OK", "the models are in engines elsewhere")
    if machine is None:
        return Finding("memory", "WARN", "this system does not say how much memory it has", "Compare it by hand.")
    need, silent = 0, list[str]()
    for model in (model for model in described if not (model.remote or model.source.startswith("script:"))):
        if model.kv_bytes_per_token is None or model.window is None or model.size_bytes is None:
            silent.append(model.id)
            continue
        tokens = model.window * settings.models[model.id].parallel
        weights = model.size_bytes + (0 if model.adapter is None else model.adapter.size_bytes)
        need += model.copies * (weights + tokens * model.kv_bytes_per_token) + ENGINE_BYTES
    unknown = f" (not counting {', '.join(silent)}, whose size is not known)" if silent else ""
    detail = f"the models need about {megabytes(need)}{unknown}; {megabytes(machine.available)} are free"
    if need <= machine.available:
        return Finding("memory", "OK", detail)
    never = need > machine.total and not any(model.gpu_layers for model in settings.models.values())
    detail += f" of {megabytes(machine.total)}"
    remedy = "Lower --context or --parallel, or serve a smaller model."
    return Finding("memory", "FAIL" if never else "WARN", detail, remedy)

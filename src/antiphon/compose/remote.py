"""A model in engines that somebody else runs: its endpoints, and the engine over them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from antiphon.compose.drains import drains_if_any
from antiphon.compose.token_endpoints import token_endpoints
from antiphon.config import EngineName, ModelSettings, RemoteSettings
from antiphon.dialogue.conversation import Sampling
from antiphon.errors import EngineDied, EngineFault, EngineRefused, EngineUnavailable
from antiphon.weights.errors import WeightsError
from antiphon.weights.progress import Progress, silent

if TYPE_CHECKING:
    from antiphon.engines.remote.connection import Connection
    from antiphon.engines.remote.endpoint import Endpoint, Findings
    from antiphon.engines.remote.engine import RemoteEngine


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a URL came to: what was found, or the `problem` that kept from finding anything. `drained`: its
    owner has taken it out of service."""

    url: str
    findings: "Findings | None" = None
    problem: str = ""
    drained: bool = False


async def remote_engine(
    model: ModelSettings,
    chat_template: str | None,
    told: "Callable[[str, Findings], None]",
    progress: Progress = silent,
) -> "RemoteEngine":
    """The engine over all of a model's URLs; not started. Raises `EngineFault`, `WeightsError`, OSError."""
    from antiphon.engines.remote.agreement import Wishes
    from antiphon.engines.remote.engine import RemoteEngine

    said = model.sampling
    sampling = Sampling(said.temperature, said.top_p, said.top_k)
    endpoints = await endpoints_for(model, progress)
    assert model.remote is not None
    wishes = Wishes(model.id, model.context, sampling, chat_template)
    limit = model.remote.endpoint_parallel or None
    return RemoteEngine(wishes, endpoints, limit=limit, queue=model.queue, told=told, drains=drains_if_any())


async def look_at(model: ModelSettings) -> list[Looked]:
    """What is at each of a model's URLs, tried as a start would."""

    file = drains_if_any()
    drained = frozenset[str]() if file is None else file.drained()

    async def look(endpoint: "Endpoint") -> Looked:
        out = endpoint.url in drained
        try:
            return Looked(endpoint.url, await endpoint.learn(), drained=out)
        except EngineFault as problem:
            return Looked(endpoint.url, problem=str(problem), drained=out)
        finally:
            await endpoint.aclose()

    assert model.remote is not None
    try:
        endpoints = await endpoints_for(model)
    except (EngineFault, WeightsError, OSError) as problem:
        return [Looked(url, problem=str(problem)) for url in model.remote.urls]
    return list(await asyncio.gather(*map(look, endpoints)))


async def endpoints_for(model: ModelSettings, progress: Progress = silent) -> "list[Endpoint]":
    """An endpoint for each of a model's URLs.

    Raises `EngineFault`, `WeightsError` for a tokenizer that cannot be had, OSError for certificates.

    Those that do not answer yet are taken to be of the kind of the others.
    """
    assert model.remote is not None
    connections = [_connection(model.remote, url) for url in model.remote.urls]
    try:
        kind = model.remote.engine or await _kind(connections)
        if kind == "llama-server":
            return _llama_servers(connections)
        return await token_endpoints(kind, connections, model.remote.tokenizer, progress)
    except BaseException:
        for connection in connections:
            await connection.aclose()
        raise


def _connection(remote: RemoteSettings, url: str) -> "Connection":
    # A server of models that run here holds no HTTP client for others.
    from antiphon.engines.remote.connection import Access, Connection

    try:
        access = Access(url, remote.key, remote.headers, remote.ca_file, remote.proxies, remote.silence_timeout)
        return Connection(replace(access, session_header=remote.session_header))
    except OSError as problem:
        raise OSError(f"ca_file: the certificates in {remote.ca_file} cannot be read: {problem}") from problem


async def _kind(connections: "Sequence[Connection]") -> EngineName:
    """The engine that is at the URLs. Raises `EngineFault` where it is not the same one at all that answer."""
    from antiphon.engines.remote.detection import detect

    found: dict[str, EngineName] = {}
    answers = await asyncio.gather(*map(detect, connections), return_exceptions=True)
    silent: list[str] = []
    for connection, answer in zip(connections, answers, strict=True):
        if isinstance(answer, EngineUnavailable | EngineDied):
            silent.append(f"{connection.url}: {answer}")
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found[connection.url] = answer
    if not found:
        raise EngineUnavailable("; ".join(silent))
    if len(set(found.values())) > 1:
        kinds = ", ".join(f"{kind} at {url}" for url, kind in found.items())
        raise EngineRefused(f"one model is in engines of one kind, and here are {kinds}; give each its own table")
    return next(iter(found.values()))


def _llama_servers(connections: "Sequence[Connection]") -> "list[Endpoint]":
    from antiphon.engines.remote.llama_server import LlamaServer

    return [LlamaServer(connection) for connection in connections]

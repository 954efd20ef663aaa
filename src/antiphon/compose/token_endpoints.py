"""Endpoints of engines that take tokens: their tokenizer found, downloaded where it has to be, and read once."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from antiphon.errors import EngineRefused, EngineUnavailable
from antiphon.weights.progress import Progress, silent
from antiphon.weights.tokenizer import MAIN, find_tokenizer

if TYPE_CHECKING:
    from antiphon.engines.remote.connection import Connection
    from antiphon.engines.remote.endpoint import Endpoint
    from antiphon.engines.remote.tokens.kinds import Kind

_REPOSITORY: Final = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


async def token_endpoints(
    engine: str, connections: "Sequence[Connection]", tokenizer: str | None, progress: Progress = silent
) -> "list[Endpoint]":
    """An endpoint for each connection. `engine`: "vllm" or "sglang". `tokenizer`: what `find_tokenizer` takes, None
    for the one that the engines name themselves.

    Raises `EngineFault`, `WeightsError`.
    """
    # A server of models that run here holds none of this.
    from antiphon.engines.remote.tokens.endpoint import TokenEndpoint
    from antiphon.engines.remote.tokens.kinds import KINDS
    from antiphon.engines.remote.tokens.tokenizer import LocalTokenizer

    kind = KINDS[engine]
    source = tokenizer or await _named(kind, connections)
    place = await asyncio.to_thread(find_tokenizer, source, progress)
    local = await asyncio.to_thread(LocalTokenizer.load, place)
    return [TokenEndpoint(connection, kind, local) for connection in connections]


async def _named(kind: "Kind", connections: "Sequence[Connection]") -> str:
    """Where the first engine that answers says that it has the tokenizer from, if it can be had here."""
    *others, last = connections
    said = ""
    for connection in others:
        try:
            said = await kind.source(connection)
            break
        except EngineUnavailable:
            continue
    said = said or await kind.source(last)
    if await asyncio.to_thread(Path(said, MAIN).is_file):
        return said
    if _REPOSITORY.fullmatch(said):
        return f"hf:{said}"
    raise EngineRefused(
        f"say with --tokenizer where the model's tokenizer is (a path, or hf:org/repo): {last.url} has the model "
        f"from {said or 'a place that it does not name'}, which is not here"
    )

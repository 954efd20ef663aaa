"""The questions that a llama.cpp server answers, and what of its answers is needed.

Source: llama.cpp, tools/server/README.md; measurements of a server of October 2026.
"""

import hashlib
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final, TypeVar

import orjson

from antiphon.engines.llamacpp.client import STREAMED, Telling
from antiphon.engines.remote.connection import Connection
from antiphon.errors import EngineDied, EngineRefused
from antiphon.ports.engine import EngineOutput

# The marker of servers that do not tell theirs. Source: llama.cpp, tools/mtmd/mtmd.cpp.
_OLD_MARKER: Final = "<__media__>"

OWN_SETTINGS: Final[Mapping[str, Any]] = {
    "cache_prompt": True,
    "grammar": "",
    "stop": (),
    "logit_bias": (),
    "ignore_eos": False,
    "mirostat": 0,
    "dynatemp_range": 0.0,
    "n_probs": 0,
    "min_keep": 0,
    "reasoning_budget_tokens": -1,
}
"""What a server may have been started with, and what no work asks for: every work says so itself."""


_TOKENS: Final[type[list[int]]] = list
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Properties:
    """What a server says of itself. `window`: tokens of one conversation; `places`: conversations at once.
    `vocabulary`: tokens that the model knows, 0 where it is not said; `size`: what tells it from another one of the
    same name."""

    file: str
    build: str
    window: int
    places: int
    chat_template: str
    bos_token: str
    eos_token: str
    sees: bool
    marker: str
    trace: str
    vocabulary: int = 0
    size: str = ""

    @property
    def name(self) -> str:
        """The model's name: its file's, wherever that lies."""
        stem = PureWindowsPath(PurePosixPath(self.file).name).name
        return stem[: -len(".gguf")] if stem.lower().endswith(".gguf") else stem


class Calls:
    """Asks one server. Raises kinds of `EngineFault` only."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def trace(self) -> str:
        """Another text where the server was started anew, or has another model."""
        return _trace(await self._connection.get("/props"))

    async def traces(self, sessions: Iterable[Mapping[str, str]]) -> tuple[frozenset[str], frozenset[str]]:
        """Of the servers that sessions with these headers reach: what tells models apart, and the markers."""
        said = [await self._connection.get("/props", headers=headers) for headers in sessions]
        return frozenset(map(_trace_of_model, said)), frozenset(str(one.get("media_marker")) for one in said)

    async def properties(self) -> Properties:
        """What the server says of itself and its model."""
        said = await self._connection.get("/props")
        if said.get("role") == "router":
            raise EngineRefused("this llama-server is a router of several models, and has none itself")
        try:
            modalities: Mapping[str, Any] = said.get("modalities") or {}
            found = Properties(
                file=str(said["model_path"]),
                build=str(said.get("build_info", "of unknown build")),
                window=int(said["default_generation_settings"]["n_ctx"]),
                places=int(said.get("total_slots", 0)),
                chat_template=str(said.get("chat_template") or ""),
                bos_token=str(said.get("bos_token") or ""),
                eos_token=str(said.get("eos_token") or ""),
                sees=bool(modalities.get("vision")),
                marker=str(said.get("media_marker") or _OLD_MARKER),
                trace=_trace(said),
            )
        except (KeyError, TypeError, ValueError) as problem:
            raise EngineRefused(f"/props does not say what a llama-server says: {problem!r}") from problem
        return await self._with_size(found)

    async def adapters(self) -> tuple[str, ...]:
        """The names of the adapters that change the model."""
        try:
            said = await self._connection.answer("GET", "/lora-adapters")
            return tuple(PurePosixPath(str(one["path"])).name for one in said if one["scale"])
        except (EngineRefused, KeyError, TypeError):
            return ()  # servers without adapters need not know the question

    async def tokenize(self, content: str | Sequence[str | int], *, special: bool, ends: bool = False) -> list[int]:
        """See `AskTokens`."""
        body = {"content": content, "parse_special": special, "add_special": ends}
        return _field(await self._connection.post("/tokenize", body), "tokens", _TOKENS)

    async def text_of(self, tokens: Sequence[int]) -> str:
        """The text of the tokens, control tokens in their own."""
        return _field(await self._connection.post("/detokenize", {"tokens": tokens}), "content", str)

    async def count(self, block: dict[str, Any]) -> int:
        """The tokens of a message of one block in the Messages API's form, with what the server puts around it."""
        body = {"messages": [{"role": "user", "content": [block]}]}
        return _field(await self._connection.post("/v1/messages/count_tokens", body), "input_tokens", int)

    def complete(
        self, body: Mapping[str, Any], headers: Mapping[str, str] | None = None, *, counts: bool = False
    ) -> AsyncGenerator[EngineOutput, None]:
        """Run a completion; closing the generator ends it. `counts`: see `Telling`."""
        told = Telling(tokens="return_tokens" in body, counts=counts)
        # It closes connections that it said it would keep.
        return self._connection.heard(
            "/completion", {**OWN_SETTINGS, **body, **STREAMED}, told, headers=headers, kept=False
        )

    async def _with_size(self, found: Properties) -> Properties:
        said = await self._connection.get("/v1/models")
        try:
            meta: Mapping[str, Any] = said["data"][0]["meta"]
            size = f"{int(meta['n_params'])} parameters in {int(meta['size'])} bytes"
            vocabulary = int(meta["n_vocab"])
        except (KeyError, IndexError, TypeError, ValueError):
            return found
        return replace(found, vocabulary=vocabulary, size=size)


def _trace(said: Mapping[str, Any]) -> str:
    """Of what stays as it is while a server runs; the marker is another one at every start."""
    return f"{_trace_of_model(said)} {said.get('media_marker')}"


def _trace_of_model(said: Mapping[str, Any]) -> str:
    """Of what is the same at all servers that were started alike."""
    stable = ("model_path", "build_info", "total_slots", "chat_template", "modalities")
    defaults: Mapping[str, Any] = said.get("default_generation_settings") or {}
    return hashlib.sha256(orjson.dumps([defaults.get("n_ctx"), *map(said.get, stable)])).hexdigest()


def _field(reply: Mapping[str, Any], name: str, kind: type[_Value]) -> _Value:
    value = reply.get(name)
    if not isinstance(value, kind):
        raise EngineDied(f"the engine's answer has no `{name}`: {orjson.dumps(reply)[:80]!r}")
    return value

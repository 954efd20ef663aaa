"""vLLM and SGLang beside their raw endpoints: what they say of themselves, and the flags of their command lines."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from antiphon.engines.remote.connection import Connection
from antiphon.engines.remote.dialects.ask import Dialect
from antiphon.engines.remote.dialects.sglang import Sglang
from antiphon.engines.remote.dialects.vllm_completions import Completions
from antiphon.engines.remote.dialects.vllm_generate import Generate
from antiphon.engines.remote.endpoint import Finding
from antiphon.engines.remote.tokens.pictures import Sight, Trial, find_sight
from antiphon.engines.remote.tokens.sglang_pictures import find_sglang_sight
from antiphon.errors import EngineFault, EngineRefused

# SGLang keeps so many tokens of its window for itself, where it does not say what it takes. Source: `tp_worker.py`.
_SGLANG_KEEPS: Final = 6
# It keeps places for what it drafts, by some algorithms. Source: `managers/utils.py`, `compute_num_reserved_tokens`.
_DRAFTS: Final = frozenset({"EAGLE", "EAGLE3", "FROZEN_KV_MTP", "NEXTN"})


@dataclass(frozen=True, slots=True)
class About:
    """What an engine says of itself. `model`: the name it serves it by; `window`: tokens of prompt and reply;
    `places`: works that it does at once, 0 where it does not say; `rows`: what its settings alone tell."""

    version: str
    model: str
    window: int
    places: int = 0
    rows: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Remedies:
    """What to add to the engine's command line, or to leave out."""

    grammar: str
    cached: str
    reasoning: str
    window: str


class Kind(Protocol):
    """One of the engines. `dialects`: the best first; the last one is always there."""

    engine: str
    dialects: Sequence[Dialect]
    remedies: Remedies

    async def about(self, connection: Connection) -> About:
        """What it says of itself."""
        ...

    async def trace(self, connection: Connection) -> str:
        """See `Endpoint.trace`."""
        ...

    async def source(self, connection: Connection) -> str:
        """Where it has its tokenizer from: a repository or a path of its own machine; empty where it does not say."""
        ...

    async def tokenize(self, connection: Connection, text: str) -> tuple[int, ...]:
        """The tokens of a text in which control tokens are read, with nothing before them."""
        ...

    async def detokenize(self, connection: Connection, tokens: Sequence[int]) -> str:
        """The text of tokens, control tokens in their own."""
        ...

    async def sight(self, connection: Connection, model: str, trial: Trial) -> Sight | None:
        """How its model's pictures are sent, by a dialect that can; None where the model sees none. Raises
        `EngineRefused` where it sees, and does not read its prompts as they are written and counted here."""
        ...


class VllmKind:
    """See `Kind`."""

    engine = "vllm"
    dialects: Sequence[Dialect] = (Generate(), Completions())
    remedies = Remedies(
        grammar="""--structured-outputs-config '{"backend":"guidance"}'""",
        cached="--enable-prompt-tokens-details",
        reasoning="--enable-scale-out, or start it without --reasoning-parser",
        window="--max-model-len",
    )

    async def about(self, connection: Connection) -> About:
        """What `/version` and `/v1/models` say."""
        version = await connection.get("/version")
        model = await _served(connection)
        return About(
            version=str(version.get("version", "")),
            model=str(model["id"]),
            window=_window(model),
        )

    async def trace(self, connection: Connection) -> str:
        """The name, the place and the window of its model. `/health` is 503 where what stands behind it is dead."""
        model, _ = await asyncio.gather(_served(connection), _healthy(connection))
        return f"{model['id']} {model.get('root')} {model.get('max_model_len')}"

    async def source(self, connection: Connection) -> str:
        """`root` of its model."""
        return str((await _served(connection)).get("root") or "")

    async def tokenize(self, connection: Connection, text: str) -> tuple[int, ...]:
        """`/tokenize` reads control tokens."""
        return await _tokens(connection, {"prompt": text, "add_special_tokens": False})

    async def detokenize(self, connection: Connection, tokens: Sequence[int]) -> str:
        """`/detokenize` shows control tokens."""
        return str((await connection.post("/detokenize", {"tokens": tokens})).get("prompt"))

    async def sight(self, connection: Connection, model: str, trial: Trial) -> Sight | None:
        """See `find_sight`."""
        return await find_sight(connection, model, trial)


class SglangKind:
    """See `Kind`."""

    engine = "sglang"
    dialects: Sequence[Dialect] = (Sglang(),)
    remedies = Remedies(
        grammar="--grammar-backend llguidance",
        cached="start it without --disable-radix-cache",
        reasoning="start it without --reasoning-parser",
        window="--context-length",
    )

    async def about(self, connection: Connection) -> About:
        """What `/server_info` and `/v1/models` say."""
        server, served = await connection.get("/server_info"), await _served(connection)
        takes, window = server.get("max_req_input_len"), _window(served)
        takes = takes if isinstance(takes, int) else window - _SGLANG_KEEPS
        return About(
            version=str(server.get("version", "")),
            model=str(served["id"]),
            window=min(takes, window - _drafted(server)),
            places=_count(server.get("max_running_requests")),
            rows=tuple(_settings(server)),
        )

    async def trace(self, connection: Connection) -> str:
        """The name of its model, and which weights it has. Its `/health` would have the model write a token."""
        model = await connection.get("/model_info")
        return " ".join(str(model.get(key)) for key in ("model_path", "served_model_name", "weight_version"))

    async def source(self, connection: Connection) -> str:
        """`tokenizer_path` of its model."""
        return str((await connection.get("/model_info")).get("tokenizer_path") or "")

    async def tokenize(self, connection: Connection, text: str) -> tuple[int, ...]:
        """`/tokenize` reads control tokens."""
        return await _tokens(connection, {"prompt": text, "add_special_tokens": False})

    async def detokenize(self, connection: Connection, tokens: Sequence[int]) -> str:
        """`/detokenize` shows control tokens where it is asked to."""
        body = {"tokens": tokens, "skip_special_tokens": False}
        return str((await connection.post("/detokenize", body)).get("text"))

    async def sight(self, connection: Connection, model: str, trial: Trial) -> Sight | None:
        """See `find_sglang_sight`."""
        return await find_sglang_sight(connection, model, trial)


KINDS: Final[dict[str, Kind]] = {"vllm": VllmKind(), "sglang": SglangKind()}
"""The engines by the names that settings have for them."""


def _drafted(server: dict[str, Any]) -> int:
    """The places that SGLang keeps in every window for what it drafts."""
    if str(server.get("speculative_algorithm")).upper() not in _DRAFTS:
        return 0
    tree = _count(server.get("speculative_eagle_topk")) * _count(server.get("speculative_num_steps"))
    drafts = ("speculative_num_draft_tokens", "max_speculative_num_draft_tokens")
    return max(tree, *(_count(server.get(name)) for name in drafts))


def _settings(server: dict[str, Any]) -> list[Finding]:
    """What SGLang's settings alone tell."""
    rows = [
        Finding(
            "long prompts",
            not server.get("allow_auto_truncate"),
            "are cut without a word" if server.get("allow_auto_truncate") else "are refused",
            "start it without --allow-auto-truncate" if server.get("allow_auto_truncate") else "",
        )
    ]
    if (disjoint := server.get("incremental_streaming_output")) is not None:
        rows.append(
            Finding(
                "streams",
                bool(disjoint),
                "have what is new"
                if disjoint
                else "have all so far in every event, which costs more the longer it is",
                "" if disjoint else "--incremental-streaming-output",
                needed=False,
            )
        )
    return rows


async def _healthy(connection: Connection) -> None:
    with suppress(EngineRefused):  # a router need not have it
        await connection.get("/health")


async def _served(connection: Connection) -> dict[str, Any]:
    """The model that is served; adapters of it are listed too."""
    listed = _listed(await connection.get("/v1/models"))
    own = [each for each in listed if not each.get("parent")]
    if not own or "id" not in own[0]:
        raise EngineFault(f"{connection.url} serves no model: /v1/models names none")
    return own[0]


def _listed(said: dict[str, Any]) -> list[dict[str, Any]]:
    data = said.get("data")
    return [each for each in cast("list[Any]", data) if isinstance(each, dict)] if isinstance(data, list) else []


def _window(model: dict[str, Any]) -> int:
    window = model.get("max_model_len")
    if not isinstance(window, int):
        raise EngineFault("the engine does not say how many tokens its window has (max_model_len in /v1/models)")
    return window


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


async def _tokens(connection: Connection, body: dict[str, Any]) -> tuple[int, ...]:
    found = (await connection.post("/tokenize", body)).get("tokens")
    return tuple(cast("list[int]", found)) if isinstance(found, list) else ()

"""A remote engine that brings the played one along, for the contract of engines."""

import functools
import os
from collections.abc import Callable
from pathlib import Path

from antiphon.engines.remote.agreement import Wishes
from antiphon.engines.remote.connection import Access, Connection
from antiphon.engines.remote.dialects.ask import Dialect
from antiphon.engines.remote.dialects.vllm_completions import Completions
from antiphon.engines.remote.dialects.vllm_generate import Generate
from antiphon.engines.remote.engine import RemoteEngine
from antiphon.engines.remote.tokens.endpoint import TokenEndpoint
from antiphon.engines.remote.tokens.kinds import KINDS, VllmKind
from antiphon.engines.remote.tokens.tokenizer import LocalTokenizer
from antiphon.ports.engine import Engine
from tests.engines.foreign import free_port
from tests.engines.token_engines.model import tokenizer_directory
from tests.engines.token_engines.serving import PlayedEngine
from tests.engines.token_engines.sglang import PlayedSglang
from tests.engines.token_engines.vllm import PlayedVllm


@functools.cache
def tokenizer() -> LocalTokenizer:
    """The built-in model's, read once."""
    return LocalTokenizer.load(tokenizer_directory())


def endpoint(played: PlayedEngine, key: str | None = None, other: LocalTokenizer | None = None) -> TokenEndpoint:
    """The played engine as an endpoint, with its own tokenizer or another; nothing has been learnt of it yet."""
    kind = KINDS["sglang" if isinstance(played, PlayedSglang) else "vllm"]
    return TokenEndpoint(Connection(Access(played.url, key)), kind, other or tokenizer())


class WithPlayed(RemoteEngine):
    """Both in one."""

    def __init__(self, played: PlayedEngine) -> None:
        super().__init__(Wishes("tiny"), [endpoint(played)])
        self._played = played

    async def start(self) -> None:
        """Start both."""
        await self._played.start()
        await super().start()

    async def aclose(self) -> None:
        """End both, the engine first as if it had been killed."""
        await super().aclose()
        await self._played.stop()


def vllm_completions(script: str, window: int) -> WithPlayed:
    """vLLM without `--enable-scale-out`."""
    played = PlayedVllm(script, window=window, port=free_port())
    played.scale_out = False
    return WithPlayed(played)


def vllm_generate(script: str, window: int) -> WithPlayed:
    """vLLM with it."""
    return WithPlayed(PlayedVllm(script, window=window, port=free_port()))


def sglang(script: str, window: int, *, disjoint: bool) -> WithPlayed:
    """SGLang, in either of its ways to stream."""
    played = PlayedSglang(script, window=window, port=free_port())
    played.disjoint = disjoint
    return WithPlayed(played)


REAL_ENGINE, REAL_TOKENIZER = "TEST_ENGINE_URL", "TEST_ENGINE_TOKENIZER"
"""Variables with the URL of a real vLLM and the path of its model's tokenizer."""


def real() -> dict[str, Callable[[int], Engine]]:
    """The real vLLM that the environment names, by both of its raw endpoints; empty where it names none."""
    url = os.environ.get(REAL_ENGINE)
    if url is None:
        return {}

    def through(dialect: Dialect, window: int) -> RemoteEngine:
        kind = VllmKind()
        kind.dialects = (dialect,)
        own = LocalTokenizer.load(Path(os.environ[REAL_TOKENIZER]))
        wishes = Wishes("tiny", context=window)
        return RemoteEngine(wishes, [TokenEndpoint(Connection(Access(url)), kind, own)])

    return {
        "real vllm completions": lambda window: through(Completions(), window),
        "real vllm generate": lambda window: through(Generate(), window),
    }

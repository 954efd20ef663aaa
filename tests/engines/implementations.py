"""The engines that exist, and how a test gets one: the only place that names them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace

from jinja2 import Environment

from antiphon.compose.engines import model_file as described
from antiphon.config import ModelSettings
from antiphon.dialogue.conversation import Sampling
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.llamacpp import LlamaCppEngine, ModelFile
from antiphon.engines.remote.agreement import Wishes
from antiphon.engines.remote.connection import Access, Connection
from antiphon.engines.remote.engine import RemoteEngine
from antiphon.engines.remote.llama_server import LlamaServer
from antiphon.engines.scripted import ScriptedEngine
from antiphon.ports.engine import Done, Engine, EngineOutput, Generation, Piece
from antiphon.weights import resolve
from tests.engines.foreign import Foreign, ForeignServer, free_port
from tests.engines.shallow import shallow_file, shallow_path
from tests.engines.token_engines import engine as token_engines

WINDOW = 2048
SMALL_WINDOW = 256
GREEDY = Sampling(temperature=0.0)

LONG = "Write a long story about the sea."
SHORT = "Say OK."
ECHO = "日本語😀🎉漢字"

TALE = "The sea was calm that morning, and nobody spoke. "
TOLD = f'start: "{TALE * 4}"'
"""The grammar that has a model write what the script has."""
OK = 'start: "OK."'
ECHOED = f'start: "{" ".join([ECHO] * 6)}"'
"""The same for the other replies."""

SCRIPT = f"""
[model]
window = %d

[[reply]]
prompt = '(?s)sea.*\\Z'
text = "{TALE * 60}"

[[reply]]
prompt = '(?s){ECHO}.*\\Z'
text = "{" ".join([ECHO] * 6)}"

[[reply]]
prompt = '(?s){SHORT}.*\\Z'
text = "OK."
"""


def llama_cpp(window: int) -> Engine:
    """The embedded engine with the built-in model's first layers; not started."""
    return LlamaCppEngine(ModelSettings("tiny", "builtin", context=window, parallel=2), shallow_file())


def scripted(window: int) -> Engine:
    """The scripted engine; not started."""
    return ScriptedEngine("tiny", SCRIPT % window)


def llama_server(window: int) -> Engine:
    """A llama-server that somebody else runs, as the only endpoint; not started."""
    return ForeignLlama(Foreign(str(shallow_path()), free_port(), window))


def two_llama_servers(window: int) -> Engine:
    """Two of them, of which each conversation has one; not started."""
    model = str(shallow_path())
    return ForeignLlama(*(Foreign(model, free_port(), window) for _ in range(2)))


IMPLEMENTATIONS: Mapping[str, Callable[[int], Engine]] = token_engines.real() or {
    "llama.cpp": llama_cpp,
    "scripted": scripted,
    "llama-server": llama_server,
    "two llama-servers": two_llama_servers,
    "vllm completions": lambda window: token_engines.vllm_completions(SCRIPT % window, window),
    "vllm generate": lambda window: token_engines.vllm_generate(SCRIPT % window, window),
    "sglang": lambda window: token_engines.sglang(SCRIPT % window, window, disjoint=False),
    "sglang incremental": lambda window: token_engines.sglang(SCRIPT % window, window, disjoint=True),
}
"""Where a real engine is named, as `make test-vllm` does, only that."""


class ForeignLlama(RemoteEngine):
    """An engine that brings the servers along which it is remote to."""

    def __init__(self, *settings: Foreign) -> None:
        super().__init__(Wishes("tiny"), [LlamaServer(Connection(Access(one.url, one.key))) for one in settings])
        self._settings = settings
        self._servers: list[ForeignServer] = []

    async def start(self) -> None:
        """Start all."""
        self._servers = list(await asyncio.gather(*map(ForeignServer.start, self._settings)))
        await super().start()

    async def aclose(self) -> None:
        """End all."""
        await super().aclose()
        for server in self._servers:
            await server.kill()


def model_file() -> ModelFile:
    """The built-in model as an engine wants it described."""
    return replace(described(resolve("builtin")), adapter=None, spares_plain_work=False)


async def ask(engine: Engine, text: str, reply: str = "") -> RenderedPrompt:
    """A user's question as a prompt in the model's own template, with the beginning of a reply."""
    template = Environment().from_string(engine.card.chat_template or "{{ messages[0]['content'] }}")
    messages = [{"role": "user", "content": text}]
    segments = (Segment(template.render(messages=messages, add_generation_prompt=True) + reply),)
    return RenderedPrompt(segments, await engine.tokenize(segments))


async def run(
    engine: Engine, prompt: RenderedPrompt, max_tokens: int, stops: tuple[str, ...] = (), grammar: str | None = None
) -> list[EngineOutput]:
    """Everything that a generation yields."""
    work = Generation(prompt, max_tokens, GREEDY, grammar, stops=stops)
    return [output async for output in engine.generate(work)]


async def tell(engine: Engine, max_tokens: int, stops: tuple[str, ...] = ()) -> list[EngineOutput]:
    """The tale, which every engine tells in the same words."""
    return await run(engine, await ask(engine, LONG), max_tokens, stops, TOLD)


def pieces(outputs: list[EngineOutput]) -> list[Piece]:
    """The pieces among the outputs."""
    return [output for output in outputs if isinstance(output, Piece)]


def text(outputs: list[EngineOutput]) -> str:
    """What was written."""
    return "".join(piece.text for piece in pieces(outputs))


def done(outputs: list[EngineOutput]) -> Done:
    """The end of the outputs."""
    assert isinstance(outputs[-1], Done)
    return outputs[-1]


def known(outputs: list[EngineOutput]) -> tuple[str, tuple[int, ...]]:
    """The text whose tokens are known, and these: up to the last piece that has some."""
    text, tokens, written = "", (), ""
    for piece in pieces(outputs):
        written += piece.text
        if piece.tokens:
            text, tokens = written, (*tokens, *piece.tokens)
    return text, tokens


async def begin(engine: Engine, prompt: RenderedPrompt, max_tokens: int = 1000) -> AsyncGenerator[EngineOutput]:
    """A generation that has written something, still open."""
    outputs = engine.generate(Generation(prompt, max_tokens, GREEDY))
    assert isinstance(outputs, AsyncGenerator)
    async for output in outputs:
        if isinstance(output, Piece):
            break
    return outputs


def closing(outputs: AsyncGenerator[EngineOutput]) -> aclosing[AsyncGenerator[EngineOutput]]:
    """The generation, closed at the end of the block."""
    return aclosing(outputs)

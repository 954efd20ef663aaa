"""A llama.cpp server that has no model: its tokens are characters, and it says what a test wants. What it sends has the
shapes that a real one sent in October 2026; the real one goes through the same tests of the contract."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.engines.remote.stand_in import Answer, StandIn, standing_in

CONTROL = ("<s>", "</s>", "<|user|>", "<|model|>")
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role if message.role == 'user' else 'model' }}|>{{ message.content }}</s>"
    "{% endfor %}<|model|>"
)
REPLY = "Hello there, how are you?"


@dataclass
class FakeLlama:
    """The server. `fault`: what it does instead of the next works; `flaws`: what it does not do of what it should."""

    stand_in: StandIn
    model: str = "fake.gguf"
    window: int = 4096
    start: int = 0
    sick: Answer | None = None
    fault: Answer | None = None
    flaws: set[str] = field(default_factory=set[str])
    works: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    traces: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.stand_in.url

    @property
    def completions(self) -> int:
        """How often it was asked to write, tries included."""
        return sum(request.path == "/completion" for request in self.stand_in.asked)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What it answers to anything."""
        if self.sick is not None:
            return await self.sick(request)
        match request.path:
            case "/props":
                self.traces += 1
                return web.json_response(self._props())
            case "/health":
                return web.json_response({"status": "ok"})
            case "/v1/models":
                meta = {"n_params": 1000, "size": 2000, "n_vocab": len(CONTROL)}
                return web.json_response({"data": [{"id": self.model, "meta": meta}]})
            case "/lora-adapters":
                return web.json_response([])
            case "/tokenize":
                return web.json_response({"tokens": self._tokens(await request.json())})
            case "/detokenize":
                return web.json_response({"content": _text((await request.json())["tokens"])})
            case "/completion":
                return await self._complete(request, await request.json())
            case _:
                return web.json_response({"error": {"code": 404, "message": "File Not Found"}}, status=404)

    def _props(self) -> dict[str, Any]:
        return {
            "default_generation_settings": {"n_ctx": self.window},
            "total_slots": 4,
            "model_path": f"/models/{self.model}",
            "modalities": {"vision": False},
            "media_marker": f"<__media_{self.start}__>",
            "chat_template": TEMPLATE,
            "bos_token": "<s>",
            "eos_token": "</s>",
            "build_info": "b1-fake",
        }

    def _tokens(self, asked: dict[str, Any]) -> list[int]:
        said: Any = asked["content"]
        content: list[Any] = [said] if isinstance(said, str) else said
        tokens: list[int] = [0] if asked["add_special"] else []
        for part in content:
            if isinstance(part, int):
                tokens.append(part)
            elif asked["parse_special"]:
                pieces = re.split(f"({'|'.join(map(re.escape, CONTROL))})", part)
                for piece in pieces:
                    tokens += [CONTROL.index(piece)] if piece in CONTROL else map(ord, piece)
            else:
                tokens += map(ord, part)
        return tokens

    async def _complete(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        grammar = body["grammar"]
        if "%llguidance" in grammar and "/[ab]/ & ~/a/" in grammar:
            shown = "<s>" if "shows control tokens" in self.flaws else ""
            text = "unbound" if "no grammars" in self.flaws else f"{shown}b"
            return await self._stream(request, body, text, "eos")
        if '"abc"' in grammar:
            return await self._stream(request, body, "a", "word", "b")
        if _text(body["prompt"]).startswith("<s><|user|>"):
            if self.fault is not None:
                return await self.fault(request)
            self.works.append(body)
        return await self._stream(request, body, REPLY[: max(1, body["n_predict"])], "eos")

    async def _stream(
        self, request: web.Request, body: dict[str, Any], text: str, stop: str, word: str = ""
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        total = len(body["prompt"])
        if "no progress" not in self.flaws:
            progress = {"total": total, "cache": total - 1, "processed": total, "time_ms": 1}
            await response.write(event(content="", tokens=[0], tokens_predicted=0, prompt_progress=progress))
        for number, char in enumerate(text, 1):
            await response.write(event(content=char, tokens=[ord(char)], tokens_predicted=number, stop=False))
        final = {"stop": True, "stop_type": stop, "stopping_word": word, "tokens_predicted": len(text) + 1}
        await response.write(event(**final, **{"timings/cache_n": total - 1}))
        return response


def event(**said: Any) -> bytes:
    """One event of its stream."""
    return b"data: " + json.dumps(said).encode() + b"\n\n"


def held_until(ends: asyncio.Event) -> Answer:
    """Writes the reply at once, and says that it is whole when that has happened."""

    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(event(content=REPLY, tokens=[72], tokens_predicted=1))
        await ends.wait()
        await response.write(event(stop=True, stop_type="eos", tokens_predicted=1, stopping_word=""))
        return response

    return slowly


def _text(tokens: list[int]) -> str:
    return "".join(CONTROL[token] if token < len(CONTROL) else chr(token) for token in tokens)


@asynccontextmanager
async def fake_llama(**settings: Any) -> AsyncGenerator[FakeLlama]:
    """The server, as long as the block lasts."""
    async with standing_in() as stand_in:
        made = FakeLlama(stand_in, **settings)
        stand_in.answer = made.answer
        yield made

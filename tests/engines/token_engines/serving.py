"""What the played engines share: a server on loopback, works that can be aborted, and stop texts."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from tests.engines.token_engines.model import END, ScriptedModel

PER_TOKEN = 0.001


@dataclass(slots=True, eq=False)
class Work:
    """One request on its way. `ids`: all tokens so far; `text`: their text as the engine has it."""

    id: str
    body: dict[str, Any]
    prompt: list[int]
    headers: dict[str, str]
    ids: list[int] = field(default_factory=list[int])
    text: str = ""
    cached: int = 0
    finish: str | None = None
    stop: int | str | None = None
    aborted: asyncio.Event = field(default_factory=asyncio.Event)


class PlayedEngine:
    """A server on loopback. `asked`: the works so far; `running`: those that are worked on; `key`: what callers need;
    `root`: where the model is from.

    `hangs_after`: it goes silent behind so many tokens.
    """

    def __init__(self, script: str = "", *, window: int = 2048, key: str = "", port: int = 0) -> None:
        self.model = ScriptedModel(script)
        self.window = window
        self.key = key
        self.root = "/models/smollm2"
        self.asked: list[Work] = []
        self.running: set[Work] = set()
        self.changed = asyncio.Condition()
        self.hangs_after: int | None = None
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        self.route(app)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        assert self._runner.addresses
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """End, and whatever is open with it."""
        if self._runner is not None:
            for work in self.running:
                work.aborted.set()
            await self._runner.cleanup()
            self._runner = None

    def route(self, app: web.Application) -> None:
        """Say what answers where."""
        raise NotImplementedError

    def is_let_in(self, request: web.Request) -> bool:
        """Whether the caller has the key."""
        return not self.key or request.headers.get("authorization") == f"Bearer {self.key}"

    async def written(
        self, work: Work, max_tokens: int, stops: Sequence[str], ends: Sequence[int], **grammar: Any
    ) -> AsyncGenerator[int, None]:
        """Token by token; `work` says behind each what was written, and behind the last why it was that."""
        tokens = self.model.write(work.prompt, grammar.get("grammar"))
        work.cached = self.model.cached(work.prompt, str(work.body.get("cache_salt", "")))
        await self._count(work, running=True)
        try:
            for token in tokens:
                if len(work.ids) == self.hangs_after:
                    await asyncio.Event().wait()
                await asyncio.sleep(PER_TOKEN)
                if work.aborted.is_set():
                    work.finish = "abort"
                    return
                work.ids.append(token)
                self._judge(work, token, max_tokens, stops, ends)
                yield token
                if work.finish:
                    return
        finally:
            await self._count(work, running=False)

    async def until_free(self) -> None:
        """Wait until nothing is worked on."""
        async with self.changed:
            await self.changed.wait_for(lambda: not self.running)

    def _judge(self, work: Work, token: int, max_tokens: int, stops: Sequence[str], ends: Sequence[int]) -> None:
        if token in (END, *ends):
            work.finish, work.stop = "stop", None if token == END else token
            return
        work.text = self.model.text(work.ids)
        found = next((stop for stop in stops if stop in work.text), None)
        if found is not None:
            work.finish, work.stop, work.text = "stop", found, work.text[: work.text.index(found)]
        elif len(work.ids) >= max_tokens:
            work.finish = "length"

    async def _count(self, work: Work, *, running: bool) -> None:
        (self.running.add if running else self.running.discard)(work)
        async with self.changed:
            self.changed.notify_all()


async def stream(request: web.Request) -> web.StreamResponse:
    """A stream of events, begun."""
    response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    return response


def compact(value: object) -> bytes:
    """JSON as pydantic and orjson write it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

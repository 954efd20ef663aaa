"""Several llama-servers of the built-in model's first layers, and what they do."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from antiphon.engines.remote.agreement import Wishes
from antiphon.engines.remote.connection import Access, Connection
from antiphon.engines.remote.engine import RemoteEngine
from antiphon.engines.remote.llama_server import LlamaServer
from antiphon.ports.engine import EngineOutput, Generation
from tests.engines.foreign import Foreign, ForeignServer, free_port
from tests.engines.shallow import shallow_path

KEY = "foreign"
SOON = 0.2


class Watched(LlamaServer):
    """An endpoint that remembers the work it was given."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.works: list[Generation] = []

    async def generate(self, work: Generation, limit: int) -> AsyncGenerator[EngineOutput]:
        """Run the model."""
        self.works.append(work)
        async for output in super().generate(work, limit):
            yield output


class Several:
    """Servers that are started, killed and started again at their ports."""

    def __init__(self, count: int, **settings: Any) -> None:
        model = str(shallow_path())
        self.settings = [Foreign(model, free_port(), key=KEY, **settings) for _ in range(count)]
        self._servers: list[ForeignServer | None] = [None] * count

    @property
    def urls(self) -> Sequence[str]:
        """Where they are."""
        return [one.url for one in self.settings]

    async def start(self, number: int, **changed: Any) -> None:
        """Start one of them."""
        self._servers[number] = await ForeignServer.start(replace(self.settings[number], **changed))

    async def kill(self, number: int) -> None:
        """End one of them as a crash would."""
        server, self._servers[number] = self._servers[number], None
        if server is not None:
            await server.kill()

    async def busy(self, number: int) -> int:
        """How many of its slots one of them works in."""
        connection = Connection(Access(self.urls[number], KEY))
        try:
            return sum(bool(slot["is_processing"]) for slot in await connection.answer("GET", "/slots"))
        finally:
            await connection.aclose()


@asynccontextmanager
async def several(count: int, **settings: Any) -> AsyncGenerator[Several]:
    """Servers, started together."""
    servers = Several(count, **settings)
    try:
        await asyncio.gather(*(servers.start(number) for number in range(count)))
        yield servers
    finally:
        for number in range(count):
            await servers.kill(number)


@asynccontextmanager
async def over(urls: Sequence[str], **options: Any) -> AsyncGenerator[tuple[RemoteEngine, list[Watched]]]:
    """A started engine over what is at the URLs, and its endpoints."""
    endpoints = [Watched(Connection(Access(url, KEY))) for url in urls]
    engine = RemoteEngine(Wishes("tiny"), endpoints, interval=SOON, **options)
    await engine.start()
    try:
        yield engine, endpoints
    finally:
        await engine.aclose()

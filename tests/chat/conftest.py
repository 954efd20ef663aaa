"""The server that chats are tried with: a script, on a real socket, in a thread of this process."""

import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
import uvicorn
from anyio.from_thread import start_blocking_portal

from antiphon.engines.scripted import ScriptedEngine
from antiphon.testing import engine_app
from antiphon.testing.app import MODEL
from tests.service.media.doubles import intake

KEY = "the-key"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    url: str
    key: str = KEY

    @property
    def arguments(self) -> list[str]:
        """What a chat with it is started with."""
        return ["chat", "--url", self.url, "--key", self.key, "--model", "claude-opus-4-8"]


@asynccontextmanager
async def running() -> AsyncGenerator[Server]:
    """The server on a free port."""
    script = Path(__file__).with_name("script.toml").read_text(encoding="utf-8")
    async with engine_app(ScriptedEngine(MODEL, script), media=intake(), api_keys=(KEY,)) as bridge:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(bridge.app, log_config=None, lifespan="off"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            yield Server(f"http://127.0.0.1:{listener.getsockname()[1]}")
            server.should_exit = server.force_exit = True


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running()) as found:
        yield found

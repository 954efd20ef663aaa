"""The server that chats are tried with: a script, on a real socket, in a thread of this process."""

import socket
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
import uvicorn
from anyio.from_thread import start_blocking_portal
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

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


def bare(app: ASGIApp) -> ASGIApp:
    """Of the app its messages alone, as many servers that speak the API have no more."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/v1/messages":
            await app(scope, receive, send)
        else:
            await PlainTextResponse("nothing here", 404)(scope, receive, send)

    return answer


@asynccontextmanager
async def running(around: Callable[[ASGIApp], ASGIApp] = lambda app: app) -> AsyncGenerator[Server]:
    """The server on a free port. `around`: what is put around its app."""
    script = Path(__file__).with_name("script.toml").read_text(encoding="utf-8")
    async with engine_app(ScriptedEngine(MODEL, script), media=intake(), api_keys=(KEY,)) as bridge:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(around(bridge.app), log_config=None, lifespan="off"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            yield Server(f"http://127.0.0.1:{listener.getsockname()[1]}")
            server.should_exit = server.force_exit = True


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running()) as found:
        yield found

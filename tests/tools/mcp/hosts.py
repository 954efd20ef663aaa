"""MCP servers on loopback: real ones of the protocol's own package, and one that answers as a test wants.

async with serving(tools_server().streamable_http_app(...)) as host:
    host.url("/mcp")
"""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Image
from mcp.types import ToolAnnotations
from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon.config import AllowedHost

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


@dataclass
class Host:
    """A server that runs. `asked`: method, path and headers of each request; `came`: that there is a new one."""

    port: int
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list[tuple[str, str, dict[str, str]]])
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    def url(self, path: str = "/mcp") -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def allowed(self) -> AllowedHost:
        """As an owner allows it."""
        return AllowedHost("http", "127.0.0.1", self.port)

    @property
    def tokens(self) -> set[str | None]:
        """What it was shown."""
        return {headers.get("authorization") for _, _, headers in self.asked}

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until so much was asked."""
        async with asyncio.timeout(10), self.came:
            await self.came.wait_for(holds)

    def methods(self, method: str) -> int:
        """How many requests were of this method."""
        return sum(1 for asked, _, _ in self.asked if asked == method)


@asynccontextmanager
async def serving(app: ASGIApp, *, lifespan: bool = True, chain: Path | None = None) -> AsyncGenerator[Host]:
    """The app on a port of its own, until the block ends. `chain`: its key and certificate, where it has some."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    host = Host(listener.getsockname()[1])

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = {key.decode(): value.decode() for key, value in scope["headers"]}
            host.asked.append((scope["method"], scope["path"], headers))
            async with host.came:
                host.came.notify_all()
        await app(scope, receive, send)

    config = uvicorn.Config(
        watched,
        log_config=None,
        lifespan="on" if lifespan else "off",
        timeout_graceful_shutdown=1,
        ws="none",
        ssl_certfile=chain,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    async with asyncio.timeout(10):
        await server.startup([listener])
    task = asyncio.create_task(server.main_loop())
    try:
        yield host
    finally:
        server.should_exit = True
        async with asyncio.timeout(10):
            await task
            await server.shutdown([listener])
        for connection in [*server.server_state.connections]:
            connection.transport.abort()  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
        await asyncio.sleep(0)


def tools_server(more: int = 0) -> MCPServer:
    """Tools of the usual kinds, and so many more."""
    server = MCPServer("tools")

    @server.tool(description="Adds two numbers.")
    def add(a: int, b: int) -> str:  # pyright: ignore[reportUnusedFunction]
        return str(a + b)

    @server.tool(description="Always fails.")
    def fail() -> str:  # pyright: ignore[reportUnusedFunction]
        raise ValueError("the disk is full")

    @server.tool(description="Shows a picture.", structured_output=False)
    def picture() -> list[Any]:  # pyright: ignore[reportUnusedFunction]
        return ["a dot", Image(data=PICTURE, format="png")]

    for n in range(more):

        async def one(n: int = n) -> str:
            return f"tool {n} ran"

        server.add_tool(
            one, name=f"thing_{n:02}", description=f"Does thing number {n}.", annotations=ToolAnnotations()
        )
    return server


Answer = Callable[[dict[str, Any]], Awaitable[Any]]
"""From the message of a client to the `result` of what it is told."""


class Raw:
    """A server that says what a test wants it to, in JSON. `answers`: by method, in place of what is proper.

    `status`: it answers everything with this; `headers` with these beside.
    """

    def __init__(
        self, answers: dict[str, Answer] | None = None, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self._answers = answers or {}
        self._status = status
        self._headers = headers or {}
        self.called: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        body = b""
        more = True
        while more:
            part = await receive()
            body += part.get("body", b"")
            more = part.get("more_body", False)
        if scope["method"] != "POST" or self._status != 200:
            await _send(send, self._status if self._status != 200 else 405, b"", self._headers)
            return
        message = json.loads(body)
        self.called.append(message)
        if "id" not in message:
            await _send(send, 202, b"", {})
            return
        told = {"jsonrpc": "2.0", "id": message["id"], **await self._told(message)}
        await _send(send, 200, json.dumps(told).encode(), {"content-type": "application/json", **self._headers})

    async def _told(self, message: dict[str, Any]) -> dict[str, Any]:
        answer = self._answers.get(message["method"])
        if answer is not None:
            return {"result": await answer(message)}
        match message["method"]:
            case "initialize":
                said: dict[str, Any] = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}}
                return {"result": {**said, "serverInfo": {"name": "raw", "version": "1"}}}
            case "tools/list":
                return {"result": {"tools": [{"name": "look", "inputSchema": {"type": "object"}}]}}
            case _:
                return {"error": {"code": -32601, "message": "Method not found"}}


def listing(*tools: dict[str, Any]) -> Answer:
    """Lists these tools."""

    async def answer(message: dict[str, Any]) -> dict[str, Any]:
        return {"tools": list(tools)}

    return answer


async def _send(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    told = [(key.encode(), value.encode()) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})

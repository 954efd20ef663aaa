"""The server on real sockets, in this process, and a client that writes what it wants to."""

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from antiphon.config import Settings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.testing import engine_app
from antiphon.testing.app import MODEL
from antiphon.testing.bridge import WAIT
from antiphon.web.door import Door
from antiphon.web.server import HttpServer, bind_all
from tests.service.media.doubles import intake
from tests.web.conftest import SCRIPT


@dataclass
class Reply:
    """A reply as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection to the server; every wait is bounded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._writer.write(data)

    def pause(self) -> None:
        """Read nothing of what comes from now on."""
        transport: Any = self._writer.transport
        transport.pause_reading()

    def end_sending(self) -> None:
        """Close this direction, and listen on."""
        self._writer.write_eof()

    def leave(self) -> None:
        """Go away."""
        self._writer.close()

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        async with asyncio.timeout(WAIT):
            return await self._reader.read()

    async def until(self, text: bytes) -> bytes:
        """Everything up to a text."""
        async with asyncio.timeout(WAIT):
            return await self._reader.readuntil(text)

    async def reply(self) -> Reply:
        """The next reply, whose length must be told."""
        head = await self.until(b"\r\n\r\n")
        status, headers = read_head(head)
        async with asyncio.timeout(WAIT):
            return Reply(status, headers, await self._reader.readexactly(int(headers.get("content-length", 0))))


def read_head(head: bytes) -> tuple[int, dict[str, str]]:
    """A status line and its fields."""
    first, *lines = head.decode().strip().split("\r\n")
    status = re.fullmatch(r"HTTP/1\.1 (\d{3}) .*", first)
    assert status is not None, first
    return int(status[1]), dict(line.lower().split(": ", 1) for line in lines)


@dataclass
class Listening:
    """A server that listens."""

    door: Door
    server: HttpServer
    port: int

    @asynccontextmanager
    async def connect(self, host: str = "127.0.0.1") -> AsyncGenerator[Connection]:
        """A connection, closed after the block."""
        async with asyncio.timeout(WAIT):
            reader, writer = await asyncio.open_connection(host, self.port)
        try:
            yield Connection(reader, writer)
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def ask(self, request: bytes) -> Reply:
        """One request on a connection of its own."""
        async with self.connect() as connection:
            connection.send(request)
            return await connection.reply()

    async def busy(self, requests: int) -> None:
        """Wait until so many requests are open."""
        loop = asyncio.get_running_loop()
        reached = asyncio.Event()

        def look() -> None:
            if self.door.in_flight == requests:
                reached.set()
            else:
                loop.call_later(0.005, look)

        look()
        async with asyncio.timeout(WAIT):
            await reached.wait()


@asynccontextmanager
async def listening(
    script: str = SCRIPT, host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None, **options: Any
) -> AsyncGenerator[Listening]:
    """The whole server on a script, on a free port."""
    async with engine_app(ScriptedEngine(MODEL, script), media=intake(), host=host, **options) as bridge:
        door = bridge.app
        assert isinstance(door, Door)
        listeners = bind_all(host, 0)
        port = listeners[0].getsockname()[1]
        keep_alive = options.get("keep_alive", Settings().keep_alive)
        server = HttpServer(
            door,
            listeners,
            keep_alive=keep_alive,
            drain_timeout=1.0,
            on_drain=lambda open_requests: None,
            tls=tls,
        )
        started = asyncio.Event()

        async def start() -> None:
            started.set()

        running = asyncio.create_task(server.run(start))
        try:
            async with asyncio.timeout(WAIT):
                await started.wait()
            yield Listening(door, server, port)
        finally:
            server.stop()
            async with asyncio.timeout(WAIT):
                await running


def request(
    body: bytes = b"", /, *, method: str = "POST", path: str = "/v1/messages", version: str = "1.1", **fields: str
) -> bytes:
    """A request in bytes; `fields`: more header fields, `_` for `-`."""
    lines = [f"{method} {path} HTTP/{version}"]
    named = {"host": "127.0.0.1", "anthropic-version": "2023-06-01", "x-api-key": "any"}
    if body:
        named |= {"content-type": "application/json", "content-length": str(len(body))}
    named |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines += [f"{name}: {value}" for name, value in named.items() if value]
    return "\r\n".join([*lines, "", ""]).encode() + body

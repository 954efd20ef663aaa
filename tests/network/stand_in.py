"""A throw-away host on loopback, with a certificate of a throw-away authority: files by path, redirects, delays, and
bytes exactly as a test wants them, however broken.

    async with StandIn() as host:
        host.serve("/cat.png", data, "image/png")
        host.redirect("/old", "/cat.png")
        fetcher = GuardedFetcher(NetworkSettings(allow_hosts=(host.allowed,), ca_file=str(host.ca_file)))
        await fetcher.fetch(host.url("/cat.png"), max_bytes=1000)
"""

import asyncio
import contextlib
import functools
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from weakref import WeakSet

import trustme

from antiphon.config import AllowedHost

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
NAMES = ("localhost", "127.0.0.1", "example.org", "*.example.org")
"""What its certificate is for, unless a test says otherwise."""


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]


@functools.cache
def authority() -> trustme.CA:
    """Who signs the stand-in's certificate."""
    return trustme.CA()


class StandIn:
    """The host, while its context is open. `names`: what its certificate is for. `asked`: the requests so far."""

    def __init__(self, *, tls: bool = True, names: Sequence[str] = NAMES) -> None:
        self.asked: list[Asked] = []
        self.port = 0
        self._tls = tls
        self._names = names
        self._answers: dict[str, Answer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: WeakSet[asyncio.StreamWriter] = WeakSet()
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.ca_file = self._folder / "authority.pem"
        authority().cert_pem.write_to_path(self.ca_file)
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._context())
        self.port = server.sockets[0].getsockname()[1]
        self._stack.push_async_callback(self._stop, server)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def allowed(self) -> AllowedHost:
        """The entry of an allow-list that names this host."""
        return AllowedHost("https" if self._tls else "http", "localhost", self.port)

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for."""
        return [asked.path for asked in self.asked]

    def url(self, path: str) -> str:
        """Where the path is served."""
        return f"{self.allowed.scheme}://localhost:{self.port}{path}"

    def serve(
        self,
        path: str,
        data: bytes,
        media_type: str = "application/octet-stream",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
    ) -> None:
        """Serve a file; `delay`: seconds before a byte of the answer is sent."""
        fields = {"Content-Type": media_type, "Content-Length": str(len(data)), **(headers or {})}
        head = f"HTTP/1.1 {status} Some\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.behave(path, self._bytes(head.encode() + b"\r\n" + data, delay))

    def redirect(self, path: str, location: str, status: int = 302) -> None:
        """Send whoever asks for the path elsewhere."""
        self.serve(path, b"", status=status, headers={"Location": location})

    def send(self, path: str, raw: bytes) -> None:
        """Answer with these bytes, status line and all, and close."""
        self.behave(path, self._bytes(raw, 0.0))

    def behave(self, path: str, answer: Answer) -> None:
        """Answer in a way of the test's own; the connection is closed when it returns."""
        self._answers[path] = answer

    def _bytes(self, raw: bytes, delay: float) -> Answer:
        async def answer(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(delay)
            writer.write(raw)
            await writer.drain()

        return answer

    def _context(self) -> ssl.SSLContext | None:
        if not self._tls:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        chain = self._folder / "host.pem"
        authority().issue_cert(*self._names).private_key_and_cert_chain_pem.write_to_path(chain)
        context.load_cert_chain(chain)
        return context

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            # Who asks goes away in the middle of an answer: that is what most of these tests are about.
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                path = head[0].split(" ")[1]
                fields = (line.split(": ", 1) for line in head[1:] if line)
                self.asked.append(Asked(path, {name.lower(): value for name, value in fields}))
                await self._answers.get(path, self._bytes(_NOT_FOUND, 0.0))(writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort() if task.cancelling() else writer.close()

    async def _stop(self, server: asyncio.Server) -> None:
        server.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in tuple(self._writers):
            writer.transport.abort()
        await server.wait_closed()


async def pour(writer: asyncio.StreamWriter, data: bytes, pause: float = 0.0) -> None:
    """Send the data again and again until nobody takes it; `pause`: seconds in between."""
    while True:
        writer.write(data)
        await writer.drain()
        # `drain` alone waits for nothing while there is room, and this loop would be the only one to run.
        await asyncio.sleep(pause)


_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found"

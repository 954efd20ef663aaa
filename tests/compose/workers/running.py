"""`antiphon serve --workers N` in processes of its own, and clients that know which of them answers."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.referee.live import clean_env
from tests.referee.warm import Running, start, start_by_name

PATIENCE = 180.0
CHILD = "antiphon.compose.workers.child"
ENGINE = "embedded/child.py"
_URL = re.compile(r"https?://127\.0\.0\.1:(\d+)")
HEAD = "POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: any\r\nanthropic-version: 2023-06-01\r\n"


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for what nothing announces."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"never came: {what}") from None


def ask(text: str, *, max_tokens: int = 2000, stream: bool = True) -> dict[str, Any]:
    """A request for one reply."""
    messages = [{"role": "user", "content": text}]
    return {"model": "claude-opus-4-8", "max_tokens": max_tokens, "stream": stream, "messages": messages}


def request(body: Mapping[str, Any]) -> bytes:
    """A request in bytes."""
    data = json.dumps(body).encode()
    return f"{HEAD}content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data


@dataclass
class Client:
    """One connection. `worker`: the process that has taken it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    worker: int = 0
    came: bytes = b""

    def send(self, body: Mapping[str, Any]) -> None:
        """Send one request."""
        self.writer.write(request(body))

    async def until(self, text: bytes) -> bytes:
        """All that came, once it has this text. Raises `EOFError` where the connection ends before."""
        async with asyncio.timeout(PATIENCE):
            while text not in self.came:
                data = await self.reader.read(65536)
                if not data:
                    raise EOFError(self.came.decode())
                self.came += data
        return self.came

    async def is_cut(self) -> bool:
        """Whether the connection ends before the stream does."""
        try:
            await self.until(b"message_stop")
        except (EOFError, ConnectionError):
            return True
        return False


@dataclass
class Serving:
    """A server that runs. `said`: its lines so far."""

    process: Running
    port: int = 0
    said: list[str] = field(default_factory=list[str])

    @property
    def pid(self) -> int:
        """The parent."""
        return self.process.pid

    @property
    def lost(self) -> int:
        """How many workers have died."""
        return sum("Starting it again" in line for line in self.said)

    @property
    def back(self) -> int:
        """How many of these are there again, and answer."""
        return sum(" is back" in line for line in self.said)

    def workers(self) -> set[int]:
        """The workers that live."""
        return set(self._children(CHILD))

    def engines(self) -> set[int]:
        """The engines that live; one that has a second model has it in a process of its own, its child."""
        found = self._children(ENGINE)
        return {child for child, parent in found.items() if parent not in found}

    def _children(self, name: str) -> dict[int, int]:
        """Processes that live, and their parents."""
        found: dict[int, int] = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    if any(name in part for part in child.cmdline()):
                        found[child.pid] = child.ppid()
        return found

    def kill(self, pid: int | None = None, number: int = signal.SIGKILL) -> None:
        """Send a signal, to the parent unless another is named."""
        os.kill(self.pid if pid is None else pid, number)

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Client]:
        """A connection that a worker has taken, closed after the block."""
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        client = Client(reader, writer)
        ours = writer.get_extra_info("sockname")[1]
        await until(lambda: self._holder(client, ours), "a worker that takes the connection")
        try:
            yield client
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    def _holder(self, client: Client, ours: int) -> bool:
        client.worker = self.worker_at(lambda each: bool(each.raddr) and each.raddr.port == ours)
        return client.worker != 0

    def worker_at(self, is_meant: Callable[[Any], bool]) -> int:
        """The worker that has a connection like this; 0: none."""
        for pid in self.workers():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if any(map(is_meant, psutil.Process(pid).net_connections("tcp"))):
                    return pid
        return 0

    async def whole(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A reply in one body, on a connection of its own."""
        status, reply = await self.get_reply(request({**body, "stream": False}))
        assert status == 200, reply
        return reply

    async def get_reply(self, sent: bytes) -> tuple[int, dict[str, Any]]:
        """Status and body that come of these bytes."""
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(sent)
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = re.search(r"content-length: (\d+)", head)
                assert length is not None, head
                return int(head.split()[1]), json.loads(await reader.readexactly(int(length[1])))
            finally:
                writer.close()

    async def health(self) -> tuple[int, dict[str, Any]]:
        """What `GET /health` says."""
        return await self.get_reply(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")

    async def ended(self) -> int:
        """The exit code of the parent, once it has ended."""
        return await asyncio.to_thread(self.process.wait, PATIENCE)

    async def listening(self) -> None:
        """Wait until it has said where it answers."""
        await until(lambda: self.port > 0 or self.process.poll() is not None, "the address")
        assert self.port, "".join(self.said)


@asynccontextmanager
async def serving(
    *arguments: str, workers: int = 2, env: Mapping[str, str] | None = None, wait: bool = True, by_name: bool = False
) -> AsyncGenerator[Serving]:
    """A server with so many workers on a free port; nothing of it is left after the block. `by_name`: its parent is
    not forked."""
    folder = tempfile.TemporaryDirectory(prefix="antiphon-workers-", ignore_cleanup_errors=True)
    given = {
        "ANTIPHON_THINKING_KEYS": "k" * 43,
        "ANTIPHON_STORES_DATA": folder.name,
        "ANTIPHON_SERVER_TOOLS_DEFAULTS": "false",
        **(env or {}),
    }
    command = [sys.executable, "-m", "antiphon", "serve", "--workers", str(workers), *arguments]
    if "--port" not in arguments:
        command += ["--port", "0"]
    reading, writing = os.pipe()
    try:
        process = (start_by_name if by_name else start)(command, clean_env(given), writing, writing)
    finally:
        os.close(writing)
    server = Serving(process)
    listening = threading.Thread(target=_read, args=(server, reading), daemon=True)
    listening.start()
    try:
        if wait:
            await server.listening()
        yield server
    finally:
        left = [process.pid, *server.workers(), *server.engines()]
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, 30)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait, PATIENCE)
        await asyncio.to_thread(listening.join, PATIENCE)
        folder.cleanup()


def _read(server: Serving, reading: int) -> None:
    with open(reading, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            server.said.append(line)
            found = _URL.search(line)
            if found and not server.port:
                server.port = int(found[1])

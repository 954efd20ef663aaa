"""Clients of many kinds: those who wait, who leave, who stall, and who ask nonsense; and what they were told."""

import asyncio
import collections
import contextlib
import json
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit

import aiohttp

Json = dict[str, Any]
SLOWEST = 120.0
"""Seconds in which whatever is asked is answered, or given up as hanging."""
BROKEN = (500, 502, 503, 504, 529)
"""What a client may be told while something that the server stands on is away."""


@dataclass(slots=True)
class Told:
    """What clients were told, all together.

    `statuses`: replies that began, by endpoint and status. `ends`: replies that ended, by model and stop reason.
    `tokens`: by model and kind. `free`: those of them that no record is kept of, since a guard has declined before a
    word was said. `cut`: requests whose connection broke while something was away. `problems`: what should not be.
    """

    statuses: collections.Counter[tuple[str, int]] = field(default_factory=collections.Counter[tuple[str, int]])
    ends: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter[tuple[str, str]])
    tokens: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter[tuple[str, str]])
    free: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter[tuple[str, str]])
    cut: int = 0
    excused: collections.Counter[str] = field(default_factory=collections.Counter[str])
    problems: list[str] = field(default_factory=list[str])

    def ended(self, model: str, reason: str, usage: Json) -> None:
        """A reply to its end."""
        self.ends[model, reason] += 1
        self.tokens[model, "input"] += usage["input_tokens"]
        self.tokens[model, "output"] += usage["output_tokens"]
        if reason == "refusal" and not usage["output_tokens"]:
            self.free[model, "input"] += usage["input_tokens"]


@dataclass(slots=True)
class Clients:
    """Asks for as long as it is let. `away`: what is not there just now, or has only just come back."""

    session: aiohttp.ClientSession
    url: str
    headers: dict[str, str]
    told: Told
    random: Random
    away: Callable[[], str]
    until: float = 0.0

    async def run(self, at_once: int, seconds: float) -> None:
        """So many of them, for so long."""
        self.until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._one())

    async def _one(self) -> None:
        kinds: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (30, self._whole),
            (30, self._stream),
            (6, self._leave),
            (3, self._stall),
            (2, self._half),
            (10, self._count),
            (6, self._wrong),
            (6, self._file),
            (2, self._batch),
            (5, self._real),
        ]
        while time.monotonic() < self.until:
            _, work = self.random.choices(kinds, [weight for weight, _ in kinds])[0]
            before = self.away()
            try:
                async with asyncio.timeout(SLOWEST):
                    await work()
            except Exception as problem:  # whatever it is, it is told at the end
                said = f"{work.__name__}: {type(problem).__name__}: {problem}"[:300]
                if excuse := before or self.away():
                    self.told.cut += isinstance(problem, aiohttp.ClientOSError)
                    self.told.excused[f"{excuse}: {work.__name__}: {type(problem).__name__}"] += 1
                else:
                    self.told.problems.append(said)
            await asyncio.sleep(self.random.uniform(0.0, 0.1))

    def _body(self, text: str, model: str = "steady", **more: Any) -> Json:
        return {"model": model, "max_tokens": 600, "messages": [{"role": "user", "content": text}], **more}

    @contextlib.asynccontextmanager
    async def _asked(
        self, method: str, path: str, name: str = "messages", **more: Any
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        headers = {**self.headers, **more.pop("headers", {})}
        async with self.session.request(method, self.url + path, headers=headers, **more) as reply:
            self.told.statuses[name, reply.status] += 1
            if reply.status in BROKEN:
                raise RuntimeError(f"{reply.status} {await reply.text()}")
            yield reply

    async def _whole(self) -> None:
        await self._answered(self._body("Hello " + "there " * self.random.randrange(2000)))

    async def _real(self) -> None:
        await self._answered({**self._body("Why is the sky blue?", "real"), "max_tokens": 8})

    async def _answered(self, body: Json) -> None:
        async with self._asked("POST", "/v1/messages", json=body) as reply:
            message = await reply.json()
            if reply.status != 200:
                raise RuntimeError(f"{reply.status} {message}")
            self.told.ended(body["model"], message["stop_reason"], message["usage"])

    async def _stream(self) -> None:
        text = "wordy" if self.random.random() < 0.3 else "Hello"
        usage: Json = {}
        reason = ""
        async with self._asked("POST", "/v1/messages", json=self._body(text, stream=True)) as reply:
            async for event in _events(reply):
                if event["type"] == "error":
                    raise RuntimeError(f"in the stream: {event}")
                if event["type"] == "message_start":
                    usage = event["message"]["usage"]
                if event["type"] == "message_delta":
                    usage, reason = {**usage, **event["usage"]}, event["delta"]["stop_reason"]
        self.told.ended("steady", reason, usage)

    async def _leave(self) -> None:
        async with self._asked("POST", "/v1/messages", json=self._body("leave", "leaving", stream=True)) as reply:
            left = self.random.randrange(8)
            async for _ in _events(reply):
                if not (left := left - 1) > 0:
                    break
            reply.close()

    async def _stall(self) -> None:
        """It asks for a stream, sees that it begins, and reads nothing more until it hangs up."""
        body = json.dumps(self._body("wordy", "leaving", stream=True)).encode()
        with self._socket(receives=4096) as plain:
            await self._send(plain, self._head(len(body)) + body)
            status = await asyncio.get_running_loop().sock_recv(plain, 12)
            self.told.statuses["messages", int(status[9:12] or b"0")] += 1
            await asyncio.sleep(self.random.uniform(1.0, 15.0))

    async def _half(self) -> None:
        """It sends a part of a request, and is gone."""
        with self._socket() as plain:
            head = self._head(5000)
            await self._send(plain, head[: self.random.randrange(len(head))])
            await asyncio.sleep(self.random.uniform(0.0, 5.0))

    @contextlib.contextmanager
    def _socket(self, receives: int = 0) -> Generator[socket.socket]:
        with socket.socket() as plain:
            plain.setblocking(False)
            if receives:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
            yield plain

    async def _send(self, plain: socket.socket, data: bytes) -> None:
        place = urlsplit(self.url)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(plain, (place.hostname, place.port))
        await loop.sock_sendall(plain, data)

    def _head(self, length: int) -> bytes:
        said = {
            **self.headers,
            "host": "127.0.0.1",
            "content-type": "application/json",
            "content-length": str(length),
        }
        lines = [f"{name}: {value}" for name, value in said.items()]
        return "\r\n".join(("POST /v1/messages HTTP/1.1", *lines, "", "")).encode()

    async def _count(self) -> None:
        body = {key: value for key, value in self._body("Hello").items() if key != "max_tokens"}
        async with self._asked("POST", "/v1/messages/count_tokens", "count_tokens", json=body) as reply:
            assert (await reply.json())["input_tokens"] > 0

    async def _wrong(self) -> None:
        body = self.random.choice((b"{", b'{"model": 1}', b"[]", b"\xff", b"{}" * 5000))
        async with self._asked("POST", "/v1/messages", data=body) as reply:
            assert reply.status == 400, reply.status
        async with self._asked("POST", "/v1/messages", json=self._body("of project lynx")) as reply:
            message = await reply.json()
            assert message["stop_reason"] == "refusal", message
            self.told.ended("steady", "refusal", message["usage"])

    async def _file(self) -> None:
        form = aiohttp.FormData()
        form.add_field("file", self.random.randbytes(1000) * 200, filename="a.bin", content_type="text/plain")
        beta = {"anthropic-beta": "files-api-2025-04-14"}
        async with self._asked("POST", "/v1/files", "files", data=form, headers=beta) as reply:
            assert reply.status == 200, await reply.text()
            id_ = (await reply.json())["id"]
        await self._persistently("DELETE", f"/v1/files/{id_}", "files", headers=beta)

    async def _batch(self) -> None:
        rows = [{"custom_id": f"r{n}", "params": self._body("Hello", "batched")} for n in range(5)]
        async with self._asked("POST", "/v1/messages/batches", "batches", json={"requests": rows}) as reply:
            assert reply.status == 200, await reply.text()
            path = f"/v1/messages/batches/{(await reply.json())['id']}"
        while True:
            if json.loads(await self._persistently("GET", path, "batches"))["processing_status"] == "ended":
                break
            await asyncio.sleep(0.5)
        for line in (await self._persistently("GET", f"{path}/results", "batches")).splitlines():
            result = json.loads(line)["result"]
            if result["type"] != "succeeded":
                raise RuntimeError(f"a row of a batch: {result}")
            self.told.ended("batched", result["message"]["stop_reason"], result["message"]["usage"])
        await self._persistently("DELETE", path, "batches")

    async def _persistently(self, method: str, path: str, name: str, **more: Any) -> str:
        """What is answered, once the database is back where it is away: nothing is to stay behind."""
        while True:
            try:
                async with self._asked(method, path, name, **more) as reply:
                    assert reply.status == 200, await reply.text()
                    return await reply.text()
            except RuntimeError as problem:
                if not self.away():
                    raise
                self.told.excused[f"{self.away()}: {method} {name}: {problem}"[:60]] += 1
                await asyncio.sleep(1.0)


async def _events(reply: aiohttp.ClientResponse) -> AsyncGenerator[Json]:
    if reply.status != 200:
        raise RuntimeError(f"{reply.status} {await reply.text()}")
    last = ""
    async for line in reply.content:
        if line.startswith(b"data:"):
            event = json.loads(line[5:])
            last = event["type"]
            yield event
    if last not in ("message_stop", "error"):
        raise RuntimeError(f"a stream that ends with {last}")

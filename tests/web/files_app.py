"""An app with files, and a client that uploads as clients do."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message, Scope

from antiphon.engines.scripted import ScriptedEngine
from antiphon.ports.files import FileStore
from antiphon.ports.objects import ObjectStore
from antiphon.service.files.files import Files
from antiphon.service.media.intake import MediaIntake
from antiphon.stores.objects import Objects
from antiphon.testing import Bridge, engine_app
from antiphon.testing.app import MODEL
from antiphon.testing.bridge import WAIT, Answer
from antiphon.testing.clock import FixedClock
from antiphon.testing.dice import CountingEntropy
from antiphon.testing.files import MemoryFiles
from tests.service.media.doubles import StandInFetcher, StandInReader

BETA = {"anthropic-beta": "files-api-2025-04-14"}
BOUNDARY = "a-boundary"
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
SCRIPT = "[[reply]]\ntext = 'Yes.'\n"

MINE, THEIRS = {"x-api-key": "mine"}, {"x-api-key": "theirs"}
KEYS = ("mine", "theirs")


def part(name: str, data: bytes, filename: str | None = None, kind: str | None = None) -> bytes:
    """A part of a form."""
    head = f'content-disposition: form-data; name="{name}"'
    if filename is not None:
        head += f'; filename="{filename}"'
    if kind is not None:
        head += f"\r\ncontent-type: {kind}"
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    """A whole form."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


@dataclass
class FilesApp:
    """An app, and what it keeps files in."""

    bridge: Bridge
    clock: FixedClock
    rows: FileStore
    objects: ObjectStore
    files: Files
    reader: StandInReader = field(default_factory=StandInReader)

    async def upload(
        self,
        data: bytes,
        filename: str | None = "a.txt",
        kind: str | None = "text/plain",
        expires: object = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Upload a file as the SDKs do."""
        parts = [part("file", data, filename, kind)]
        if expires is not None:
            parts.append(part("expires_in_seconds", str(expires).encode()))
        return await self.send(form(*parts), headers)

    async def send(self, body: bytes, headers: dict[str, str] | None = None) -> Answer:
        """Upload what is or is no form."""
        return await self.bridge.ask("POST", "/v1/files", body, headers={**FORM, **(headers or {})})

    async def id_of(self, data: bytes, filename: str = "a.txt", kind: str = "text/plain", **more: Any) -> str:
        """The id of a file that is uploaded."""
        answer = await self.upload(data, filename, kind, **more)
        assert answer.status == 200, answer.body
        return answer.json["id"]

    async def get(self, path: str = "", query: str = "", headers: dict[str, str] | None = None) -> Answer:
        """`GET /v1/files…`"""
        return await self.bridge.ask("GET", f"/v1/files{path}", headers=headers, query=query)

    async def delete(self, id_: str, headers: dict[str, str] | None = None) -> Answer:
        """`DELETE /v1/files/{id}`"""
        return await self.bridge.ask("DELETE", f"/v1/files/{id_}", headers=headers)

    async def listed(self, headers: dict[str, str] | None = None) -> list[str]:
        """The ids of all files."""
        return [file["id"] for file in (await self.get(query="limit=1000", headers=headers)).json["data"]]

    async def kept(self) -> list[str]:
        """The keys of all bytes that are kept."""
        return [key async for key in self.objects.keys("files/")]


@asynccontextmanager
async def files_app(
    script: str = SCRIPT,
    *,
    rows: FileStore | None = None,
    objects: ObjectStore | None = None,
    clock: FixedClock | None = None,
    reader: StandInReader | None = None,
    quota: int | None = None,
    most: int | None = None,
    **settings: Any,
) -> AsyncGenerator[FilesApp]:
    """An app on a script, whose files are in these stores, or in memory."""
    async with AsyncExitStack() as stack:
        clock = clock or FixedClock()
        rows, objects, reader = rows or MemoryFiles(), objects or Objects.open("memory://"), reader or StandInReader()
        files = Files.over(rows, objects, clock, CountingEntropy(), quota=quota)
        if most is not None:
            files.uploads.most = most
        media = MediaIntake(reader, StandInFetcher(), clock, cache=1_000_000, library=files.library)
        bridge = await stack.enter_async_context(
            engine_app(ScriptedEngine(MODEL, script), clock=clock, media=media, kept_files=files, **settings)
        )
        yield FilesApp(bridge, clock, rows, objects, files, reader)


@dataclass
class Sending:
    """A request whose body comes in pieces, as a test says; `silent` behind them: nothing more comes."""

    app: FilesApp
    headers: dict[str, str] = field(default_factory=lambda: dict(FORM))
    sent: list[Message] = field(default_factory=list[Message])

    def __post_init__(self) -> None:
        self._pieces: asyncio.Queue[Message] = asyncio.Queue()
        self._asked = asyncio.Event()

    def start(self) -> None:
        """Begin the request."""
        named = {"anthropic-version": "2023-06-01", "x-api-key": "test", **self.headers}
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/v1/files",
            "raw_path": b"/v1/files",
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        self.task: asyncio.Task[None] = asyncio.create_task(self._run(scope))

    async def _run(self, scope: Scope) -> None:
        await self.app.bridge.app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._pieces.empty():
            self._asked.set()
        return await self._pieces.get()

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    async def give(self, *pieces: bytes, more: bool = True) -> None:
        """Send pieces, and wait until the server asks for the next one, or has ended."""
        for piece in pieces:
            self._pieces.put_nowait({"type": "http.request", "body": piece, "more_body": True})
        if not more:
            self._pieces.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        self._asked.clear()
        async with asyncio.timeout(WAIT):
            asked = asyncio.create_task(self._asked.wait())
            await asyncio.wait((asked, self.task), return_when=asyncio.FIRST_COMPLETED)
            asked.cancel()

    async def vanish(self) -> None:
        """Go away."""
        self._pieces.put_nowait({"type": "http.disconnect"})
        await self.end()

    async def end(self) -> Answer:
        """What was answered, once the server is done."""
        async with asyncio.timeout(WAIT):
            await self.task
        head = self.sent[0]
        headers = {name.decode(): value.decode() for name, value in head["headers"]}
        return Answer(head["status"], headers, b"".join(message.get("body", b"") for message in self.sent[1:]))


def error_of(answer: Answer) -> Sequence[Any]:
    """An error's status, type, message and code."""
    error = answer.json["error"]
    return answer.status, error["type"], error["message"], error.get("details", {}).get("error_code")

"""An app whose server runs code, in real sandboxes of bubblewrap."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.config import SandboxSettings
from antiphon.ports.sandbox import Limits, SandboxDriver, Sandboxes
from antiphon.sandbox.choosing import choose
from antiphon.testing.clock import FixedClock
from tests.web.files_app import FilesApp, files_app
from tests.web.searching_app import MODEL, invoke, says, section

Json = dict[str, Any]

CODE: Json = {"type": "code_execution_20250825", "name": "code_execution"}
LIMITS = Limits(memory=512 * 1024**2, processes=64, disk=64 * 1024**2, files=1000, file_size=32 * 1024**2)


@dataclass
class CodeApp:
    """The app, and where its code runs."""

    files: FilesApp
    driver: SandboxDriver
    clock: FixedClock

    async def reply(self, request: Json, headers: dict[str, str] | None = None) -> Json:
        """The message that a request gets."""
        answer = await self.files.bridge.post(request, headers=headers or {})
        assert answer.status == 200, answer.body
        return answer.json

    async def refusal(self, request: Json, headers: dict[str, str] | None = None) -> str:
        """The message of the error that a request gets."""
        answer = await self.files.bridge.post(request, headers=headers or {})
        assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error"), answer.body
        return answer.json["error"]["message"]


def runs(*commands: str) -> str:
    """Commands in a row, as the model writes them."""
    return section(*(invoke("bash_code_execution", command=command) for command in commands))


def edits(**arguments: str) -> str:
    """A call of the editor, as the model writes it."""
    return section(invoke("text_editor_code_execution", **arguments))


def first(call: str) -> str:
    """A script whose model makes the call, and then says that it is done."""
    return says(call, times=1) + says("Done.")


def asks(content: Any = "Go.", **more: Any) -> Json:
    """A request with the tool."""
    messages = [{"role": "user", "content": content}]
    return {"model": MODEL, "max_tokens": 1000, "messages": messages, "tools": [CODE], **more}


@asynccontextmanager
async def code_app(folder: Path, script: str, **settings: Any) -> AsyncGenerator[CodeApp]:
    """An app on a script."""
    async with AsyncExitStack() as stack:
        driver, tried = await choose(SandboxSettings(driver="bubblewrap"), folder, None)
        assert driver is not None, tried
        stack.push_async_callback(driver.aclose)
        clock = FixedClock()
        sandboxes = Sandboxes(driver, LIMITS)
        files = await stack.enter_async_context(files_app(script, clock=clock, sandboxes=sandboxes, **settings))
        yield CodeApp(files, driver, clock)

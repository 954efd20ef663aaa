"""Server tools that do what a test says."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from antiphon.dialogue.tools import Tool
from antiphon.ports.server_tools import ServerCall, ServerResult

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"query": {"type": "string", "maxLength": 100}},
    "required": ["query"],
}
FETCH_SCHEMA: Mapping[str, Any] = {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]}

Run = Callable[[ServerCall], Awaitable[ServerResult]]


def hit(url: str = "https://a.example/", text: str = "Found words.", title: str = "A page", **more: Any) -> Any:
    """A search result as a tool returns it."""
    return {"type": "web_search_result", "url": url, "title": title, "encrypted_content": text, **more}


def page(text: str = "Words of the page.", url: str = "https://a.example/", **more: Any) -> Any:
    """A fetched page as a tool returns it."""
    source = {"type": "text", "media_type": "text/plain", "data": text}
    document = {"type": "document", "source": source, "title": "A page", **more}
    return {"type": "web_fetch_result", "url": url, "content": document, "retrieved_at": "2026-11-01T00:00:00Z"}


async def finds(call: ServerCall) -> ServerResult:
    """One page that says what was asked."""
    query = str(call.input.get("query"))
    return ServerResult([hit(text=f"All about {query}.")], {"web_search_requests": 1})


async def fetches(call: ServerCall) -> ServerResult:
    """The page of the URL."""
    return ServerResult(page(url=str(call.input.get("url"))), {"web_fetch_requests": 1})


@dataclass
class ScriptedTool:
    """A tool that `does` what it is told to, and remembers its calls. `cancelled`: the calls that were."""

    does: Run = finds
    name: str = "web_search"
    types: tuple[str, ...] = ("web_search_",)
    result_type: str = "web_search_tool_result"
    error_type: str = "web_search_tool_result_error"
    schema: Mapping[str, Any] = field(default_factory=lambda: SCHEMA)
    calls: list[ServerCall] = field(default_factory=list[ServerCall])
    cancelled: list[str] = field(default_factory=list[str])
    started: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self, settings: Mapping[str, Any]) -> Tool:
        """What the model is told."""
        return Tool(self.name, "Finds things.", self.schema)

    async def run(self, call: ServerCall) -> ServerResult:
        """Do it."""
        self.calls.append(call)
        self.started.set()
        try:
            return await self.does(call)
        except asyncio.CancelledError:
            self.cancelled.append(call.id)
            raise

    async def aclose(self) -> None:
        """Nothing to stop."""


def fetcher(does: Run = fetches) -> ScriptedTool:
    """A tool that fetches pages."""
    return ScriptedTool(
        does,
        "web_fetch",
        ("web_fetch_",),
        "web_fetch_tool_result",
        "web_fetch_tool_result_error",
        FETCH_SCHEMA,
    )

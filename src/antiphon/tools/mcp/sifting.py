"""What a server lists, before the protocol's package judges it: one entry that is no tool costs a server its tools.

The package takes a listing whole or not at all. Here an entry that cannot be called is left out, and of the others
only what the model is told of goes on: a wrong icon, or the schema of an output, takes no tool away. A schema that a
version of the protocol does not know is kept beside.
"""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self, cast

from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCResponse
from mcp_types import methods
from pydantic import ValidationError

from antiphon.words import shown

_STRICTEST: Final = "2025-11-25"
"""The version of the protocol that asks most of a schema."""

log = logging.getLogger(__name__)

Message = SessionMessage | Exception


class Sifter:
    """Of one session with the server of this name. `schemas`: those that the package is not shown, by tool."""

    def __init__(self, server: str) -> None:
        self._server = server
        self.schemas: dict[str, dict[str, Any]] = {}

    @asynccontextmanager
    async def over(self, transport: AbstractAsyncContextManager[Any]) -> AsyncGenerator[tuple[Any, Any]]:
        """The transport, with listings sifted."""
        async with transport as (read, write):
            yield _Sifted(read, self._sift), write

    def _sift(self, message: Message) -> Message:
        if isinstance(message, SessionMessage) and isinstance(message.message, JSONRPCResponse):
            result = message.message.result
            tools = result.get("tools")
            if isinstance(tools, list):
                kept = [tool for entry in cast("list[Any]", tools) if (tool := self._tool(entry)) is not None]
                message.message.result = {**result, "tools": kept}
        return message

    def _tool(self, entry: Any) -> dict[str, Any] | None:
        said = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        name, schema, description = said.get("name"), said.get("inputSchema"), said.get("description")
        whole = {"type": "object", **cast("dict[str, Any]", schema)} if isinstance(schema, dict) else {}
        if not isinstance(name, str) or whole.get("type") != "object":
            log.warning(
                "MCP server %s: a tool is left out: %s", shown(self._server), shown(repr(cast("object", entry))[:200])
            )
            return None
        tool: dict[str, Any] = {"name": name, "inputSchema": whole}
        if isinstance(description, str):
            tool["description"] = description
        try:
            methods.validate_server_result("tools/list", _STRICTEST, {"tools": [tool]})
        except ValidationError:
            self.schemas[name] = whole
            return {**tool, "inputSchema": {"type": "object"}}
        return tool


class _Sifted:
    """A stream of messages, each as `sift` leaves it."""

    def __init__(self, stream: Any, sift: Callable[[Message], Message]) -> None:
        self._stream = stream
        self._sift = sift

    @property
    def last_context(self) -> Any:
        """What the package asks its own streams for."""
        return getattr(self._stream, "last_context", None)

    async def receive(self) -> Message:
        """The next message."""
        return self._sift(await self._stream.receive())

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        return self._sift(await self._stream.__anext__())

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._stream.__aexit__(kind, problem, trace)

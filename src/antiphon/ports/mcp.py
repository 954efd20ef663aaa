"""Tools of other hosts, spoken to in the Model Context Protocol: protocols and values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class McpHost:
    """A server that a request names. `token`: is shown to this server, and to no other."""

    name: str
    url: str
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class McpListed:
    """A tool as its server lists it: nobody has judged what it says of itself."""

    name: str
    description: str
    schema: Any


@dataclass(frozen=True, slots=True)
class McpOutcome:
    """What a call came to. `content`: blocks of text and images, as the API has them."""

    content: list[dict[str, Any]]
    is_error: bool = False


class McpFault(Exception):  # noqa: N818 - reads as what happened
    """A server cannot be worked with. `message` is for the client; `reason`, for the owner's log, may name what the
    client must not learn."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(reason or message)
        self.message = message
        self.reason = reason or message


class McpSessions(Protocol):
    """The sessions of one reply, one with each server that it calls; begun with the first call."""

    async def call(self, host: McpHost, tool: str, arguments: Mapping[str, Any]) -> McpOutcome:
        """Call the tool, in bounded time; raises `McpFault`. Cancelling it leaves the session to the others."""
        ...

    async def aclose(self) -> None:
        """End them all; may be called more than once."""
        ...


class McpConnector(Protocol):
    """The way to servers of tools."""

    async def tools(self, host: McpHost) -> Sequence[McpListed]:
        """The server's tools, in bounded time; perhaps as they were a while ago. Raises `McpFault`."""
        ...

    def sessions(self) -> McpSessions:
        """Sessions for one reply; who gets them closes them."""
        ...

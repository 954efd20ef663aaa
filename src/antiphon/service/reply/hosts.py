"""The MCP servers of one reply, as tools that it runs: one session with each, over all its rounds.

Source: MCP connector.
"""

from collections.abc import Mapping
from typing import Any, Final

from antiphon.dialogue.events import Listed
from antiphon.dialogue.tools import Tool
from antiphon.ports.mcp import McpConnector, McpFault, McpHost, McpSessions
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.request.case import Case
from antiphon.request.tools import mcp
from antiphon.request.tools.server_calls import Offered
from antiphon.wire.gates import MCP_LISTING

MOST_LISTED: Final = 500
"""Tools of a server that a reply lists for its client to send back."""


class Hosts:
    """The servers that the request names. To be closed when the reply ends."""

    def __init__(self, case: Case, connector: McpConnector | None) -> None:
        self._case = case
        self._hosts = {server.name: mcp.host_of(server) for server in mcp.servers(case)}
        self._sessions = None if connector is None or not self._hosts else connector.sessions()
        self._told = set(mcp.pinned(case))

    def offered(self, server: str, name: str) -> Offered:
        """What runs the server's tool of this name."""
        host = self._hosts.get(server)
        known = host is not None and (server, name) in self._case.mcp_tools
        tool = _OnHost(name, host if known else None, self._sessions)
        return Offered(tool, {}, frozenset[str], dict[str, tuple[Tool, ...]])

    def untold(self, server: str) -> Listed | None:
        """The server's tools as the client may send them back, once, where its header asks for that."""
        tools = self._case.listed.get(server, ())
        if server in self._told or not self._case.context.unlocks(MCP_LISTING) or len(tools) > MOST_LISTED:
            return None
        self._told.add(server)
        return Listed(
            server,
            [
                {"name": tool.own_name, "description": tool.description, "input_schema": tool.input_schema}
                for tool in tools
            ],
        )

    async def aclose(self) -> None:
        """End the sessions."""
        if self._sessions is not None:
            await self._sessions.aclose()


class _OnHost:
    """One tool of a server, as a `ServerTool`. `host` None: it is not there, or not for this request."""

    result_type = "mcp_tool_result"
    error_type = ""
    types = ()

    def __init__(self, name: str, host: McpHost | None, sessions: McpSessions | None) -> None:
        self.name = name
        self._host = host
        self._sessions = sessions

    def told(self, settings: Mapping[str, Any]) -> Tool:
        """See `ServerTool`; the model is told by the roster."""
        raise AssertionError("a tool of an MCP server is told by what its server says of it")

    async def run(self, call: ServerCall) -> ServerResult:
        """See `ServerTool`."""
        if self._host is None or self._sessions is None:
            raise ToolProblem("unavailable", message=f"There is no tool {self.name} any more.")
        try:
            outcome = await self._sessions.call(self._host, self.name, call.input)
        except McpFault as fault:
            raise ToolProblem("unavailable", fault.reason, fault.message) from fault
        return ServerResult({"is_error": outcome.is_error, "content": outcome.content})

    async def aclose(self) -> None:
        """See `ServerTool`: the sessions are closed with the reply."""

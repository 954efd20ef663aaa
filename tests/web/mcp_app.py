"""An app whose requests name MCP servers on loopback."""

from typing import Any

from antiphon.config import McpSettings, NetworkSettings
from tests.tools.mcp.hosts import Host
from tests.web.searching_app import MODEL, app
from tests.web.thinking_app import ThinkingApp

Json = dict[str, Any]

BETA = "mcp-client-2025-11-20"
LISTING = "mcp-client-2026-09-15"
FIRST = "mcp-client-2025-04-04"


def mcp_app(*rules: str, hosts: tuple[Host, ...] = (), tools: Any = (), **mcp: Any) -> ThinkingApp:
    """The app over a script of these rules, whose owner allows these hosts. `mcp`: settings of the connector."""
    network = NetworkSettings(allow_hosts=tuple(host.allowed for host in hosts))
    return app(*rules, tools=tools, network=network, mcp=McpSettings(**mcp))


def server(url: str, name: str = "calc", **more: Any) -> Json:
    """An entry of `mcp_servers`."""
    return {"type": "url", "name": name, "url": url, **more}


def toolset(name: str = "calc", **more: Any) -> Json:
    """Its toolset."""
    return {"type": "mcp_toolset", "mcp_server_name": name, **more}


def ask(*servers: Json, tools: list[Json] | None = None, **more: Any) -> Json:
    """A request that names these servers; each with its toolset unless the tools are given."""
    sets = [toolset(one["name"]) for one in servers] if tools is None else tools
    messages = [{"role": "user", "content": "Tell me."}]
    return {
        "model": MODEL,
        "max_tokens": 1000,
        "messages": messages,
        "mcp_servers": [*servers],
        "tools": sets,
        **more,
    }

"""`[mcp]`: the MCP servers that requests name."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from antiphon.config.kinds import Number, Switch, Whole
from antiphon.config.option import Table, key_of


@dataclass(frozen=True, slots=True)
class McpSettings:
    """How servers of tools are spoken to. Seconds: until a session stands, and again until its tools are listed
    (`connect_timeout`); that a server may say nothing (`timeout`). `max_tools`: of one server; `max_bytes`: of one
    answer. `cache`: bytes of listings that are kept for `cache_seconds`."""

    enabled: bool = True
    connect_timeout: float = 10.0
    timeout: float = 30.0
    max_tools: int = 1000
    max_bytes: int = 8 * 1024 * 1024
    cache: int = 32 * 1024 * 1024
    cache_seconds: float = 300.0


_key = partial(key_of, "mcp", McpSettings())

MCP: Final = Table(
    "mcp",
    "The servers of tools that requests name in mcp_servers.",
    McpSettings,
    (
        _key("enabled", Switch(), "Whether requests may name MCP servers, which this server then speaks to."),
        _key(
            "connect_timeout",
            Number(0.1, 600, "SECONDS"),
            "Seconds until a session with an MCP server stands, and again until its tools are listed.",
        ),
        _key("timeout", Number(0.1, 3600, "SECONDS"), "Seconds that an MCP server may say nothing."),
        _key("max_tools", Whole(1, 10_000), "Tools that one MCP server may have."),
        _key("max_bytes", Whole(1024, 1_073_741_824, "BYTES"), "Largest answer of an MCP server, in bytes."),
        _key("cache", Whole(0, None, "BYTES"), "Memory for the tools that MCP servers list, in bytes."),
        _key(
            "cache_seconds",
            Number(0, 86_400, "SECONDS"),
            "Seconds that an MCP server's tools are taken from this memory; 0 = asked for with every request.",
        ),
    ),
)

"""Tools and tool choice, as far as the schema of one tool does not say it. Source: API reference, Tool use."""

from typing import get_args

from antiphon.request.case import Case, Issue
from antiphon.request.tools.roster import REFERRING, all_deferred, is_deferred, referenced
from antiphon.wire.content.blocks import (
    CompactionBlock,
    ToolAdditionBlock,
    ToolDefinition,
)
from antiphon.wire.gates import MCP_TOOLSET
from antiphon.wire.tools.definitions import Tool, ToolChoiceTool
from antiphon.wire.tools.server import McpToolset, ToolSearchBm25, ToolSearchRegex
from antiphon.wire.tools.toolsets import BrowserToolset20260801, ComputerToolset20260801
from antiphon.words import shown

_TYPES: tuple[str, ...] = tuple(
    sorted(
        kind for member in get_args(get_args(Tool)[0]) for kind in get_args(member.model_fields["type"].annotation)
    )
)


def unique_names(case: Case) -> Issue | None:
    """No two tools have one name; a toolset takes its family's."""
    names = [name for tool in case.tools if (name := _served_name(tool)) is not None]
    return Issue("tools: Tool names must be unique.") if len(set(names)) < len(names) else None


def _served_name(tool: Tool) -> str | None:
    match tool:
        case ComputerToolset20260801():
            return "computer"
        case BrowserToolset20260801():
            return "browser"
        case McpToolset():
            return None
        case _:
            return tool.name


def tool_choice(case: Case) -> Issue | None:
    """A choice needs tools, and a named tool is one of them."""
    choice = case.request.tool_choice
    if choice is None:
        return None
    if not case.definitions and not case.request.mcp_servers:
        return Issue("tool_choice may only be specified while providing tools.")
    mcp = bool(case.request.mcp_servers) or any(isinstance(tool, McpToolset) for tool in case.tools)
    if isinstance(choice, ToolChoiceTool) and not mcp and choice.name not in _known_names(case):
        return Issue(f"Tool '{shown(choice.name)}' not found in provided tools")
    return None


def deferral(case: Case) -> Issue | None:
    """Something is left to begin with, and what is deferred is not what finds it, nor in the cached prefix."""
    if (issue := all_deferred(case, case.tools)) is not None:
        return issue
    for n, tool in enumerate(case.tools):
        if not is_deferred(tool):
            continue
        if isinstance(tool, ToolSearchRegex | ToolSearchBm25):
            return Issue(f"tools.{n}.{tool.type}.defer_loading: the tool search tool itself cannot be deferred")
        if tool.cache_control is not None and not isinstance(tool, McpToolset):
            return Issue(f"tools.{n}: cache_control cannot be set on a tool with defer_loading=true")
    return None


def references(case: Case) -> Issue | None:
    """A tool that a search found is among the tools."""
    if case.kinds.isdisjoint(REFERRING) or _has_unlisted_tools(case):
        return None
    known = _known_names(case)
    for item in case.items:
        for name in referenced(item):
            if name not in known:
                return Issue(
                    f"Tool reference '{shown(name)}' not found in available tools",
                    {"error_code": "tool_reference_unresolved"},
                )
    return None


def _has_unlisted_tools(case: Case) -> bool:
    # What an MCP server or a toolset offers is not spelled out in the request.
    groups = (McpToolset, ComputerToolset20260801, BrowserToolset20260801)
    return bool(case.request.mcp_servers) or any(isinstance(tool, groups) for tool in case.tools)


def _known_names(case: Case) -> frozenset[str]:
    carried = (
        change.tool.definition
        for item in case.items
        if isinstance(item.block, CompactionBlock)
        for change in item.block.tool_changes or ()
        if isinstance(change, ToolAdditionBlock) and isinstance(change.tool, ToolDefinition)
    )
    added = (*(tool for _, tool in case.definitions[len(case.tools) :]), *carried)
    return case.tool_names | {name for tool in added if (name := _served_name(tool)) is not None}


def types_for_the_model(case: Case) -> Issue | None:
    """The model takes tools of these types."""
    refused = [tool.type for _, tool in case.definitions if tool.type in case.profile.refused_tools]
    if not refused:
        return None
    family = refused[0].split("_")[0]
    others = [kind for kind in _TYPES if kind.startswith(family) and kind not in case.profile.refused_tools]
    hint = f" Did you mean one of {', '.join(others)}?" if others else ""
    return Issue(f"'{case.profile.id}' does not support tool types: {', '.join(dict.fromkeys(refused))}.{hint}")


def container_has_its_tool(case: Case) -> Issue | None:
    """A container is for the code execution tool."""
    request = case.creation
    if request is None or request.container is None or case.runs_code:
        return None
    if case.skills:
        return Issue("container.skills: Skills beta requires the code_execution tool to be included in the request.")
    return Issue("container: Container identifier can only be provided when using the code execution tool")


def mcp_servers_are_used(case: Case) -> Issue | None:
    """Every MCP server has its toolset and every toolset its server; the connector's first form has no toolsets."""
    servers = [server.name for server in case.request.mcp_servers or []]
    if len(set(servers)) < len(servers):
        return Issue("mcp_servers: MCP server names must be unique.")
    if servers and not case.context.unlocks(MCP_TOOLSET):
        return None
    named: set[str] = set()
    for n, tool in enumerate(case.tools):
        if not isinstance(tool, McpToolset):
            continue
        if tool.mcp_server_name not in servers:
            return Issue(
                f"tools.{n}.mcp_toolset.mcp_server_name: MCP server '{shown(tool.mcp_server_name)}' is not defined "
                "in mcp_servers"
            )
        if tool.mcp_server_name in named:
            return Issue(
                f"tools: MCP server '{shown(tool.mcp_server_name)}' is referenced by more than one mcp_toolset."
            )
        named.add(tool.mcp_server_name)
    unused = next((server for server in servers if server not in named), None)
    if unused is None:
        return None
    return Issue(f"MCP server '{shown(unused)}' is defined but not referenced by any mcp_toolset in tools.")

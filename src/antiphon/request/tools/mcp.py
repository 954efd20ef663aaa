"""The tools of MCP servers in a request: which of them are there, and what the model calls them.

What a server says of its tools is not to be trusted: names that a model cannot write are made fit, names that are
taken get the server's in front, and a schema that decoding cannot hold an input to becomes a word in the description.
Source: MCP connector.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from antiphon.ports.mcp import McpHost, McpListed
from antiphon.request.case import Case, Issue
from antiphon.request.tools.roster import all_deferred
from antiphon.request.tools.toolbox import members
from antiphon.wire.content.blocks import McpToolListingBlock
from antiphon.wire.gates import MCP_LISTING, MCP_TOOLSET
from antiphon.wire.settings import McpServer
from antiphon.wire.tools.definitions import ToolChoiceTool, can_be_kept
from antiphon.wire.tools.server import McpSwitches, McpTool, McpToolset
from antiphon.words import shown

_UNFIT: Final = re.compile(r"[^a-zA-Z0-9_-]+")

_LONGEST_NAME: Final = 64

_LONGEST_SCHEMA: Final = 4000
"""Characters of a schema that cannot be kept to, in the description."""

_LONGEST_DESCRIPTION: Final = 16_000

FREE: Final[Mapping[str, Any]] = {"type": "object"}
"""What holds the input of a tool whose schema cannot."""


def servers(case: Case) -> list[McpServer]:
    """The MCP servers that a request names."""
    return case.request.mcp_servers or []


def host_of(server: McpServer) -> McpHost:
    """What is to be known to speak to it."""
    return McpHost(server.name, server.url, server.authorization_token)


def pinned(case: Case) -> dict[str, list[McpListed]]:
    """What is known of servers' tools without asking them: a toolset says it, or a listing in the conversation."""
    found: dict[str, list[McpListed]] = {}
    if not case.context.unlocks(MCP_LISTING):
        return found
    for item in case.told:
        if isinstance(item.block, McpToolListingBlock):
            found[item.block.mcp_server_name] = [
                McpListed(tool.name, tool.description or "", tool.input_schema) for tool in item.block.tools
            ]
    for tool in case.tools:
        if isinstance(tool, McpToolset) and tool.tools is not None:
            found[tool.mcp_server_name] = [
                McpListed(one.name, one.description or "", one.input_schema) for one in tool.tools
            ]
    return found


def offered(case: Case, listed: Mapping[str, Sequence[McpListed]]) -> dict[str, tuple[McpTool, ...]]:
    """The tools of each server, by the server's name; those that the request lets in are `enabled`."""
    taken = {*case.tool_names, *members(case.tools)}
    return {server.name: tuple(_tools(case, server, listed[server.name], taken)) for server in servers(case)}


def unknown(case: Case, listed: Mapping[str, Sequence[McpListed]]) -> list[tuple[str, str]]:
    """Names in the toolsets' configurations that their servers have no tool of, with the server."""
    return [
        (tool.mcp_server_name, name)
        for tool in case.tools
        if isinstance(tool, McpToolset)
        for name in tool.configs or {}
        if all(name != one.name for one in listed.get(tool.mcp_server_name, ()))
    ]


def problem(case: Case) -> Issue | None:
    """What is wrong with a request as only its servers' tools show: a choice of none of them, all deferred."""
    choice = case.request.tool_choice
    names = {str(getattr(tool, "name", "")) for _, tool in case.entries}
    added = {str(getattr(tool, "name", "")) for _, tool in case.definitions}
    if isinstance(choice, ToolChoiceTool) and choice.name not in names | added:
        return Issue(f"Tool '{shown(choice.name)}' not found in provided tools")
    return all_deferred(case, [entry for _, entry in case.entries])


def fitting(name: str) -> str:
    """The name, with other characters where a model's calls have none like them."""
    return _UNFIT.sub("_", name)[:_LONGEST_NAME] or "tool"


def _tools(case: Case, server: McpServer, listed: Sequence[McpListed], taken: set[str]) -> list[McpTool]:
    found: list[McpTool] = []
    own: set[str] = set()
    for tool in listed:
        switches = _switches(case, server, tool.name)
        # Of two tools of one name a call would reach the same one.
        if tool.name in own:
            continue
        own.add(tool.name)
        enabled, deferred = switches is not None, switches is not None and switches.defer_loading is True
        name = _free(tool.name, server.name, taken) if enabled else tool.name
        taken.update((name,) if enabled else ())
        schema, description = _told(tool)
        found.append(
            McpTool.model_construct(
                type="mcp_tool",
                name=name,
                own_name=tool.name,
                server_name=server.name,
                description=description,
                input_schema=schema,
                defer_loading=deferred,
                enabled=enabled,
            )
        )
    return found


def _free(name: str, server: str, taken: set[str]) -> str:
    fit = fitting(name)
    if fit not in taken:
        return fit
    fit = longer = fitting(f"{server}__{name}")
    n = 2
    while longer in taken:
        longer = f"{fit[: _LONGEST_NAME - 5]}_{n}"
        n += 1
    return longer


def _switches(case: Case, server: McpServer, name: str) -> McpSwitches | None:
    """How the tool is switched; None: off."""
    said = server.tool_configuration
    allowed = None if said is None else said.allowed_tools
    if said is not None and (said.enabled is False or (allowed is not None and name not in allowed)):
        return None
    if not case.context.unlocks(MCP_TOOLSET):
        return McpSwitches()
    toolset = next(
        (tool for tool in case.tools if isinstance(tool, McpToolset) and tool.mcp_server_name == server.name), None
    )
    if toolset is None:
        return McpSwitches()
    default, config = toolset.default_config or McpSwitches(), (toolset.configs or {}).get(name, McpSwitches())
    enabled = config.enabled if config.enabled is not None else default.enabled
    deferred = config.defer_loading if config.defer_loading is not None else default.defer_loading
    return None if enabled is False else McpSwitches.model_construct(enabled=True, defer_loading=deferred)


def _told(tool: McpListed) -> tuple[dict[str, Any], str]:
    """The schema that holds the tool's input, and what the model is told of it."""
    description = tool.description[:_LONGEST_DESCRIPTION]
    if can_be_kept(tool.schema):
        return tool.schema, description
    schema: object = tool.schema
    if not isinstance(schema, dict):
        return dict(FREE), description
    try:
        said = json.dumps(schema, ensure_ascii=False)
    except (ValueError, RecursionError):
        return dict(FREE), description
    said = said if len(said) <= _LONGEST_SCHEMA else ""
    return dict(FREE), f"{description}\n\nThe input's JSON schema: {said}".strip() if said else description

"""The tools of a request's MCP servers, asked for before anything is generated: one that is dead fails the request.

Source: MCP connector.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from msgspec import structs

from antiphon.errors import InvalidRequest
from antiphon.ports.mcp import McpConnector, McpFault, McpListed
from antiphon.request.asked import Asked, Request
from antiphon.request.rules import tool_changes
from antiphon.request.tools import mcp
from antiphon.service.faults import refusal
from antiphon.words import shown

log = logging.getLogger(__name__)


async def listed(asked: Asked[Request], connector: McpConnector | None) -> Asked[Request]:
    """The same request with its servers' tools. Raises `ApiError`."""
    if connector is None:
        raise InvalidRequest("mcp_servers: the MCP connector is not enabled on this server.")
    case = asked.case
    known = mcp.pinned(case)
    hosts = [mcp.host_of(server) for server in mcp.servers(case)]
    asks = [host for host in hosts if host.name not in known]
    answers = await asyncio.gather(*(connector.tools(host) for host in asks), return_exceptions=True)
    tools: dict[str, Sequence[McpListed]] = dict(known)
    for host, answer in zip(asks, answers, strict=True):
        if isinstance(answer, McpFault):
            log.warning("MCP server %s: %s", shown(host.name), answer.reason)
            raise InvalidRequest(answer.message) from answer
        if isinstance(answer, BaseException):
            raise answer
        tools[host.name] = answer
    for server, name in mcp.unknown(case, tools):
        log.warning("MCP server %s: it has no tool %s, which configs of its toolset name", shown(server), shown(name))
    case = replace(case, listed=mcp.offered(case, tools))
    wrong = (
        mcp.problem(case) or tool_changes.changes_are_possible(case) or tool_changes.the_chosen_tool_is_there(case)
    )
    if wrong is not None:
        raise refusal(wrong)
    return structs.replace(asked, case=case)

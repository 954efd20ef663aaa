"""Tools of MCP servers: programs that are started, and servers that answer at a URL."""

import json
import os
import shlex
from contextlib import ExitStack
from typing import Any, cast

from anthropic.lib.tools import ToolError, beta_tool
from anthropic.lib.tools.mcp import UnsupportedMCPValueError, mcp_content
from anyio.from_thread import BlockingPortal
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from antiphon.chat.problems import ChatError

CONNECT_TIMEOUT = 30.0


def connect(places: list[str], portal: BlockingPortal, running: ExitStack) -> list[Any]:
    """The tools of the servers at these URLs or behind these commands; `running` ends them. Raises `ChatError`.

    A name that two servers have gets a number behind it.
    """
    tools: list[Any] = []
    used: set[str] = set()
    for place in places:
        client = _client(place, running)
        try:
            running.enter_context(portal.wrap_async_context_manager(client))
            found = portal.call(_listed, client)
        except Exception as problem:
            raise ChatError(f"--mcp {place}: {_why(problem)}") from problem
        for tool in found:
            name = free_name(tool.name, used)
            used.add(name)
            tools.append(_tool(client, tool, name, portal))
    return tools


def _client(place: str, running: ExitStack) -> Client:
    if place.startswith(("http://", "https://")):
        return Client(place, read_timeout_seconds=CONNECT_TIMEOUT)
    try:
        program, *arguments = shlex.split(place)
    except ValueError as problem:
        raise ChatError(f"--mcp {place}: {problem}") from problem
    # What a server writes to its log would be in the middle of the conversation.
    log = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    running.callback(log.close)
    params = StdioServerParameters(command=program, args=arguments)
    return Client(stdio_client(params, errlog=log), read_timeout_seconds=CONNECT_TIMEOUT)


def describe(given: dict[str, Any]) -> str:
    """What a call hands to its server."""
    return json.dumps(given, ensure_ascii=False, indent=1)


async def _listed(client: Client) -> list[Any]:
    page = await client.list_tools()
    tools = list(page.tools)
    while page.next_cursor:
        page = await client.list_tools(cursor=page.next_cursor)
        tools.extend(page.tools)
    return tools


def _tool(client: Client, tool: Any, name: str, portal: BlockingPortal) -> Any:
    def call(**given: Any) -> Any:
        try:
            result = portal.call(client.call_tool, tool.name, given, 300.0)
            content = [mcp_content(item) for item in result.content]
        except UnsupportedMCPValueError as problem:
            raise ToolError(str(problem)) from problem
        except Exception as problem:
            raise ToolError(f"The MCP server failed: {_why(problem)}") from problem
        if result.is_error:
            raise ToolError(content)
        return content

    return beta_tool(call, name=name, description=tool.description or "", input_schema=tool.input_schema)


def free_name(name: str, used: set[str]) -> str:
    """The name, with a number behind it where it is used."""
    if name not in used:
        return name
    return next(other for number in range(2, len(used) + 3) if (other := f"{name}_{number}") not in used)


def _why(problem: BaseException) -> str:
    while isinstance(problem, BaseExceptionGroup):
        problem = cast("BaseExceptionGroup[BaseException]", problem).exceptions[0]
    if isinstance(problem, FileNotFoundError):
        return "there is no such program"
    return str(problem) or type(problem).__name__

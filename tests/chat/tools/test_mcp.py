"""Tools of a real MCP server, in a process of its own."""

import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import anyio
import pytest
import uvicorn
from anthropic.lib.tools import ToolError
from anyio.from_thread import start_blocking_portal
from mcp.server.mcpserver import MCPServer

from antiphon.chat.problems import ChatError
from antiphon.chat.tools.mcp import connect, free_name

SERVER = '''
from mcp.server.mcpserver import MCPServer

server = MCPServer("numbers")


@server.tool()
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


@server.tool()
def fail() -> str:
    """Fails."""
    raise ValueError("no luck")


server.run()
'''


@asynccontextmanager
async def served() -> AsyncGenerator[str]:
    """A server that answers on a free port; its URL."""
    numbers = MCPServer("numbers")

    def add(a: int, b: int) -> str:
        return str(a + b)

    numbers.add_tool(add)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(numbers.streamable_http_app(), log_config=None))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [listener])
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        server.should_exit = server.force_exit = True


@pytest.mark.promise("cli.chat")
def test_a_servers_tools_are_called_there(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    command = f"{sys.executable} {tmp_path / 'server.py'}"
    with start_blocking_portal() as portal, ExitStack() as running:
        add, fail = connect([command], portal, running)
        assert (add.name, fail.name) == ("add", "fail")
        assert add.to_dict()["description"] == "Add two numbers."
        assert [block["text"] for block in add.call({"a": 40, "b": 2})] == ["42"]
        with pytest.raises(ToolError, match="Error executing tool fail"):
            fail.call({})


def test_a_name_that_two_servers_have_gets_a_number() -> None:
    assert [free_name(name, {"add", "add_2"}) for name in ("add", "other")] == ["add_3", "other"]


@pytest.mark.promise("cli.chat")
def test_a_server_at_a_url_is_called_there() -> None:
    with start_blocking_portal() as portal, ExitStack() as running:
        url = running.enter_context(portal.wrap_async_context_manager(served()))
        [add] = connect([url], portal, running)
        assert [block["text"] for block in add.call({"a": 40, "b": 2})] == ["42"]


def test_a_program_that_is_no_server_is_named(tmp_path: Path) -> None:
    with start_blocking_portal() as portal, ExitStack() as running, pytest.raises(ChatError, match="--mcp true: "):
        connect(["true"], portal, running)

"""The kinds of tools that run inside a server: their calls, and the blocks that answer them."""

from types import MappingProxyType

from antiphon.wire.content.blocks import Block, OwnResultBlock

SERVER_RESULTS = frozenset(
    {
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "advisor_tool_result",
        "mcp_tool_result",
    }
)
"""The blocks that hold what a tool inside the server answered; an assistant message may end with one."""


def is_server_result(block: Block) -> bool:
    """Whether the block holds what a tool inside the server answered."""
    return block.type in SERVER_RESULTS or isinstance(block, OwnResultBlock)


RESULT_OF = MappingProxyType(
    {
        "web_search": "web_search_tool_result",
        "web_fetch": "web_fetch_tool_result",
        "code_execution": "code_execution_tool_result",
        "bash_code_execution": "bash_code_execution_tool_result",
        "text_editor_code_execution": "text_editor_code_execution_tool_result",
        "tool_search_tool_regex": "tool_search_tool_result",
        "tool_search_tool_bm25": "tool_search_tool_result",
        "advisor": "advisor_tool_result",
    }
)

CALLS_AND_RESULTS = SERVER_RESULTS | {"server_tool_use", "mcp_tool_use"}
"""The types of blocks that calls of the server's tools and their results travel in."""

TOOL_OF = MappingProxyType({"bash_code_execution": "code_execution", "text_editor_code_execution": "code_execution"})
"""Calls that go by another name than the tool that the request defines."""

CALLS = frozenset({"web_search", "web_fetch"})
"""The server tools whose calls the model can be shown."""

TOOLS = ("code_execution", "tool_search_tool", "advisor", "mcp_toolset")
"""What the types of tools begin with that run inside the server."""

CONFIGURED = ("web_search", "web_fetch")
"""What the types of tools begin with that run inside the server where its owner has configured them."""

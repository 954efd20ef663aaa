"""Blocks of calls and of what they come to, as the API has them."""

import pytest
from msgspec import UNSET

from antiphon.dialogue.events import CallStart, CodeCall, Listed, ServerAnswer
from antiphon.stream.blocks import begun, called, result_block, served
from antiphon.wire.reply import (
    CodeCaller,
    DirectCaller,
    ReplyMcpListing,
    ReplyMcpToolResult,
    ReplyMcpToolUse,
    ReplyServerToolUse,
    ReplyToolUse,
)


@pytest.mark.parametrize(
    ("call", "block"),
    [
        (CallStart("toolu_1", "look"), ReplyToolUse(id="toolu_1", name="look", toolset_name=UNSET, input={})),
        (
            CallStart("srvtoolu_1", "bash_code_execution", server=True),
            ReplyServerToolUse(id="srvtoolu_1", name="bash_code_execution", input={}, caller=UNSET),
        ),
        (
            CallStart("srvtoolu_1", "code_execution", server=True),
            ReplyServerToolUse(id="srvtoolu_1", name="code_execution", input={}, caller=DirectCaller()),
        ),
        (
            CallStart("mcptoolu_1", "echo", host="files"),
            ReplyMcpToolUse(id="mcptoolu_1", name="echo", input={}, server_name="files"),
        ),
    ],
    ids=["a client's", "the server's", "Python", "an MCP server's"],
)
def test_a_call_begins_as_a_block_of_its_kind(call: CallStart, block: object):
    assert begun(call) == block


def test_a_call_that_code_made_names_the_code():
    block = called(CodeCall("toolu_1", "look", {"a": 1}, "srvtoolu_2"))
    assert (block.input, block.caller) == ({"a": 1}, CodeCaller(tool_id="srvtoolu_2"))


def test_what_an_mcp_server_says_has_blocks_of_its_own():
    answer = ServerAnswer("mcptoolu_1", "mcp_tool_result", {"content": [], "is_error": False})
    assert isinstance(result_block(answer), ReplyMcpToolResult)
    assert isinstance(served(Listed("files", [])), ReplyMcpListing)

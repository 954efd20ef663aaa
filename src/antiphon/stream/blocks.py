"""The blocks of calls and of what they come to, as a reply sends them."""

from typing import cast

from msgspec import UNSET

from antiphon.dialogue.events import CallStart, CodeCall, FellBack, Listed, ServerAnswer
from antiphon.wire.reply import (
    CodeCaller,
    DirectCaller,
    FallbackModel,
    FallbackTrigger,
    ReplyBlock,
    ReplyFallback,
    ReplyMcpListing,
    ReplyMcpToolResult,
    ReplyMcpToolUse,
    ReplyServerResult,
    ReplyServerToolUse,
    ReplyToolUse,
    ServerResultType,
)


def result_block(answer: ServerAnswer) -> ReplyServerResult | ReplyMcpToolResult:
    """The block that an answer is sent as."""
    if answer.kind == "mcp_tool_result":
        return ReplyMcpToolResult(tool_use_id=answer.call_id, **answer.content)
    kind = cast("ServerResultType", answer.kind)
    if answer.code is not None:
        caller = CodeCaller(tool_id=answer.code)
        return ReplyServerResult(type=kind, tool_use_id=answer.call_id, content=answer.content, caller=caller)
    if kind == "tool_search_tool_result" or kind.endswith("code_execution_tool_result"):
        return ReplyServerResult(type=kind, tool_use_id=answer.call_id, content=answer.content, caller=UNSET)
    return ReplyServerResult(type=kind, tool_use_id=answer.call_id, content=answer.content)


def served(event: ServerAnswer | Listed | FellBack) -> ReplyBlock:
    """The block of what the server, or an MCP server, has said."""
    if isinstance(event, FellBack):
        return ReplyFallback(
            from_=FallbackModel(model=event.declined),
            to=FallbackModel(model=event.serves),
            trigger=FallbackTrigger(category=event.category),
        )
    if isinstance(event, Listed):
        return ReplyMcpListing(mcp_server_name=event.host, tools=event.tools)
    return result_block(event)


def begun(call: CallStart) -> ReplyBlock:
    """The block of a call that has only begun."""
    if call.host is not None:
        return ReplyMcpToolUse(id=call.id, name=call.name, input={}, server_name=call.host)
    if call.server:
        # As recorded: the shell and the searches name no caller.
        caller = DirectCaller() if call.name == "code_execution" else UNSET
        return ReplyServerToolUse(id=call.id, name=call.name, input={}, caller=caller)
    toolset = UNSET if call.toolset is None else call.toolset
    return ReplyToolUse(id=call.id, name=call.name, toolset_name=toolset, input={})


def called(call: CodeCall) -> ReplyToolUse | ReplyServerToolUse:
    """The block of a call that code has made."""
    if call.server:
        caller = CodeCaller(tool_id=call.code)
        return ReplyServerToolUse(id=call.id, name=call.name, input=dict(call.input), caller=caller)
    return ReplyToolUse(id=call.id, name=call.name, input=dict(call.input), caller=CodeCaller(tool_id=call.code))

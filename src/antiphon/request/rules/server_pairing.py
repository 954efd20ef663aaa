"""Calls of tools that run inside the server, and their results. Source: API reference, Stop reasons; Server tools.

Both stand in assistant turns. A call may wait: while client tools are answered (the user turn then holds nothing but
results), and at the end of the conversation, where the server goes on with it if its tool is still there.
"""

from antiphon.request.case import Case, Issue, Placed, Turn
from antiphon.request.tools.server_kinds import CALLS_AND_RESULTS, RESULT_OF, is_server_result, tool_of
from antiphon.wire.content.blocks import McpToolUseBlock, ServerToolUseBlock
from antiphon.words import shown


def server_calls_and_results(case: Case) -> Issue | None:
    """Every server call has its result, or may still wait for it."""
    if case.kinds.isdisjoint(CALLS_AND_RESULTS) and not any(is_server_result(item.block) for item in case.items):
        return None
    waiting: dict[str, Placed] = {}
    for turn in case.turns:
        if turn.role == "assistant":
            issue = _assistant(case, turn, waiting)
        elif turn.role == "user" and any(item.block.type != "tool_result" for item in turn.items):
            issue = next((Issue(_unresolved(case, call)) for call in waiting.values()), None)
        else:
            issue = None
        if issue is not None:
            return issue
    return next((issue for call in waiting.values() if (issue := _resumable(case, call))), None)


def _assistant(case: Case, turn: Turn, waiting: dict[str, Placed]) -> Issue | None:
    made = set(waiting)
    for item in turn.items:
        block = item.block
        if isinstance(block, ServerToolUseBlock | McpToolUseBlock):
            if block.id in made:
                return Issue(f"{case.turn_block_path(item)}: `{block.type}` ids must be unique")
            made.add(block.id)
            waiting[block.id] = item
        elif is_server_result(block):
            # Every result block names its call; the union's members share no base that says so.
            call_id: str = getattr(block, "tool_use_id", "")
            call = waiting.get(call_id)
            if call is None or _expected(case, call) != block.type:
                use = "mcp_tool_use" if block.type == "mcp_tool_result" else "server_tool_use"
                return Issue(
                    f"{case.turn_block_path(item)}: unexpected `tool_use_id` found in `{block.type}` blocks: "
                    f"{shown(call_id)}. Each `{block.type}` block must have a corresponding `{use}` block before it."
                )
            del waiting[call_id]
            for inner in [id_ for id_, made in waiting.items() if _by_code(made) == call_id]:
                del waiting[inner]
    return None


def _by_code(call: Placed) -> str | None:
    """The id of the code that has made the call."""
    caller = call.block.caller if isinstance(call.block, ServerToolUseBlock) else None
    return None if caller is None or caller.type == "direct" else caller.tool_id


def _expected(case: Case, call: Placed) -> str:
    """The type of the call's result."""
    if not isinstance(call.block, ServerToolUseBlock):
        return "mcp_tool_result"
    own = case.server_tools.named(call.block.name)
    return own.result_type if own is not None else RESULT_OF[call.block.name]


def _unresolved(case: Case, call: Placed) -> str:
    assert isinstance(call.block, ServerToolUseBlock | McpToolUseBlock)
    return (
        f"{case.turn_path(call)}: `{shown(call.block.name)}` tool use with id `{shown(call.block.id)}` was found "
        f"without a corresponding `{_expected(case, call)}` block"
    )


def _resumable(case: Case, call: Placed) -> Issue | None:
    if isinstance(call.block, McpToolUseBlock):
        return None if case.request.mcp_servers else Issue(_unresolved(case, call))
    assert isinstance(call.block, ServerToolUseBlock)
    if _by_code(call) is not None:
        return None
    tool = tool_of(call.block.name)
    # A client's own tool of that name does not run here.
    own = case.server_tools.named(tool)
    types = (tool, *(own.types if own is not None else ()))
    if any(definition.type.startswith(types) for _, definition in case.definitions):
        return None
    if tool == "code_execution" and case.runs_code:
        return None
    return Issue(f"{_unresolved(case, call)} but no `{tool}` tool was provided")

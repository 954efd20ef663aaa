"""What the API has and this server has not built: refused in plain words, never dropped in silence.

Blocks, tools and settings, one row a capability. Who builds a setting deletes its row; the kinds of server tools say
by themselves whether they are built (`request.tools.server_kinds`).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from antiphon.request.case import Case, Issue, blocks_of
from antiphon.request.tools.from_code import CODE, brings_code
from antiphon.request.tools.server_calls import waiting
from antiphon.request.tools.server_kinds import (
    ALWAYS,
    CALLS,
    CONFIGURED,
    RESULT_OF,
    SANDBOXED,
    UNBUILT,
    UNBUILT_BLOCKS,
    tool_of,
)
from antiphon.wire.content.blocks import (
    Block,
    ResultContent,
    ServerToolUseBlock,
)

BLOCKS = UNBUILT_BLOCKS
"""Block types that the model cannot be shown yet."""

RESULT_BLOCKS = frozenset({"browser_state"})
"""Block types that the model cannot be shown yet inside of a tool's result."""

_HOLDING = frozenset({"tool_result", "document", "search_result", "server_tool_use", "web_fetch_tool_result"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the request. `asked` tells whether the request uses it in a way that is not built."""

    path: str
    what: str
    asked: Callable[[Case], object]


def _task_budget(case: Case) -> object:
    config = case.request.output_config
    return config and config.task_budget


SETTINGS: tuple[Setting, ...] = (
    Setting("output_config.task_budget", "task budgets are", _task_budget),
    Setting("speed", "fast mode is", lambda case: case.request.speed == "fast"),
    Setting("billing_policy", "billing policies are", lambda case: case.request.billing_policy),
)


def blocks(case: Case) -> Issue | None:
    """A block that the model cannot be shown, or not in the way that is asked for."""
    if case.kinds.isdisjoint(BLOCKS | _HOLDING):
        return None
    calls = CALLS | {tool.name for tool in case.server_tools.tools}
    for item in case.items:
        for path, block in blocks_of(item.path, item.block):
            if what := _unshown(block, calls):
                return Issue(f"{path}: {what} not supported by this server yet.")
    if unknown := next((item for item in case.told if _waits_in_vain(case, item.block)), None):
        assert isinstance(unknown.block, ServerToolUseBlock)
        return Issue(f"{unknown.path}: {unknown.block.name} calls are not supported by this server yet.")
    final = case.turns[-1]
    document = next(final.of("document"), None) if final.role == "assistant" else None
    if document is None:
        return None
    return Issue(
        f"{document.path}: document blocks in a final assistant message are not supported by this server yet."
    )


def _waits_in_vain(case: Case, block: Block) -> bool:
    """Whether this is a call of code that has no result, and whose tool the request does not have here."""
    if not isinstance(block, ServerToolUseBlock) or not tool_of(block.name).startswith(SANDBOXED):
        return False
    here = {tool.name for _, defined in case.definitions for tool in case.server_tools.answering(defined.type)}
    if block.name == CODE and brings_code(case):
        return False
    return block.name not in here and any(call.id == block.id for call in waiting(case))


def _unshown(block: Block | ResultContent, calls: Collection[str]) -> str | None:
    if block.type in BLOCKS or block.type in RESULT_BLOCKS:
        return f"{block.type} blocks are"
    if isinstance(block, ServerToolUseBlock) and block.name not in calls:
        return f"{block.name} calls are"
    return None


def tools(case: Case) -> Issue | None:
    """A tool that runs inside the server and is not there."""
    for path, tool in case.definitions:
        if tool.type.startswith(ALWAYS) and not case.server_tools.answering(tool.type):
            return Issue(f"{path}: {tool.type} tools are not enabled on this server.")
        if tool.type.startswith(CONFIGURED) and not case.server_tools.answering(tool.type):
            name = next(name for name in CONFIGURED if tool.type.startswith(name))
            return Issue(
                f"{path}: {tool.type} tools are not enabled on this server.",
                advice=f"a request asks for {name}, which is not configured: set [server_tools.{name}] in the "
                "configuration file to offer it",
            )
        if tool.type.startswith(SANDBOXED) and not case.server_tools.answering(tool.type):
            return _without_sandbox(case, path, tool.type)
        if tool.type.startswith(UNBUILT):
            return Issue(f"{path}: {tool.type} tools are not supported by this server yet.")
    return None


def _without_sandbox(case: Case, path: str, kind: str) -> Issue:
    if any(tool.name in RESULT_OF and tool_of(tool.name) in SANDBOXED for tool in case.server_tools.tools):
        return Issue(f"{path}: {kind} tools are not supported by this server yet.")
    return Issue(
        f"{path}: {kind} tools need a sandbox to run code in (its owner sees with `antiphon doctor` what one takes) "
        "and are not enabled on this server."
    )


def settings(case: Case) -> Issue | None:
    """A setting that the server cannot follow."""
    for row in SETTINGS:
        if row.asked(case):
            return Issue(f"{row.path}: {row.what} not supported by this server yet.")
    return None

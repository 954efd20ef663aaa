"""Calls that code makes, and not the model: which tools it may call, under which names, and what they came to.

To the code a tool is an async function of one dict that returns a text. What passes between the two is never told to
the model, which sees what the code prints. Source: API reference, Programmatic tool calling.
"""

import json
import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, TypeGuard

from antiphon.dialogue.tools import Tool
from antiphon.ports.server_tools import ServerTool
from antiphon.request.case import Case
from antiphon.wire.content.blocks import (
    Block,
    McpToolUseBlock,
    ServerToolUseBlock,
    TextBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from antiphon.wire.tools.definitions import Tool as WireTool

CALLERS: Final = ("code_execution_20260120", "code_execution_20260521")
"""Who calls from code, as tools allow it, and the versions of the tool that run such code: either stands for both."""

CODE: Final = "code_execution"
"""The name of the tool whose code calls."""

_HOW: Final = (
    "These functions are there, too: they run elsewhere, take one dict, and return a text. Call them with `await`, "
    "several at once with `asyncio.gather`. What they return is seen only where it is printed."
)

_WEB: Final = ("web_search_", "web_fetch_")
"""What the types of the server's tools begin with that code may call."""

_NEWER: Final = ("web_search_2026", "web_fetch_2026")
"""Those that code may call unless the request says otherwise, and that bring the tool for code along."""

_RETURNED: Final = MappingProxyType(
    {
        "web_search": "Returns a JSON text: a list of objects with `url`, `title`, `content` (what the page says of "
        "the query) and `page_age`; or an object with `error_code`. Search here, and print what matters, where much "
        "of what is found is not needed.",
        "web_fetch": "Returns a JSON text: an object with `url` and `content`, a document whose text is "
        '`["content"]["source"]["data"]`; or an object with `error_code`. Fetch here, and print what matters, where '
        "much of a page is not needed.",
    }
)
"""What code is told of the server's tools, by their names."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What calls of a piece of code came to. `texts`: those that came last, by the ids of the calls. `begun`: the
    code has made calls before, so that it runs already."""

    texts: Mapping[str, str]
    begun: bool


NO_ANSWERS: Final = Answers(MappingProxyType({}), begun=False)


def callers(tool: WireTool) -> list[str]:
    """Who may call the tool, as its definition says."""
    said: list[str] | None = getattr(tool, "allowed_callers", None)
    return said or ["direct"]


def is_for_code(tool: WireTool) -> bool:
    """Whether code may call this tool of the client's."""
    return not tool.type.startswith(CODE) and any(caller in CALLERS for caller in callers(tool))


def is_for_code_alone(tool: WireTool) -> bool:
    """Whether the model itself is not told of the tool."""
    return is_for_code(tool) and "direct" not in callers(tool)


def is_served_to_code(case: Case, tool: WireTool) -> bool:
    """Whether this is a tool that the server runs and that code may call."""
    if not tool.type.startswith(_WEB) or not case.server_tools.answering(tool.type):
        return False
    if not case.server_tools.answering(CALLERS[0]):
        return False
    unsaid = getattr(tool, "allowed_callers", None) is None
    return tool.type.startswith(_NEWER) if unsaid else is_for_code(tool)


def brings_code(case: Case) -> bool:
    """Whether a tool of the request brings the tool for code along, which the request does not have itself."""
    return (
        any(
            tool.type.startswith(_NEWER) and is_served_to_code(case, tool) and not _is_deferred(tool)
            for tool in case.tools
        )
        and case.server_tools.named(CODE) is not None
        and not any(tool.type.startswith(CODE) or getattr(tool, "name", None) == CODE for _, tool in case.entries)
    )


def brought(case: Case) -> tuple[ServerTool, Mapping[str, Any]] | None:
    """The tool for code that is brought along, and what a definition of it would say."""
    tool = case.server_tools.named(CODE)
    return None if tool is None or not brings_code(case) else (tool, {"type": CALLERS[0], "name": CODE})


def runs_cells(case: Case) -> bool:
    """Whether the request has the tool whose code may call others."""
    return any(tool.type in CALLERS for tool in case.tools) or brings_code(case)


def told_tools(case: Case, told: Iterable[tuple[Tool, str]]) -> list[tuple[Tool, str]]:
    """What the model is told of: tools for code alone are the functions that the tool for code speaks of."""
    told = list(told)
    functions = _functions(case, told)
    if not functions:
        return told
    if (along := brought(case)) is not None:
        tool, settings = along
        told.append((tool.told(settings), ""))
    alone = {f"tools.{n}" for n, tool in enumerate(case.tools) if is_for_code_alone(tool)}
    kept = [(tool, origin) for tool, origin in told if origin not in alone]
    return [(_speaking(tool, functions, case) if tool.name == CODE else tool, origin) for tool, origin in kept]


def functions_of(case: Case, told: Iterable[tuple[Tool, str]]) -> dict[str, str]:
    """The functions that code finds, each with the name of the tool that it stands for."""
    return {name: tool.name for name, tool in _functions(case, told).items()}


def called_from_code(case: Case) -> dict[str, str]:
    """The calls that code has made: the id of each, and of the code's own call."""
    if "tool_use" not in case.kinds:
        return {}
    return {
        item.block.id: item.block.caller.tool_id
        for item in case.items
        if isinstance(item.block, ToolUseBlock) and item.block.caller and item.block.caller.type != "direct"
    }


def served_from_code(case: Case) -> frozenset[str]:
    """The calls of the server's tools that code has made."""
    if "server_tool_use" not in case.kinds:
        return frozenset()
    return frozenset(item.block.id for item in case.items if is_served_call(item.block))


def is_served_call(block: Block) -> TypeGuard[ServerToolUseBlock]:
    """Whether this is a call of a tool of the server's that code has made."""
    return isinstance(block, ServerToolUseBlock) and block.caller is not None and block.caller.type != "direct"


def has_searched(case: Case, call: str) -> bool:
    """Whether the code of this call has searched the web in replies before."""
    return any(
        is_served_call(item.block)
        and item.block.name == "web_search"
        and item.block.caller is not None
        and item.block.caller.type != "direct"
        and item.block.caller.tool_id == call
        for item in (case.items if "server_tool_use" in case.kinds else ())
    )


def answers_for(case: Case, call: str) -> Answers:
    """What the client says to the calls of a piece of code, whose own call has this id."""
    made = {id_ for id_, code in called_from_code(case).items() if code == call}
    last = case.turns[-1] if made and case.turns else None
    results = [item.block for item in last.of("tool_result")] if last is not None else []
    texts = {
        block.tool_use_id: _text(block)
        for block in results
        if isinstance(block, ToolResultBlock) and block.tool_use_id in made
    }
    return Answers(texts, bool(made))


def resumes_code(case: Case, waiting: Iterable[ServerToolUseBlock | McpToolUseBlock]) -> bool:
    """Whether the reply begins with code that goes on."""
    running = set(called_from_code(case).values())
    return any(call.id in running for call in waiting)


def _text(block: ToolResultBlock) -> str:
    if not isinstance(block.content, list):
        return block.content or ""
    return "\n".join(inner.text for inner in block.content if isinstance(inner, TextBlock))


def _functions(case: Case, told: Iterable[tuple[Tool, str]]) -> dict[str, Tool]:
    if not runs_cells(case):
        return {}
    clients = case.server_tools.calls_from_code
    for_code = {
        f"tools.{n}"
        for n, tool in enumerate(case.tools)
        if is_served_to_code(case, tool)
        or (clients and is_for_code(tool) and not case.server_tools.answering(tool.type))
    }
    found: dict[str, Tool] = {}
    for tool, origin in told:
        if origin in for_code and not (tool.withdrawn or tool.deferred):
            name = re.sub(r"\W", "_", tool.name, flags=re.ASCII)
            name = f"_{name}" if keyword.iskeyword(name) or name[0].isdigit() else name
            while name in found:
                name += "_"
            found[name] = tool
    return found


def _speaking(tool: Tool, functions: Mapping[str, Tool], case: Case) -> Tool:
    served = {one.name for one in case.server_tools.tools}
    said = [
        f"async def {name}(input: dict) -> str\n{one.description}\nInput: {_written(one.schema)}"
        + (f"\n{_RETURNED[one.name]}" if one.name in served and one.name in _RETURNED else "")
        for name, one in functions.items()
    ]
    return replace(tool, description="\n\n".join([tool.description, _HOW, *said]))


def _is_deferred(tool: object) -> bool:
    return getattr(tool, "defer_loading", None) is True


def _written(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False)

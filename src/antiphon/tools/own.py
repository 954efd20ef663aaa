"""An owner's own tools: found by their entry points, in the group `antiphon.server_tools`.

An entry point names a factory: from the table `[server_tools.NAME]`, as the TOML file has it, to a `ServerTool`.
`docs/server-tools-port.md` shows one.
"""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, get_args

from antiphon.ports.server_tools import ServerTool
from antiphon.request.tools.server_kinds import CONFIGURED
from antiphon.wire.base import tags
from antiphon.wire.content.blocks import Block, ServerToolUseBlock
from antiphon.wire.tools.definitions import Tool as ToolDefinition

GROUP: Final = "antiphon.server_tools"
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}", re.ASCII)
_TEXTS: Final = ("name", "result_type", "error_type")
_METHODS: Final = ("told", "run", "aclose")
_TYPES_OF_THE_API: Final = tags(ToolDefinition)
_BLOCKS_OF_THE_API: Final = tags(Block)
# What stands in the Literal; the owner's own names come in beside it.
_CALLS_OF_THE_API: Final = frozenset(get_args(ServerToolUseBlock.model_fields["name"].annotation))


class ToolsError(Exception):
    """A tool cannot be offered. The text names it, and says what to do."""


def own_tools(tables: Mapping[str, Mapping[str, Any]]) -> list[ServerTool]:
    """The tools of these tables, in their order. Raises `ToolsError`."""
    # To look through every installed package takes longer than all else that an app without such tools needs.
    found = {point.name: point for point in entry_points(group=GROUP)} if tables else {}
    return [_made(name, table, found) for name, table in tables.items()]


def check_apart(tools: Iterable[ServerTool]) -> None:
    """No two tools answer for one definition or to one name. Raises `ToolsError`."""
    known: list[ServerTool] = []
    for tool in tools:
        for other in known:
            if tool.name == other.name:
                raise ToolsError(f"two server tools are called {tool.name}")
            clash = [one for one in tool.types for two in other.types if one.startswith(two) or two.startswith(one)]
            if clash:
                raise ToolsError(
                    f"the server tools {other.name} and {tool.name} both answer for types like {clash[0]}"
                )
        known.append(tool)


def _made(name: str, table: Mapping[str, Any], found: Mapping[str, EntryPoint]) -> ServerTool:
    place = f"[server_tools.{name}]"
    point = found.get(name)
    if point is None:
        known = ", ".join(["web_search", "web_fetch", *found])
        raise ToolsError(
            f"{place}: no installed package brings a tool of this name (there are: {known}); "
            f"a tool of your own is an entry point of the group {GROUP}"
        )
    try:
        tool: Any = point.load()(table)
    except Exception as problem:  # the owner's own code may raise anything
        raise ToolsError(f"{place}: {point.value} failed: {type(problem).__name__}: {problem}") from problem
    if lacking := _lacking(tool):
        raise ToolsError(f"{place}: {point.value} made no server tool: {lacking}")
    return tool


def _lacking(tool: Any) -> str:
    for attribute in _TEXTS:
        if not isinstance(getattr(tool, attribute, None), str) or not getattr(tool, attribute):
            return f"{attribute} must be a text"
    if not _NAME.fullmatch(tool.name):
        return "name must be 1 to 64 letters, digits, '_' or '-'"
    types: Any = getattr(tool, "types", None)
    if not isinstance(types, tuple) or not types or not all(isinstance(text, str) and text for text in types):  # pyright: ignore[reportUnknownVariableType] - the owner's own code
        return "types must be a tuple of texts"
    if taken := _taken(tool):
        return taken
    missing = [method for method in _METHODS if not callable(getattr(tool, method, None))]
    return f"it lacks {', '.join(missing)}" if missing else ""


def _taken(tool: ServerTool) -> str:
    """What of the tool the API means otherwise: a client would get this tool where it asks for another."""
    if tool.name in CONFIGURED:
        wanted = ((f"{tool.name}_",), f"{tool.name}_tool_result", f"{tool.name}_tool_result_error")
        said = (tool.types, tool.result_type, tool.error_type)
        return "" if said == wanted else f"types, result_type and error_type of a {tool.name} must be the API's"
    if tool.name in _CALLS_OF_THE_API:
        return f"name must not be {tool.name}, which is the API's"
    if tool.result_type in _BLOCKS_OF_THE_API:
        return f"result_type must not be {tool.result_type}, which is the API's"
    for own in tool.types:
        if clash := next((kind for kind in sorted(_TYPES_OF_THE_API) if kind.startswith(own)), None):
            return f"types must not have {own}, which the API's {clash} begins with"
    return ""

"""What the model is told of the client's tools: its own, and those that the API's vendor defines.

A vendor-typed tool comes without a schema; its commands and parameters are published. A toolset stands for several
tools whose calls name the toolset apart from the member. The model sees one name, `computer__left_click`: members of
two toolsets have the same names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from antiphon.dialogue.tools import Tool
from antiphon.ports.server_tools import NO_SERVER_TOOLS, ServerTools
from antiphon.request.tools import browser, computer, files
from antiphon.wire.tools.definitions import (
    Bash20241022,
    Bash20250124,
    BrowserToolset20260801,
    CodeExecution20250522,
    CodeExecution20250825,
    CodeExecution20260120,
    CodeExecution20260521,
    Computer20241022,
    Computer20250124,
    Computer20251124,
    ComputerToolset20260801,
    CustomTool,
    Memory20250818,
    TextEditor20241022,
    TextEditor20250124,
    TextEditor20250429,
    TextEditor20250728,
)
from antiphon.wire.tools.definitions import Tool as WireTool
from antiphon.wire.tools.server import McpTool
from antiphon.wire.tools.toolsets import OFF_BY_DEFAULT

_Toolset = ComputerToolset20260801 | BrowserToolset20260801

_Code = CodeExecution20250522 | CodeExecution20250825 | CodeExecution20260120 | CodeExecution20260521

_NOTHING: Final = ("properties", "required")


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a toolset, as a `tool_use` block names it: `name`, and `toolset_name` beside it."""

    toolset: str
    name: str


def describe(tool: WireTool | McpTool, server_tools: ServerTools = NO_SERVER_TOOLS) -> tuple[Tool, ...]:
    """What the model is told of one entry of `tools`: one tool, a toolset's members, nothing for tools that would run
    in the server and that it does not have."""
    if isinstance(tool, McpTool):
        return (Tool(tool.name, tool.description, tool.input_schema),)
    served = server_tools.answering(tool.type)
    if served:
        return tuple(one.told(settings_of(tool)) for one in served)
    if isinstance(tool, _Toolset):
        family, known = _family(tool)
        return tuple(replace(known[name], name=spoken_name(name, family)) for name in _enabled(tool, known))
    described = _custom(tool) if isinstance(tool, CustomTool) else _typed(tool)
    if described is None:
        return ()
    examples = getattr(tool, "input_examples", None) or ()
    return (replace(described, examples=tuple(examples), strict=getattr(tool, "strict", None) is True),)


def settings_of(definition: WireTool) -> dict[str, Any]:
    """What a server tool's definition says, less what it leaves open."""
    return definition.model_dump(by_alias=True, exclude_none=True, exclude={"cache_control"})


def members(tools: Iterable[WireTool]) -> Mapping[str, Member]:
    """The name that the model calls → the toolset's member that the client is asked for."""
    found: dict[str, Member] = {}
    for tool in tools:
        if isinstance(tool, _Toolset):
            family, known = _family(tool)
            found |= {spoken_name(name, family): Member(family, name) for name in _enabled(tool, known)}
    return found


def unit_of(tool: WireTool | McpTool) -> str | None:
    """The name of what stands for several tools, which are found together; None for a tool by itself."""
    if isinstance(tool, _Code):
        return tool.name
    return _family(tool)[0] if isinstance(tool, _Toolset) else None


def spoken_name(name: str, toolset: str | None) -> str:
    """The name under which the model knows a tool that a `tool_use` block names."""
    return name if toolset is None else f"{toolset}__{name}"


def _custom(tool: CustomTool) -> Tool:
    # The API types these two as nullable, which a schema does not know.
    schema = {key: value for key, value in tool.input_schema.items() if value is not None or key not in _NOTHING}
    return Tool(tool.name, tool.description or "", schema)


def _typed(tool: WireTool) -> Tool | None:
    match tool:
        case Bash20241022() | Bash20250124():
            return files.BASH
        case TextEditor20241022() | TextEditor20250124():
            return files.editor(tool.name, undo=True, insertion="new_str")
        case TextEditor20250429():
            return files.editor(tool.name, undo=False, insertion="new_str")
        case TextEditor20250728():
            return files.editor(tool.name, undo=False, insertion="insert_text", limit=tool.max_characters)
        case Memory20250818():
            return files.MEMORY
        case Computer20241022():
            return computer.computer(tool.display_width_px, tool.display_height_px, tool.display_number, version=1)
        case Computer20250124():
            return computer.computer(tool.display_width_px, tool.display_height_px, tool.display_number, version=2)
        case Computer20251124():
            return computer.computer(
                tool.display_width_px,
                tool.display_height_px,
                tool.display_number,
                version=3,
                zoom=tool.enable_zoom is True,
            )
        case _:
            return None


def _family(tool: _Toolset) -> tuple[str, Mapping[str, Tool]]:
    if isinstance(tool, ComputerToolset20260801):
        return "computer", computer.MEMBERS
    return "browser", browser.MEMBERS


def _enabled(tool: _Toolset, known: Mapping[str, Tool]) -> list[str]:
    configs = tool.configs
    found: list[str] = []
    for name in known:
        config = getattr(configs, name) if configs is not None else None
        enabled = None if config is None else config.enabled
        if enabled if enabled is not None else name not in OFF_BY_DEFAULT:
            found.append(name)
    return found

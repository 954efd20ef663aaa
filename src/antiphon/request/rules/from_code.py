"""Calls that code makes. Source: API reference, Programmatic tool calling; texts as recorded, or of this project."""

from collections.abc import Iterator

from antiphon.request.case import Case, Issue
from antiphon.request.tools.from_code import (
    called_from_code,
    is_for_code,
    is_for_code_alone,
    is_served_to_code,
    runs_cells,
)
from antiphon.schema.documented import is_circular
from antiphon.wire.content.blocks import ServerToolUseBlock, TextBlock, ToolResultBlock, ToolUseBlock
from antiphon.wire.tools.definitions import CustomTool, Tool, ToolChoiceTool
from antiphon.words import shown


def calls_have_their_code(case: Case) -> Issue | None:
    """What called stands in the conversation before the call."""
    before: set[str] = set()
    for item in case.items:
        match item.block:
            case ServerToolUseBlock(id=id_):
                before.add(id_)
            case ToolUseBlock(id=id_, caller=caller) if caller is not None and caller.type != "direct":
                if caller.tool_id not in before:
                    return Issue(
                        f"{item.path}: source tool `{shown(caller.tool_id)}` not found for tool use block "
                        f"`{shown(id_)}`"
                    )
            case _:
                pass
    return None


def results_for_code_are_text(case: Case) -> Issue | None:
    """Code is told texts, and nothing else."""
    made = called_from_code(case)
    for item in case.items if made else ():
        block = item.block
        if isinstance(block, ToolResultBlock) and block.tool_use_id in made and isinstance(block.content, list):
            for position, inner in enumerate(block.content):
                if not isinstance(inner, TextBlock):
                    return Issue(
                        f"{item.path}.tool_result.content.{position}: results of tools that code has called support "
                        "text only"
                    )
    return None


def tools_for_code(case: Case) -> Issue | None:
    """What is asked of a tool that code may call can be kept there."""
    tools = [(path, tool) for path, tool in case.definitions if is_for_code(tool)]
    choice = case.request.tool_choice
    for path, tool in tools:
        if getattr(tool, "strict", None) is True:
            return Issue(f"{path}.strict: strict=true is not supported for tools that code may call")
        if isinstance(tool, CustomTool) and is_circular(tool.input_schema):
            return Issue(f"{path}.custom.input_schema: Circular $ref detected")
        chosen = choice.name if isinstance(choice, ToolChoiceTool) else None
        if is_for_code_alone(tool) and chosen is not None and chosen == getattr(tool, "name", None):
            return Issue(f"tool_choice: '{shown(chosen)}' is not for the model: its allowed_callers lack 'direct'")
    if tools and runs_cells(case) and getattr(choice, "disable_parallel_tool_use", None) is True:
        return Issue(
            "tool_choice.disable_parallel_tool_use: true is not supported with tools that code may call "
            "(allowed_callers)"
        )
    return None


def unbuilt(case: Case) -> Issue | None:
    """A tool that code alone may call, and that it cannot call here."""
    return next(_uncallable(case), None)


def _uncallable(case: Case) -> Iterator[Issue]:
    for n, (path, tool) in enumerate(case.definitions):
        said: list[str] | None = getattr(tool, "allowed_callers", None)
        if not said or "direct" in said:
            continue
        place = f"{path}.allowed_callers"
        served = is_served_to_code(case, tool)
        if not is_for_code_alone(tool) or (_runs_here(case, tool) and not served) or n >= len(case.tools):
            yield Issue(f"{place}: calls from code are not supported by this server yet.")
        elif not runs_cells(case):
            yield Issue(f"{place}: calls from code need the tool code_execution_20260120, or a newer one")
        elif not (served or case.server_tools.calls_from_code):
            yield Issue(
                f"{place}: calls from code are not supported by this server yet.",
                advice="code that waits for its calls waits in one process: it takes a server with one worker",
            )
        elif getattr(tool, "defer_loading", None) is True:
            yield Issue(f"{path}.defer_loading: calls from code of such tools are not supported by this server yet.")


def _runs_here(case: Case, tool: Tool) -> bool:
    return bool(case.server_tools.answering(tool.type)) or tool.type.startswith(("web_", "tool_search", "advisor"))

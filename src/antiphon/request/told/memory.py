"""What a model with the memory tool is told beside the tool itself. Source: API reference, Memory tool."""

from typing import Final

from antiphon.request.case import Case
from antiphon.wire.tools.definitions import Memory20250818

PROTOCOL: Final = (
    "Memory: you have a directory, /memories, that outlives this conversation.\n"
    "1. Before anything else, view /memories with the `memory` tool and read what bears on the task.\n"
    "2. While you work, record progress, decisions and what you found there, so that nothing depends on this "
    "conversation alone.\n"
    "3. Your context may be cleared or reset at any moment. What is not in /memories is lost then.\n"
    "Keep the directory in order: change files that exist rather than adding new ones, and delete what is outdated."
)
"""The addition to the system prompt; the published wording is unknown."""


def remembers(case: Case) -> bool:
    """Whether the request gives the model the memory tool."""
    return any(isinstance(tool, Memory20250818) for tool in case.tools)

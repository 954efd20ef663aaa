"""Calls named `text_editor_code_execution`: files of the container, viewed, written and changed.

Source: API reference, Code execution tool; shapes as recorded.
"""

from collections.abc import AsyncIterator, Mapping
from difflib import unified_diff
from typing import Any, Final

from antiphon.dialogue.tools import Tool
from antiphon.ports.sandbox import Sandbox, SandboxProblem
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.tools.code.places import VERSIONS, at_work

MOST_BYTES: Final = 1024 * 1024
"""Of a file that is viewed or changed."""

_TYPE: Final = "text_editor_code_execution"

_TEXT: Final = {"type": "string"}

_TOLD: Final = Tool(
    _TYPE,
    "Views, creates and changes text files on the machine of bash_code_execution. Paths begin in /workspace.",
    {
        "type": "object",
        "properties": {
            "command": {"type": "string", "enum": ["view", "create", "str_replace"]},
            "path": {"type": "string", "description": "The file."},
            "file_text": {"type": "string", "description": "For create: all of the file's text."},
            "old_str": {"type": "string", "description": "For str_replace: a text that is there once."},
            "new_str": {"type": "string", "description": "For str_replace: what takes its place."},
        },
        "required": ["command", "path"],
        "additionalProperties": False,
    },
)


class Editor:
    """The editor of files."""

    name = _TYPE
    types = VERSIONS
    result_type = "text_editor_code_execution_tool_result"
    error_type = "text_editor_code_execution_tool_result_error"

    def told(self, settings: Mapping[str, Any]) -> Tool:
        """See `ServerTool`."""
        return _TOLD

    async def run(self, call: ServerCall) -> ServerResult:
        """What the command came to. `ToolProblem`."""
        path = _needed(call, "path")
        match call.input.get("command"):
            case "view":
                async with at_work(call) as (_, sandbox):
                    return _viewed(await _read(sandbox, path))
            case "create":
                text = _needed(call, "file_text", empty=True)
                async with at_work(call) as (_, sandbox):
                    before = await _exists(sandbox, path)
                    await _write(sandbox, path, text)
                return ServerResult({"type": f"{_TYPE}_create_result", "is_file_update": before})
            case "str_replace":
                old, new = _needed(call, "old_str"), _needed(call, "new_str", empty=True)
                async with at_work(call) as (_, sandbox):
                    text = await _read(sandbox, path)
                    if (times := text.count(old)) != 1:
                        raise _wrong(f"old_str: it is in the file {times} times, and must be there once")
                    changed = text.replace(old, new)
                    await _write(sandbox, path, changed)
                return ServerResult(_difference(text, changed))
            case _:
                raise _wrong("command: it must be view, create or str_replace")

    async def aclose(self) -> None:
        """See `ServerTool`: nothing was started."""


def _wrong(message: str) -> ToolProblem:
    return ToolProblem("invalid_tool_input", message=message)


def _needed(call: ServerCall, name: str, *, empty: bool = False) -> str:
    value = call.input.get(name)
    if not isinstance(value, str) or not (value or empty) or (name == "path" and "\0" in value):
        raise _wrong(f"{name}: a text is needed")
    return value


async def _exists(sandbox: Sandbox, path: str) -> bool:
    try:
        async for _ in sandbox.get(path, MOST_BYTES):
            return True
    except SandboxProblem as problem:
        return problem.code == "too_large"
    return True


async def _read(sandbox: Sandbox, path: str) -> str:
    data = bytearray()
    try:
        async for chunk in sandbox.get(path, MOST_BYTES):
            data += chunk
    except SandboxProblem as problem:
        if problem.code in ("not_found", "not_a_file"):
            raise ToolProblem("file_not_found", message=f"{path}: no such file") from problem
        if problem.code == "too_large":
            raise _wrong(f"{path}: files of more than {MOST_BYTES} bytes are not read") from problem
        raise
    return data.decode("utf-8", "replace")


async def _write(sandbox: Sandbox, path: str, text: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield text.encode("utf-8", "replace")

    try:
        await sandbox.put(path, chunks())
    except SandboxProblem as problem:
        if problem.code in ("not_found", "not_a_file", "too_large", "full"):
            raise _wrong(f"{path}: it cannot be written") from problem
        raise


def _viewed(text: str) -> ServerResult:
    lines = len(text.splitlines())
    return ServerResult(
        {
            "type": f"{_TYPE}_view_result",
            "file_type": "text",
            "content": text,
            "num_lines": lines,
            "start_line": 1,
            "total_lines": lines,
        }
    )


def _difference(old: str, new: str) -> dict[str, Any]:
    """The first place where two texts differ, and all lines up to the last."""
    lines = list(unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0))
    before, after = [line for line in lines[2:] if line[0] == "-"], [line for line in lines[2:] if line[0] == "+"]
    head = lines[2].split() if len(lines) > 2 else ["@@", "-0", "+0"]
    return {
        "type": f"{_TYPE}_str_replace_result",
        "lines": [*before, *after],
        "old_start": int(head[1][1:].split(",")[0]),
        "old_lines": len(before),
        "new_start": int(head[2][1:].split(",")[0]),
        "new_lines": len(after),
    }

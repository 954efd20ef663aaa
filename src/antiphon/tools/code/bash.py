"""Calls named `bash_code_execution`: a command in the container. Source: API reference, Code execution tool."""

from collections.abc import Mapping
from typing import Any, Final

from antiphon.dialogue.tools import Tool
from antiphon.ports.sandbox import Command
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.tools.code.places import MOST_OUTPUT, VERSIONS, at_work, left_behind

SECONDS: Final = 90.0
"""That a command may take."""

_TOLD: Final = Tool(
    "bash_code_execution",
    "Runs a bash command on a Linux machine of its own, without a network. It begins in /workspace, whose files stay "
    "for later calls; Python 3 is there. Files that the user is to get go into the folder $OUTPUT_DIR, which is new "
    f"and empty for each command. A command may take {SECONDS:g} seconds.",
    {
        "type": "object",
        "properties": {"command": {"type": "string", "description": "The command."}},
        "required": ["command"],
        "additionalProperties": False,
    },
)


class Bash:
    """The shell. `seconds`: that a command may take."""

    name = "bash_code_execution"
    types = VERSIONS
    result_type = "bash_code_execution_tool_result"
    error_type = "bash_code_execution_tool_result_error"

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds

    def told(self, settings: Mapping[str, Any]) -> Tool:
        """See `ServerTool`."""
        return _TOLD

    async def run(self, call: ServerCall) -> ServerResult:
        """What the command printed, and the files that it left. `ToolProblem`."""
        command = call.input.get("command")
        if not isinstance(command, str) or "\0" in command or not command.strip():
            raise ToolProblem("invalid_tool_input", "command: a text is needed")
        asked = Command(("bash", "-c", command), self._seconds, MOST_OUTPUT, outputs=True)
        async with at_work(call) as (container, sandbox):
            done = await sandbox.run(asked)
            if done.killed == "time":
                raise ToolProblem("execution_time_exceeded", f"a command took more than {self._seconds:g} s")
            left = await left_behind(container, sandbox, "bash_code_execution_output")
        said = done.stderr.decode("utf-8", "replace")
        if done.killed is not None:
            said += f"\nkilled: out of {done.killed}\n"
        return ServerResult(
            {
                "type": "bash_code_execution_result",
                "stdout": done.stdout.decode("utf-8", "replace"),
                "stderr": said,
                "return_code": done.return_code,
                "content": left,
            }
        )

    async def aclose(self) -> None:
        """See `ServerTool`: nothing was started."""

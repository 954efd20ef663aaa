"""The API's bash tool: one shell that stays, in the folder where the chat was started."""

from pathlib import Path
from typing import Any

from anthropic.lib.tools import BetaBuiltinFunctionTool, ToolError
from anthropic.lib.tools.agent_toolset import BashSession
from anyio.from_thread import BlockingPortal

TIMEOUT = 120.0
"""Seconds that one command may take."""


class Bash(BetaBuiltinFunctionTool):
    """Runs commands. `portal`: where the shell's process is waited for."""

    def __init__(self, folder: Path, portal: BlockingPortal, timeout: float = TIMEOUT) -> None:
        self._folder = folder
        self._portal = portal
        self._timeout = timeout
        self._shell: BashSession | None = None

    def to_dict(self) -> Any:
        """Its definition, as it is sent."""
        return {"type": "bash_20250124", "name": "bash"}

    def describe(self, given: dict[str, Any]) -> str | None:
        """What a call would run."""
        return None if given.get("restart") else str(given.get("command", ""))

    def call(self, input: Any) -> str:  # noqa: A002 - the SDK's name
        """Run a command; the text is its output, and its exit code where that is not 0."""
        given: dict[str, Any] = input
        if given.get("restart"):
            self.close()
            return "The shell was started anew."
        if not given.get("command"):
            raise ToolError("`command` is missing.")
        shell = self._shell
        if shell is None or shell.closed:
            shell = self._shell = self._portal.call(BashSession.start, self._folder)
        try:
            output, code = self._portal.call(shell.exec, str(given["command"]), self._timeout)
        except TimeoutError as problem:
            raise ToolError(f"The command took longer than {self._timeout:g} seconds; the shell is new.") from problem
        except KeyboardInterrupt:
            self.close()
            raise
        if code != 0:
            raise ToolError(f"{output}\n[exit code {code}]".lstrip())
        return output or "(no output)"

    def close(self) -> None:
        """End the shell."""
        shell, self._shell = self._shell, None
        if shell is not None:
            self._portal.call(shell.close)

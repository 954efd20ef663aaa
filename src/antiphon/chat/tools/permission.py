"""Nothing that a model has thought of runs on this machine before somebody has said yes."""

from collections.abc import Callable
from typing import Any

from anthropic.lib.tools import BetaBuiltinFunctionTool, ToolError

DECLINED = "The user declined to run this."

Ask = Callable[[str, str], str]
"""Shows what a tool is about to do; the answer: `y`, `n`, or `a` for this tool from now on."""


class Permission:
    """Who may run what. `ask` None: nobody is there to be asked, and nothing is allowed unless `always`."""

    def __init__(self, ask: Ask | None, *, always: bool = False) -> None:
        self._ask = ask
        self._always = always
        self._allowed: set[str] = set()

    def check(self, name: str, what: str) -> None:
        """Raises `ToolError`, which the model reads, unless this may be run."""
        if self._always or name in self._allowed:
            return
        if self._ask is None:
            raise ToolError("Nobody is there to be asked whether this may be run; --yes allows it.")
        answer = self._ask(name, what)
        if answer == "a":
            self._allowed.add(name)
        elif answer != "y":
            raise ToolError(DECLINED)


class AskedTool(BetaBuiltinFunctionTool):
    """A tool that runs when it is allowed. `describe`: what a call would do; None where it needs no question."""

    def __init__(self, tool: Any, permission: Permission, describe: Callable[[dict[str, Any]], str | None]) -> None:
        self._tool = tool
        self._permission = permission
        self._describe = describe

    def to_dict(self) -> Any:
        """Its definition, as it is sent."""
        return self._tool.to_dict()

    def call(self, input: Any) -> Any:  # noqa: A002 - the SDK's name
        """Ask, then run."""
        what = self._describe(input)
        if what is not None:
            self._permission.check(self.name, what)
        return self._tool.call(input)

"""The tool `code_execution`: what it stands for, a module a call. All of them work in the reply's container."""

from antiphon.ports.server_tools import ServerTool
from antiphon.tools.code.bash import Bash
from antiphon.tools.code.editor import Editor
from antiphon.tools.code.python import Python


def code_tools() -> tuple[ServerTool, ...]:
    """All calls of the tool, in the order in which the model is told of them."""
    return Bash(), Editor(), Python()

"""A package of an owner's own, installed: a module and its dist-info with an entry point, as an installer leaves them.

`DICE` is the example of docs/server-tools-port.md, to the letter.
"""

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

DICE = """\
import random
from antiphon.dialogue.tools import Tool
from antiphon.ports.server_tools import ServerResult, ToolProblem


class Dice:
    name = "dice"
    types = ("dice_",)
    result_type = "dice_tool_result"
    error_type = "dice_tool_result_error"

    def __init__(self, table):
        self.sides = table.get("sides", 6)

    def told(self, settings):
        return Tool(
            name=self.name,
            description=f"Roll dice with {self.sides} sides each.",
            schema={
                "type": "object",
                "properties": {"count": {"type": "integer", "minimum": 1, "maximum": 100}},
                "required": ["count"],
            },
        )

    async def run(self, call):
        count = call.input.get("count")
        if type(count) is not int or not 1 <= count <= 100:
            raise ToolProblem("invalid_tool_input", "count is no number from 1 to 100")
        rolls = [random.randint(1, self.sides) for _ in range(count)]
        return ServerResult({"type": "dice_result", "rolls": rolls})

    async def aclose(self):
        pass
"""


@contextmanager
def installed(folder: Path, modules: Mapping[str, str], points: Mapping[str, str]) -> Generator[None]:
    """The package, as long as the context is open. `modules`: name → source; `points`: entry point → what it names."""
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    info = folder / "my_tools-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-tools\nVersion: 1.0\n", encoding="utf-8")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[antiphon.server_tools]", *lines, ""]), encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in modules:
            sys.modules.pop(name, None)

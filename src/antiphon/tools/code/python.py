"""Calls named `code_execution`: Python in the container, which goes on from one call to the next in newer versions.

Source: API reference, Code execution tool; Programmatic tool calling.
"""

import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from antiphon.dialogue.tools import Tool
from antiphon.ports.containers import Container
from antiphon.ports.sandbox import Command, Sandbox, SandboxProblem
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.tools.code.places import MOST_OUTPUT, PYTHON_ONLY, WITH_CELLS, at_work, left_behind
from antiphon.tools.code.repl import SECONDS, Calls, Ended, Outcome, Repl, Stopped

MOST_REPLS: Final = 64
"""Pythons that go on at once; whose last call was longest ago ends for a new one."""

_MARK: Final = "/tmp/.python"
"""Which of all Pythons is the container's: one that another process has started since must not come back."""

_ANEW: Final = "Python was started anew: what earlier calls had named is gone, their files are there.\n"

_SCHEMA: Final = {
    "type": "object",
    "properties": {"code": {"type": "string", "description": "The code."}},
    "required": ["code"],
    "additionalProperties": False,
}

_PLACE: Final = (
    "on a Linux machine of its own, without a network. It begins in /workspace, whose files stay for later calls. "
    "Only what is printed is seen. Files that the user is to get go into the folder $OUTPUT_DIR, which is empty when "
    f"a call begins. A call may take {SECONDS:g} seconds."
)

_ALONE: Final = Tool("code_execution", f"Runs Python {_PLACE}", _SCHEMA)

_CELLS: Final = Tool(
    "code_execution",
    f"Runs Python {_PLACE} Variables and imports stay for later calls; `await` may stand anywhere.",
    _SCHEMA,
)


class Python:
    """Python. `seconds`: that a call may take."""

    name = "code_execution"
    types = (PYTHON_ONLY, *WITH_CELLS)
    result_type = "code_execution_tool_result"
    error_type = "code_execution_tool_result_error"

    def __init__(self, seconds: float = SECONDS, most: int = MOST_REPLS) -> None:
        self._seconds = seconds
        self._most = most
        self._repls: OrderedDict[str, Repl] = OrderedDict()

    def told(self, settings: Mapping[str, Any]) -> Tool:
        """See `ServerTool`."""
        return _ALONE if settings.get("type") == PYTHON_ONLY else _CELLS

    async def run(self, call: ServerCall) -> ServerResult:
        """What the code printed, and the files that it left. `ToolProblem`."""
        code = call.input.get("code")
        if not isinstance(code, str) or "\0" in code or not code.strip():
            raise ToolProblem("invalid_tool_input", "code: a text is needed")
        code = code.encode("utf-8", "replace").decode()
        async with at_work(call) as (container, sandbox):
            if call.settings.get("type") == PYTHON_ONLY:
                ended = await self._alone(sandbox, code)
            else:
                ended = await self._cell(container, sandbox, code)
            left = await left_behind(container, sandbox, "code_execution_output")
        return ServerResult({"type": "code_execution_result", **ended.model_dump(), "content": left})

    async def aclose(self) -> None:
        """End what goes on."""
        repls = list(self._repls.values())
        self._repls.clear()
        for repl in repls:
            await repl.aclose()

    async def _alone(self, sandbox: Sandbox, code: str) -> Ended:
        done = await sandbox.run(Command(("python3", "-"), self._seconds, MOST_OUTPUT, code.encode(), outputs=True))
        if done.killed == "time":
            raise ToolProblem("execution_time_exceeded", f"code took more than {self._seconds:g} s")
        said = done.stderr.decode("utf-8", "replace")
        if done.killed is not None:
            said += f"\nkilled: out of {done.killed}\n"
        return Ended(stdout=done.stdout.decode("utf-8", "replace"), stderr=said, return_code=done.return_code & 255)

    async def _cell(self, container: Container, sandbox: Sandbox, code: str) -> Ended:
        id_ = container.id
        assert id_ is not None
        mark = await _read(sandbox)
        repl = self._repls.pop(id_, None)
        if repl is not None and repl.mark == mark:
            try:
                return await self._came_to(id_, repl, await repl.begin(code, {}))
            except SandboxProblem as problem:
                if problem.code != "gone":
                    raise
        if repl is not None:
            await repl.aclose()
        repl = await self._new(sandbox)
        ended = await self._came_to(id_, repl, await repl.begin(code, {}))
        return ended if mark is None else ended.model_copy(update={"stderr": _ANEW + ended.stderr})

    async def _new(self, sandbox: Sandbox) -> Repl:
        mark = secrets.token_hex(8)
        repl = await Repl.start(sandbox, mark, seconds=self._seconds)
        try:
            await sandbox.put(_MARK, _once(mark.encode()))
        except BaseException:
            await repl.aclose()
            raise
        return repl

    async def _came_to(self, id_: str, repl: Repl, outcome: Outcome) -> Ended:
        """What a cell came to. Python goes on where it is still there."""
        match outcome:
            case Ended():
                self._repls[id_] = repl
                while len(self._repls) > self._most:
                    _, oldest = self._repls.popitem(last=False)
                    await oldest.aclose()
                return outcome
            case Calls():
                raise AssertionError("code cannot call what it was not given")
            case Stopped():
                await repl.aclose()
                return self._stopped(outcome)

    def _stopped(self, outcome: Stopped) -> Ended:
        why = "Python has ended, and what calls had named is gone.\n"
        if outcome.killed == "time":
            why = f"detection_timeout: the call took more than {self._seconds:g} seconds. {why}"
        elif outcome.killed is not None:
            why = f"killed: out of {outcome.killed}. {why}"
        said = f"{outcome.stderr.rstrip()}\n{why}" if outcome.stderr.strip() else why
        return Ended(stdout="", stderr=said, return_code=outcome.return_code & 255)


async def _read(sandbox: Sandbox) -> str | None:
    """The mark of the Python that the container has; None: it never had one."""
    try:
        return b"".join([chunk async for chunk in sandbox.get(_MARK, 100)]).decode("utf-8", "replace")
    except SandboxProblem as problem:
        return None if problem.code == "not_found" else ""


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data

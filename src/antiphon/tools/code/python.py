"""Calls named `code_execution`: Python in the container, which goes on from one call to the next in newer versions.

Source: API reference, Code execution tool; Programmatic tool calling.
"""

import asyncio
import logging
import pickle
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, cast

from antiphon.dialogue.tools import Tool
from antiphon.ports.containers import Container
from antiphon.ports.sandbox import Command, Interactive, Sandbox, SandboxProblem
from antiphon.ports.server_tools import CallFromCode, ServerCall, ServerResult, ToolProblem, Waits
from antiphon.tools.code.lending import Borrowed, Lender, borrow
from antiphon.tools.code.places import MOST_OUTPUT, PYTHON_ONLY, WITH_CELLS, at_work, left_behind
from antiphon.tools.code.repl import PATIENCE, SECONDS, Calls, Ended, Outcome, Repl, Stopped

MOST_REPLS: Final = 16
"""Pythons that go on at once; whose last call was longest ago ends for a new one. Each is watched while it is idle,
too, which takes about a fiftieth of a core."""

_LOST: Final = "the code that waited for these results is gone: its process, or its container, has ended"

IDLE: Final = 300.0
"""Seconds behind its last call after which a Python ends: its container's files may be kept for longer."""

_MARK: Final = "/tmp/.python"
"""Which of all Pythons is the container's: one that another process has started since must not come back. `packing`
of containers knows of it."""

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


log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Going:
    """A Python that goes on. `cell`: the id of the call that ran in it last. `waiting`: what that has called and not
    heard of, by the ids of the calls, each as Python knows it. `heard`: what it was answered last, by the ids, and
    `came`: what came of that, for a client that asks again. `anew`: the cell has to be told that names are lost.
    `folders`: those that it saw when it began, and sees for as long as it goes on. `kept`: what the server has
    answered already of calls that were made together with the client's."""

    repl: Repl
    cell: str
    waiting: dict[str, int] = field(default_factory=dict[str, int])
    heard: frozenset[str] = frozenset()
    came: ServerResult | Waits | None = None
    anew: bool = False
    folders: frozenset[str] = frozenset()
    kept: dict[int, str] = field(default_factory=dict[int, str])
    ending: asyncio.TimerHandle | None = None

    def busy(self) -> "_Going":
        """The same, which does not end for being idle."""
        if self.ending is not None:
            self.ending.cancel()
        return self


class Python:
    """Python. `seconds`: that a call may take. `patience`: those that a call from code waits for its answer. `idle`:
    those after which it ends without a call."""

    name = "code_execution"
    types = (PYTHON_ONLY, *WITH_CELLS)
    result_type = "code_execution_tool_result"
    error_type = "code_execution_tool_result_error"

    def __init__(
        self, seconds: float = SECONDS, most: int = MOST_REPLS, patience: float = PATIENCE, idle: float = IDLE
    ) -> None:
        self._seconds = seconds
        self._idle = idle
        self._ends: set[asyncio.Task[None]] = set()
        self._most = most
        self._patience = patience
        self._going: OrderedDict[str, _Going] = OrderedDict()
        self._lender = Lender(self._lent, self._given_back)

    def told(self, settings: Mapping[str, Any]) -> Tool:
        """See `ServerTool`."""
        return _ALONE if settings.get("type") == PYTHON_ONLY else _CELLS

    async def run(self, call: ServerCall) -> ServerResult | Waits:
        """What the code printed, and the files that it left; or what it has called. `ToolProblem`."""
        code = call.input.get("code")
        if not isinstance(code, str) or "\0" in code or not code.strip():
            raise ToolProblem("invalid_tool_input", "code: a text is needed")
        code = code.encode("utf-8", "replace").decode()
        async with at_work(call) as (container, sandbox):
            if call.settings.get("type") == PYTHON_ONLY:
                return await _result(container, sandbox, await self._alone(sandbox, code))
            if call.begun:
                return await self._go_on(container, sandbox, call)
            return await self._begin(container, sandbox, call, code)

    async def aclose(self) -> None:
        """End what goes on."""
        await self._lender.aclose()
        going = list(self._going.values())
        self._going.clear()
        for one in going:
            await one.busy().repl.aclose()
        await asyncio.gather(*self._ends)

    async def _alone(self, sandbox: Sandbox, code: str) -> Ended:
        done = await sandbox.run(Command(("python3", "-"), self._seconds, MOST_OUTPUT, code.encode(), outputs=True))
        if done.killed == "time":
            raise ToolProblem("execution_time_exceeded", f"code took more than {self._seconds:g} s")
        said = done.stderr.decode("utf-8", "replace")
        if done.killed is not None:
            said += f"\nkilled: out of {done.killed}\n"
        return Ended(stdout=done.stdout.decode("utf-8", "replace"), stderr=said, return_code=done.return_code & 255)

    async def _begin(
        self, container: Container, sandbox: Sandbox, call: ServerCall, code: str
    ) -> ServerResult | Waits:
        """Run a cell in the Python that the container has, or in a new one."""
        mark = await _read(sandbox)
        known = await self._take(container)
        if known is not None and known.waiting and known.cell in call.together:
            await self._keep(container, known)
            return Waits()
        # Code that nobody answers any more holds its Python up for nothing.
        if known is not None and self._goes_on(known, container, mark):
            try:
                outcome = await known.repl.begin(code, call.functions)
            except SandboxProblem as problem:
                if problem.code != "gone":
                    raise
            else:
                return await self._came_to(container, sandbox, call, _after(known, call), outcome)
        if known is not None:
            await known.repl.aclose()
        repl = await self._new(sandbox)
        outcome = await repl.begin(code, call.functions)
        going = _Going(repl, call.id, anew=mark is not None, folders=container.folders)
        return await self._came_to(container, sandbox, call, going, outcome)

    def _goes_on(self, known: _Going, container: Container, mark: str | None) -> bool:
        """Whether the container's next cell runs in this Python: it is the container's last, waits for nobody, and
        sees the skills of this reply."""
        return known.repl.mark == mark and not known.waiting and known.folders == container.folders

    async def _go_on(self, container: Container, sandbox: Sandbox, call: ServerCall) -> ServerResult | Waits:
        """Tell code what its calls came to. What it was told before, it is not told again."""
        mark = await _read(sandbox)
        known = await self._take(container)
        if known is None:
            raise ToolProblem("unavailable", _LOST)
        answers = frozenset(call.answers)
        ours = known.cell == call.id and known.repl.mark == mark
        results = {known.waiting[id_]: text for id_, text in call.answers.items() if id_ in known.waiting}
        again = ours and known.came is not None and answers == known.heard
        if again or not ours or not results:
            await self._keep(container, known)
            if not again or known.came is None:
                raise ToolProblem("unavailable", _LOST)
            return known.came
        left = {id_: key for id_, key in known.waiting.items() if id_ not in answers}
        outcome = await known.repl.answer(known.kept | results)
        going = _Going(known.repl, call.id, left, answers, anew=known.anew, folders=known.folders)
        return await self._came_to(container, sandbox, call, going, outcome)

    async def _new(self, sandbox: Sandbox) -> Repl:
        mark = secrets.token_hex(8)
        repl = await Repl.start(sandbox, mark, seconds=self._seconds, patience=self._patience)
        try:
            await sandbox.put(_MARK, _once(mark.encode()))
        except BaseException:
            await repl.aclose()
            raise
        return repl

    async def _came_to(
        self, container: Container, sandbox: Sandbox, call: ServerCall, going: _Going, outcome: Outcome
    ) -> ServerResult | Waits:
        """What the model, or the client, is told of it. Python goes on where it is still there."""
        try:
            outcome = await self._served(container, call, going, outcome)
        except BaseException:
            # Whoever called it hears no more of it.
            await going.repl.aclose()
            raise
        match outcome:
            case Calls(calls=calls):
                new = {call.new_id(): one for one in calls}
                going.waiting |= {id_: one.key for id_, one in new.items()}
                going.came = Waits(tuple(CallFromCode(id_, one.name, one.input) for id_, one in new.items()))
            case Ended():
                going.waiting.clear()
                told = outcome.model_copy(update={"stderr": _ANEW + outcome.stderr}) if going.anew else outcome
                going.came = await _result(container, sandbox, told)
            case Stopped():
                await going.repl.aclose()
                return await _result(container, sandbox, self._stopped(outcome))
        await self._keep(container, going)
        return going.came

    async def _served(self, container: Container, call: ServerCall, going: _Going, outcome: Outcome) -> Outcome:
        """What it comes to once all is answered that the server answers; what is left are calls of the client's."""
        while isinstance(outcome, Calls):
            ours = [one for one in outcome.calls if one.name in call.served]
            theirs = tuple(one for one in outcome.calls if one.name not in call.served)
            texts = await call.serve([(one.name, one.input) for one in ours]) if ours else ()
            answers = {one.key: text for one, text in zip(ours, texts, strict=True)}
            if theirs:
                going.kept = answers
                return Calls(theirs)
            await container.stay()
            outcome = await going.repl.answer(answers)
        return outcome

    async def _take(self, container: Container) -> _Going | None:
        """The container's Python, from this process or from another one of this machine: nobody else has it then."""
        id_ = _id(container)
        known = self._going.pop(id_, None)
        if known is None and container.meeting is not None:
            found = await borrow(Path(container.meeting), id_)
            return None if found is None else _told(*found)
        return None if known is None else known.busy()

    async def _keep(self, container: Container, going: _Going) -> None:
        """Let it go on; where it runs in another process, there."""
        id_, process = _id(container), going.repl.process
        if isinstance(process, Borrowed):
            if not await process.give_back(_telling(going)):
                log.warning("code_execution: the process in which Python went on has ended")
            return
        await self._keep_here(id_, going)
        if container.meeting is not None:
            await self._offer(Path(container.meeting), id_)

    async def _offer(self, folder: Path, id_: str) -> None:
        try:
            await self._lender.offer(folder, id_)
        except OSError as problem:
            log.warning("code_execution: other processes do not find the Python of a container: %s", problem)

    def _lent(self, id_: str) -> tuple[bytes, Interactive] | None:
        """See `Take`."""
        known = self._going.pop(id_, None)
        return None if known is None else (_telling(known.busy()), known.repl.process)

    async def _given_back(self, id_: str, known: bytes, process: Interactive) -> None:
        """See `Keep`."""
        await self._keep_here(id_, _told(known, process))

    async def _keep_here(self, id_: str, going: _Going) -> None:
        self._going[id_] = going
        going.ending = asyncio.get_running_loop().call_later(self._idle, self._end, id_, going)
        while len(self._going) > self._most:
            idle = (one for one, kept in self._going.items() if not kept.waiting)
            oldest = next(idle, next(iter(self._going)))
            self._lender.withdraw(oldest)
            await self._going.pop(oldest).busy().repl.aclose()

    def _end(self, id_: str, going: _Going) -> None:
        """End a Python that nobody has called for long."""
        if self._going.get(id_) is going:
            self._lender.withdraw(id_)
            del self._going[id_]
            task = asyncio.create_task(going.repl.aclose())
            self._ends.add(task)
            task.add_done_callback(self._ends.discard)

    def _stopped(self, outcome: Stopped) -> Ended:
        why = "Python has ended, and what calls had named is gone.\n"
        if outcome.killed == "time":
            why = f"detection_timeout: the call took more than {self._seconds:g} seconds. {why}"
        elif outcome.killed is not None:
            why = f"killed: out of {outcome.killed}. {why}"
        said = f"{outcome.stderr.rstrip()}\n{why}" if outcome.stderr.strip() else why
        return Ended(stdout="", stderr=said, return_code=outcome.return_code & 255)


def _id(container: Container) -> str:
    id_ = container.id
    assert id_ is not None, "it was entered"
    return id_


def _telling(going: _Going) -> bytes:
    """What another process has to know of it."""
    return pickle.dumps((going.repl.known, replace(going, repl=cast("Repl", None), ending=None)))


def _told(known: bytes, process: Interactive) -> _Going:
    """It, as another process has told of it."""
    repl, going = pickle.loads(known)
    return replace(going, repl=Repl.of(repl, process))


def _after(known: _Going, call: ServerCall) -> _Going:
    """The same Python, at its next cell."""
    return _Going(known.repl, call.id, folders=known.folders)


async def _result(container: Container, sandbox: Sandbox, ended: Ended) -> ServerResult:
    left = await left_behind(container, sandbox, "code_execution_output")
    return ServerResult({"type": "code_execution_result", **ended.model_dump(), "content": left})


async def _read(sandbox: Sandbox) -> str | None:
    """The mark of the Python that the container has; None: it never had one."""
    try:
        return b"".join([chunk async for chunk in sandbox.get(_MARK, 100)]).decode("utf-8", "replace")
    except SandboxProblem as problem:
        return None if problem.code == "not_found" else ""


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data

"""Runs of the server's own tools: at the same time, in bounded time, and each with a result whatever happens.

A tool is somebody else's code over somebody else's network. What it raises, returns or does not return never ends a
reply: the call gets its documented error block, the owner's log the reason. Source: API reference, Server tools.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, cast

import orjson
from msgspec.structs import replace

from antiphon.config import TurnLimits
from antiphon.dialogue.events import CodeCall, ReplyEvent, ServerAnswer
from antiphon.ports.containers import Container
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem, Waits, serves_nothing
from antiphon.request.tools.from_code import CODE
from antiphon.request.tools.server_calls import Offered
from antiphon.request.tools.server_kinds import COUNTERS, SANDBOXED, tool_of
from antiphon.service.reply.admission import Admission, without_pictures
from antiphon.service.reply.served_calls import Ran, ServedCalls
from antiphon.service.tracing import TRACE
from antiphon.wire.content.blocks import McpToolUseBlock, ServerToolUseBlock
from antiphon.wire.reply import ReplyMcpToolUse, ReplyServerToolUse

MOST_BYTES: Final = 8 * 1024 * 1024
"""Of one result as it travels; no window of a model holds more."""

GRACE: Final = 1.0
"""Seconds that a cancelled tool gets to stop before nobody waits for it any more."""

_CUT: Final = "\n[cut: the rest does not fit]\n"

_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "invalid_tool_input": "The input of the call breaks off: it is not a whole JSON object.",
        "content_too_large": "The tool's result is too large.",
        "unavailable": "The tool did not answer.",
    }
)

_FULL: Final = "the result does not fit into what is left of the model's window"

_SAYING_WHY: Final = ("tool_search_tool_result_error", "text_editor_code_execution_tool_result_error")

log = logging.getLogger(__name__)

Call = ReplyServerToolUse | ServerToolUseBlock | ReplyMcpToolUse | McpToolUseBlock

OnHosts = Callable[[str, str], Offered]
"""What runs a tool of an MCP server: the server's name and the tool's."""

Fits = Callable[[ServerAnswer], Awaitable[bool]]
"""Whether an answer leaves the model room to go on."""


@dataclass(frozen=True, slots=True)
class ServerTurn:
    """What calls of one round are answered with: the tools, by name, and what admits their results. `new_call_id`:
    makes the id of a call of the client's that code makes, `new_served_id` that of one of the server's. `hosts`:
    those of MCP servers."""

    tools: Mapping[str, Offered]
    admit: Admission
    new_call_id: Callable[[], str]
    container: Container | None = None
    hosts: OnHosts | None = None
    new_served_id: Callable[[], str] = str

    def offered(self, call: Call) -> Offered:
        """What answers the call."""
        if isinstance(call, ReplyMcpToolUse | McpToolUseBlock):
            assert self.hosts is not None
            return self.hosts(call.server_name, call.name)
        return self.tools[call.name]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A run that has not come to an end: its code has called, or other code comes first."""

    calls: tuple[CodeCall, ...]


class ToolRuns:
    """The runs of one reply. `counts`: how often its tools ran, as usage tells it; None before the first call.
    `called`: what code has called that waits for the client now; the reply ends with it. `late`: whether the reply
    has taken so long that code is answered no more."""

    def __init__(self, limits: TurnLimits, late: Callable[[], bool] = lambda: False) -> None:
        self._limits = limits
        self._late = late
        self._seen: list[tuple[str, Any]] = []
        self._uses: Counter[str] = Counter()
        self.counts: dict[str, int] | None = None
        self.called: tuple[CodeCall, ...] = ()

    async def answers(
        self, turn: ServerTurn, calls: Sequence[Call], fits: Fits, *, broken: Collection[str] = ()
    ) -> AsyncGenerator[ReplyEvent]:
        """What the calls come to, in their order, each as soon as it and those before it are there; before that of
        code what the code has called, and what that came to.

        `broken`: ids of calls that break off, and are not run. Closing the generator cancels what still runs.
        """
        self.counts = self.counts or dict.fromkeys(COUNTERS, 0)
        whole = frozenset(call.id for call in calls if call.id not in broken)
        served = {call.id: self._served(turn, call) for call in calls if call.id in whole}
        runs = {
            call.id: asyncio.create_task(self._told(turn, call, whole, served[call.id]))
            for call in calls
            if call.id in whole
        }
        try:
            for call in calls:
                if call.id in broken:
                    yield await self._failed(turn, call, "invalid_tool_input", "the call breaks off")
                    continue
                async for event in served[call.id].happened():
                    yield event
                ran = await runs[call.id]
                if isinstance(ran, _Waiting):
                    self.called += ran.calls
                else:
                    answer = await self._fitting(turn, call, ran, fits)
                    yield self._hidden(turn, call, answer, served[call.id])
        finally:
            await _stop(tuple(runs.values()))

    def _served(self, turn: ServerTurn, call: Call) -> ServedCalls:
        """What answers the calls of the server's tools that the call makes, should it be one of code."""

        async def run(made: ReplyServerToolUse) -> Ran:
            if self._late():
                return Ran(await self._failed(turn, made, "unavailable", "the reply has taken too long"))
            ran = await self._followed(turn, made, frozenset(), None)
            assert isinstance(ran, Ran), "no tool of the server's but code waits"
            if ran.result is not None:
                self._count(ran.result)
                self._seen.append((made.name, ran.result.content))
            return ran

        excluded = {name for name, one in turn.tools.items() if one.settings.get("response_inclusion") == "excluded"}
        return ServedCalls(call.id, turn.new_served_id, run, frozenset(excluded))

    async def _told(
        self, turn: ServerTurn, call: Call, together: frozenset[str], served: ServedCalls
    ) -> "Ran | _Waiting":
        """The run, whose end is the end of what it calls."""
        paused = False
        try:
            ran = await self._followed(turn, call, together, served)
            paused = isinstance(ran, _Waiting)
        finally:
            served.end(paused=paused)
        return ran

    def _hidden(self, turn: ServerTurn, call: Call, answer: ServerAnswer, served: ServedCalls) -> ServerAnswer:
        """The answer as the client gets it: what code prints that has searched is for the model alone."""
        if call.name != CODE or not (served.searched or turn.admit.has_searched(call.id)):
            return answer
        return replace(answer, content=turn.admit.hidden(call.id, answer.content))

    async def _fitting(self, turn: ServerTurn, call: Call, ran: Ran, fits: Fits) -> ServerAnswer:
        """The answer, or of a search what fits of it, or the error that says that it does not fit."""
        answer = ran.answer
        while ran.result is not None and not await fits(answer):
            shorter = _shorter(answer)
            if shorter is None:
                listed = answer.kind == "web_search_tool_result"
                return await self._failed(turn, call, "request_too_large" if listed else "content_too_large", _FULL)
            answer = shorter
        if ran.result is not None:
            self._count(ran.result)
        return answer

    async def _followed(
        self, turn: ServerTurn, call: Call, together: frozenset[str], served: ServedCalls | None
    ) -> Ran | _Waiting:
        """The run, as a part of its request's trace."""
        trace = TRACE.get()
        if trace is None:
            return await self._ran(turn, call, together, served)
        part, problem = trace.tool(call.id, call.name, call.input), "cancelled"
        try:
            ran = await self._ran(turn, call, together, served)
            problem = _problem(ran)
        finally:
            part.end(problem)
        return ran

    async def _ran(
        self, turn: ServerTurn, call: Call, together: frozenset[str], served: ServedCalls | None
    ) -> Ran | _Waiting:
        offered = turn.offered(call)
        tool = offered.tool
        try:
            result = await self._run(turn, offered, call, together, served)
            if isinstance(result, Waits):
                return _Waiting(tuple(CodeCall(one.id, one.name, one.input, call.id) for one in result.calls))
            size = len(orjson.dumps(result.content))
            if size > MOST_BYTES:
                raise ToolProblem("content_too_large", f"{size} bytes are more than a result may have")
            content = await turn.admit(tool.result_type, call.id, result.content)
            if content is None:
                raise ToolProblem("unavailable", "what the tool returned is no such result")
            _counted(result)
        except ToolProblem as problem:
            return Ran(await self._failed(turn, call, problem.code, str(problem), problem.message))
        except Exception as problem:
            log.exception("%s failed: %s", call.name, problem)
            return Ran(await self._failed(turn, call, "unavailable"))
        # The API has nothing but text there, and clients take nothing else.
        said = without_pictures(content) if tool.result_type == "mcp_tool_result" else content
        return Ran(ServerAnswer(call.id, tool.result_type, said, None if said == content else content), result)

    async def _run(
        self, turn: ServerTurn, offered: Offered, call: Call, together: frozenset[str], served: ServedCalls | None
    ) -> ServerResult | Waits:
        self._uses[call.name] += 1
        most: object = offered.settings.get("max_uses")
        if isinstance(most, int) and self._uses[call.name] > most:
            raise ToolProblem("max_uses_exceeded", f"max_uses of the request is {most}")
        answers, functions = offered.answers(call.id), offered.functions()
        seen = offered.seen().union(*(offered.sees(name, content) for name, content in self._seen))
        asked = ServerCall(
            call.id, call.name, call.input, offered.settings, seen, offered.searchable(), turn.container,
            functions, answers.texts, answers.begun, together, turn.new_call_id,
            frozenset(functions.values()) & turn.tools.keys(), serves_nothing if served is None else served.serve,
        )  # fmt: skip
        run = asyncio.create_task(offered.tool.run(asked))
        try:
            # A container bounds its commands by itself.
            seconds = None if tool_of(call.name) in SANDBOXED else self._limits.tool_seconds
            done, _ = await asyncio.wait((run,), timeout=seconds)
        finally:
            # A tool that does not let itself be cancelled must not hold up the reply.
            await _stop((run,))
        if not done:
            raise ToolProblem("unavailable", f"no result within {self._limits.tool_seconds:g} s")
        if run.cancelled():
            raise ToolProblem("unavailable", "the tool cancelled itself")
        return run.result()

    async def _failed(
        self, turn: ServerTurn, call: Call, code: str, reason: str = "", message: str | None = None
    ) -> ServerAnswer:
        """The error as an answer; one that the API does not have for this tool is another one's."""
        if reason:
            log.warning("%s: %s", call.name, reason)
        tool = turn.offered(call).tool
        if tool.result_type == "mcp_tool_result":
            return ServerAnswer(call.id, tool.result_type, failed(message or _WORDS.get(code, code)))
        told = {"type": tool.error_type, "error_code": code}
        if tool.error_type in _SAYING_WHY:
            told["error_message"] = message or code
        admitted = await turn.admit(tool.result_type, call.id, told)
        content = admitted if admitted is not None else {**told, "error_code": "unavailable"}
        return ServerAnswer(call.id, tool.result_type, content)

    def _count(self, result: ServerResult) -> None:
        assert self.counts is not None
        for name, times in _counted(result).items():
            self.counts[name] += times


def _problem(ran: Ran | _Waiting) -> str | None:
    """The code of the error that a run came to; None where it came to none."""
    if isinstance(ran, _Waiting) or ran.result is not None:
        return None
    content: object = ran.answer.content
    code = cast("Mapping[str, Any]", content).get("error_code") if isinstance(content, Mapping) else None
    return code if isinstance(code, str) else "unavailable"


def failed(said: str) -> dict[str, Any]:
    """What a call of a tool of an MCP server came to that came to nothing."""
    return {"is_error": True, "content": [{"type": "text", "text": said}]}


def _shorter(answer: ServerAnswer) -> ServerAnswer | None:
    """The answer with one finding less; None where there is none to take away."""
    match answer.kind, answer.content:
        case "web_search_tool_result", [*hits, _] if hits:
            return replace(answer, content=hits)
        case "tool_search_tool_result", {"tool_references": [*references, _], **rest} if references:
            return replace(answer, content={**rest, "tool_references": references})
        case kind, {"stdout": str(out), "stderr": str(err), **rest} if kind.endswith("code_execution_tool_result"):
            longer = max(len(out), len(err))
            if longer <= len(_CUT):
                return None
            cut = (
                {"stdout": _halved(out), "stderr": err}
                if longer == len(out)
                else {"stdout": out, "stderr": _halved(err)}
            )
            return replace(answer, content={**rest, **cut})
        case _:
            return None


def _halved(text: str) -> str:
    return text[: (len(text) - len(_CUT)) // 2] + _CUT


def _counted(result: ServerResult) -> dict[str, int]:
    return {name: max(0, int(result.counts.get(name, 0))) for name in COUNTERS}


async def _stop(runs: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel what runs still, and see that nobody is told of an exception that nobody waited for."""
    running = [run for run in runs if not run.done()]
    for run in running:
        run.cancel()
    if running:
        _, stubborn = await asyncio.wait(running, timeout=GRACE)
        for run in stubborn:
            log.error("a tool does not stop although it was cancelled: %r", run)
            run.add_done_callback(_forget)
    for run in runs:
        if run.done():
            _forget(run)


def _forget(run: asyncio.Task[Any]) -> None:
    if not run.cancelled():
        run.exception()

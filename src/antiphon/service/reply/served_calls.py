"""Calls of the server's own tools that code makes while it runs: answered at once, told to the client as they happen,
and never to the model, which sees what the code prints.

Source: API reference, Web search tool, dynamic filtering; recorded replies.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from msgspec.structs import replace

from antiphon.dialogue.events import CodeCall, ReplyEvent, ServerAnswer
from antiphon.ports.server_tools import ServerResult, ToolProblem
from antiphon.wire.reply import CodeCaller, ReplyServerToolUse

MOST: Final = 100
"""Calls that one piece of code may make."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of a tool came to; `result` is None for an error."""

    answer: ServerAnswer
    result: ServerResult | None = None


class ServedCalls:
    """Those of one piece of code. `code`: the id of its own call. `new_id`: makes the id of a call. `run`: runs one.
    `excluded`: names of tools whose calls are left out of the reply, once the code has heard of them and ended."""

    def __init__(
        self,
        code: str,
        new_id: Callable[[], str],
        run: Callable[[ReplyServerToolUse], Awaitable[Ran]],
        excluded: frozenset[str],
    ) -> None:
        self._code = code
        self._new_id = new_id
        self._run = run
        self._excluded = excluded
        self._made = 0
        self._held: list[ReplyEvent] = []
        self._happened: asyncio.Queue[ReplyEvent | None] = asyncio.Queue()
        self.searched = False

    async def serve(self, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> Sequence[str]:
        """Run these at the same time; what the code is told of each. `ToolProblem`: these are too many."""
        self._made += len(calls)
        if self._made > MOST:
            raise ToolProblem("too_many_requests", f"code calls more than {MOST} times")
        return await asyncio.gather(*(self._answered(name, given) for name, given in calls))

    def end(self, *, paused: bool) -> None:
        """The code has ended, or waits for the client: then nothing that it has done may be left out."""
        if paused:
            for event in self._held:
                self._happened.put_nowait(event)
        self._happened.put_nowait(None)

    async def happened(self) -> AsyncGenerator[ReplyEvent]:
        """What is to be told, as it happens, until the end."""
        while (event := await self._happened.get()) is not None:
            yield event

    async def _answered(self, name: str, given: Mapping[str, Any]) -> str:
        by = CodeCaller(tool_id=self._code)
        call = ReplyServerToolUse(id=self._new_id(), name=name, input=dict(given), caller=by)
        ran = await self._run(call)
        self.searched = self.searched or name == "web_search"
        pair = CodeCall(call.id, name, given, self._code, server=True), replace(ran.answer, code=self._code)
        if name in self._excluded:
            self._held += pair
        else:
            for event in pair:
                self._happened.put_nowait(event)
        return orjson.dumps(ran.answer.content if ran.result is None else _readable(ran.result.content)).decode()


def _readable(content: Any) -> Any:
    """A result as code reads it: the texts of pages that were found are no secret to it."""
    if not isinstance(content, list):
        return content
    pages = cast("list[dict[str, Any]]", content)
    return [
        {("content" if key == "encrypted_content" else key): value for key, value in page.items()} for page in pages
    ]

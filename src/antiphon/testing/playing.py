"""Planned replies on the server's own road: a request is judged as always, and then the test's words are sent.

Only the model is left out. What is refused, how tokens are counted, how thoughts are shown and sealed, the order of
a stream's events: all that is the server's.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from antiphon.dialogue.events import (
    Begun,
    CallArguments,
    CallEnd,
    CallStart,
    Charge,
    Finish,
    ReplyEvent,
    ServerAnswer,
    StopReason,
    TextDelta,
)
from antiphon.dialogue.tools import Tool
from antiphon.engines.scripted.memory import ReadPrompts
from antiphon.engines.scripted.tokenizer import pieces
from antiphon.errors import InvalidRequest
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.request.sealed.found import bound_to
from antiphon.seals import NONCE_BYTES, Seals
from antiphon.service.messages import MessageService, Prepared
from antiphon.service.reply.reply import Reply
from antiphon.service.reply.stretches import Batches
from antiphon.service.reply.telling import Run
from antiphon.service.reply.work import Work
from antiphon.testing.dice import CountingEntropy
from antiphon.testing.plan import Plan, Planned, UnexpectedRequest
from antiphon.testing.said import Ending, Said, Thought, ToolCall, WebSearch
from antiphon.wire.base import WireContext
from antiphon.wire.reply import TokenCount

SEARCH: Final = "web_search"


class HangUp(BaseException):
    """The connection is to be closed. No `Exception`: the server answers those."""


@dataclass(frozen=True, slots=True)
class Player:
    """Makes replies of plans. `read`: the prompts of late, so that usage tells what a cache would have had of them.
    `told`: hears of what no reply was planned for."""

    plan: Plan
    seals: Seals
    dice: CountingEntropy
    read: ReadPrompts
    told: Callable[[UnexpectedRequest], None]

    def reply_to(self, prepared: Prepared, body: bytes) -> Prepared:
        """The request with the planned reply. Raises `ApiError`."""
        try:
            planned = self.plan.take(json.loads(body))
            if planned.error is None:
                _check_calls(planned, prepared.work)
        except UnexpectedRequest as unexpected:
            self.told(unexpected)
            # No status that an SDK tries again.
            raise InvalidRequest(f"antiphon.testing: {unexpected}") from None
        if planned.error is not None:
            raise planned.error
        given = {name: getattr(prepared, name) for name in Prepared.__struct_fields__}
        return _Planned(**given, planned=planned, player=self)

    async def happenings(self, planned: Planned, work: Work) -> Batches:
        """What happens in a planned reply, in batches as they come to be."""
        charge = await self._charge(work)
        if charge is not None:
            yield [Begun(charge)]
        if planned.delay:
            await asyncio.sleep(planned.delay)
        counts, chunks = _Counts(), 0
        for said in planned.said:
            async for batch in self._tell(said, work, counts):
                if planned.ending is not None and chunks == planned.ending.after:
                    await _end(planned.ending)
                yield batch
                chunks += 1
                if planned.chunk_delay:
                    await asyncio.sleep(planned.chunk_delay)
        if planned.ending is not None:
            await _end(planned.ending)
        called = any(isinstance(said, ToolCall) for said in planned.said)
        reason: StopReason = planned.stop_reason or ("tool_use" if called else "end_turn")
        yield [
            Finish(
                reason,
                counts.written,
                stop_sequence=planned.stop_sequence,
                stop_details=planned.stop_details,
                thinking_tokens=None if work.telling is None else counts.thought,
                charge=charge,
                tool_uses={"web_search_requests": counts.searches} if counts.searches else None,
            )
        ]

    async def _charge(self, work: Work) -> Charge | None:
        known = self.read.known(work.prompt.tokens)
        self.read.add(work.prompt.tokens)
        return None if work.marked is None else await work.marked.begin(known)

    async def _tell(self, said: Said, work: Work, counts: "_Counts") -> AsyncGenerator[list[ReplyEvent]]:
        match said:
            case str():
                for text in pieces(said):
                    counts.written += 1
                    yield [TextDelta(text)]
            case Thought():
                if work.telling is None:
                    return
                run, tokens = Run(work.telling), pieces(said.text)
                for number, text in enumerate(tokens, 1):
                    yield run.add(text, number)
                async for batch in run.end(len(tokens)):
                    yield batch
                counts.written += len(tokens)
                counts.thought += len(tokens)
            case ToolCall():
                yield [CallStart(work.new_call_id(), said.name)]
                for text in pieces(json.dumps(dict(said.input))):
                    counts.written += 1
                    yield [CallArguments(text)]
                yield [CallEnd()]
            case WebSearch():
                counts.searches += 1
                for batch in self._search(said, f"srv{work.new_call_id()}"):
                    counts.written += 1
                    yield batch

    def _search(self, said: WebSearch, id_: str) -> list[list[ReplyEvent]]:
        found = [
            {
                "type": "web_search_result",
                "url": page.url,
                "title": page.title,
                "encrypted_content": self.seals.seal_found(
                    page.text, bound_to(page.url, page.title), self.dice.bytes(NONCE_BYTES)
                ),
                "page_age": None,
            }
            for page in said.pages
        ]
        return [
            [CallStart(id_, SEARCH, server=True)],
            [CallArguments(json.dumps({"query": said.query}))],
            [CallEnd()],
            [ServerAnswer(id_, "web_search_tool_result", found)],
        ]


class PlannedMessages(MessageService):
    """The Messages use cases, with planned replies. `inner`: who judges the requests."""

    def __init__(self, inner: MessageService, player: Player) -> None:
        self._inner = inner
        self._player = player

    async def prepare(self, body: bytes, context: WireContext) -> Prepared:
        """Check a request, and find the reply that was planned for it."""
        prepared = await self._inner.prepare(body, context)
        try:
            return self._player.reply_to(prepared, body)
        except BaseException:
            await prepared.aclose()
            raise

    async def count(self, body: bytes, context: WireContext) -> TokenCount:
        """The `input_tokens` that the same request would be charged."""
        return await self._inner.count(body, context)


class OfferedSearch:
    """A web search that requests may offer; what it finds is planned."""

    name: str = SEARCH
    types: tuple[str, ...] = ("web_search_",)
    result_type: str = "web_search_tool_result"
    error_type: str = "web_search_tool_result_error"

    def told(self, settings: Mapping[str, Any]) -> Tool:
        """What a prompt says of it."""
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {"query": {"type": "string"}},
            "required": ["query"],
        }
        return Tool(self.name, "Search the web.", schema)

    async def run(self, call: ServerCall) -> ServerResult:
        """Never asked: no model is."""
        raise ToolProblem("unavailable", "replies are planned")

    async def aclose(self) -> None:
        """Nothing to stop."""


class _Planned(Prepared, frozen=True, kw_only=True):
    planned: Planned
    player: Player

    def reply(self) -> Reply:
        happenings = self.player.happenings(self.planned, self.work)
        return Reply(self.work, happenings, self.turn, self.passed, whole=not self.stream)


@dataclass(slots=True)
class _Counts:
    written: int = 0
    thought: int = 0
    searches: int = 0


async def _end(ending: Ending) -> None:
    if ending.error is not None:
        raise ending.error
    if ending.kind == "hangs":
        await asyncio.Event().wait()
    # What was written before is sent: it goes out before anybody waits.
    await asyncio.sleep(0)
    raise HangUp


def _check_calls(planned: Planned, work: Work) -> None:
    offered = {tool.name for tool in work.task.conversation.offered}
    for said in planned.said:
        name = said.name if isinstance(said, ToolCall) else SEARCH if isinstance(said, WebSearch) else None
        if name is not None and name not in offered:
            raise UnexpectedRequest(f"the planned reply calls {name!r}, and the request offers {sorted(offered)}")

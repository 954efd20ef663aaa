"""A reply in rounds: the model calls tools that the server runs, reads what they found, and goes on.

What a round adds is put behind the conversation as if the client had sent it back, and told to the model on the same
road: a reply that is paused and sent back goes on from the very prompt that it would have gone on from anyway.

A round with a client's tool in it ends the reply: its server calls wait until the client has answered. So does code
that has called such a tool: it goes on in the reply to what the client answers. Source: API reference, Server tools;
Stop reasons; Programmatic tool calling.
"""

from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from msgspec.structs import replace

from antiphon.config import TurnLimits
from antiphon.dialogue.events import (
    Begun,
    CallEnd,
    CallStart,
    Charge,
    Finish,
    Iteration,
    IterationKind,
    ReplyEvent,
    ServerAnswer,
    StopReason,
)
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.ids import ENTROPY_BYTES, Prefix, make_id
from antiphon.ports.mcp import McpConnector
from antiphon.request.asked import Asked
from antiphon.request.continued import continued
from antiphon.request.task import told
from antiphon.request.told.thinking import ANSWER
from antiphon.service.intake import Intake
from antiphon.service.media.intake import MediaIntake
from antiphon.service.reply.admission import Admission
from antiphon.service.reply.hosts import Hosts
from antiphon.service.reply.planner import Planner
from antiphon.service.reply.stretches import Batches, Stretches
from antiphon.service.reply.tool_runs import Call, ServerTurn, ToolRuns
from antiphon.service.reply.work import Work
from antiphon.stream.blocks import result_block
from antiphon.stream.encoder import Encoder
from antiphon.stream.fold import Folder
from antiphon.wire.reply import ReplyBlock, ReplyMcpToolResult, ReplyMcpToolUse, ReplyServerToolUse, ReplyToolUse
from antiphon.wire.request import CreateMessage


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every reply of a server is made with. `limits`: how long one may work with the server's own tools. `mcp`:
    the way to MCP servers; None: there is none."""

    intake: Intake
    planner: Planner
    media: MediaIntake
    limits: TurnLimits
    mcp: McpConnector | None = None


def replies(work: Work, shop: Workshop, *, itemized: bool = False) -> Batches:
    """The events of an answer in batches; the last of all is the reply's one `Finish`. Raises the engine's faults,
    and `ApiError`. `itemized`: its usage is told round by round, also where the task does not ask for that."""
    itemized = itemized or work.task.itemized
    # A request for nothing at all only reads the prompt.
    if work.asked is None or work.task.limits.max_tokens == 0:
        return _single(work) if itemized else Stretches(work).run()
    return Rounds(work, work.asked, shop, itemized=itemized).run()


async def _single(work: Work) -> Batches:
    async with aclosing(Stretches(work).run()) as batches:
        async for batch in batches:
            yield [
                replace(event, iterations=(spent("message", work, event),)) if isinstance(event, Finish) else event
                for event in batch
            ]


class Rounds:
    """Makes one reply's events; `run` once. Closing the generator cancels the tools that run.

    `asked`: what the reply answers, to which each round adds.
    """

    def __init__(self, work: Work, asked: Asked[CreateMessage], shop: Workshop, *, itemized: bool) -> None:
        self._work = work
        self._asked = asked
        self._shop = shop
        self._itemized = itemized
        self._runs = ToolRuns(shop.limits, lambda: self._is_late)
        self._said = _Said(work)
        self._started = shop.planner.clock.now()
        self._spent: list[Iteration] = []
        self._thought: int | None = None if work.telling is None else 0
        self._hosts = Hosts(asked.case, shop.mcp)

    async def run(self) -> Batches:
        """The events in batches as they come to be."""
        try:
            async with aclosing(self._rounds()) as batches:
                async for batch in batches:
                    yield batch
        finally:
            await self._hosts.aclose()

    async def _rounds(self) -> Batches:
        waiting = self._work.task.waiting
        if waiting:
            stretches = Stretches(self._work)
            async with aclosing(self._answer(waiting, stretches)) as batches:
                async for batch in batches:
                    yield batch
            if self._runs.called:
                yield [*self._runs.called, await self._unasked()]
                return
            await self._go_on(stretches, answered=False)
        rounds = 0
        while True:
            stretches = Stretches(self._work)
            ended: Finish | None = None
            async with aclosing(stretches.run()) as batches:
                async for batch in batches:
                    passed, ended = self._passed(batch)
                    if passed:
                        yield passed
            assert ended is not None
            self._add(ended)
            calls = self._calls()
            if not calls:
                yield [await self._finish(ended)]
                return
            # Also where the reply ends here: whatever the client says next, no call is left without its result.
            async with aclosing(self._answer(calls, stretches)) as batches:
                async for batch in batches:
                    yield batch
            if self._runs.called:
                yield [*self._runs.called, await self._finish(ended, "tool_use")]
                return
            if ended.reason != "tool_use" or not self._left:
                yield [await self._finish(ended, "max_tokens" if ended.reason == "tool_use" else None)]
                return
            rounds += 1
            if rounds >= self._shop.limits.rounds or self._is_late:
                yield [await self._finish(ended, "pause_turn")]
                return
            await self._go_on(stretches, answered=True)

    @property
    def _left(self) -> int:
        return max(0, self._work.task.limits.max_tokens - self._spent[-1].output_tokens)

    @property
    def _is_late(self) -> bool:
        return self._shop.planner.clock.now() - self._started >= self._shop.limits.turn_seconds

    def _passed(self, batch: Sequence[ReplyEvent]) -> tuple[list[ReplyEvent], Finish | None]:
        """The events as the client gets them, less the round's end."""
        passed: list[ReplyEvent] = []
        for event in batch:
            if isinstance(event, Finish):
                return passed, event
            if isinstance(event, Begun):
                passed.append(event)
                continue
            for one in self._begun(event) if isinstance(event, CallStart) else (event,):
                self._said.add(one)
                passed.append(one)
        return passed, None

    def _begun(self, call: CallStart) -> Iterator[ReplyEvent]:
        """The call as it is said: whose it is to answer, and before the first of an MCP server what tools it has."""
        task = self._work.task
        if call.toolset is None and call.name in task.tools:
            yield CallStart(self._new_id("srvtoolu_"), call.name, server=True)
        elif call.toolset is None and (tool := task.mcp.get(call.name)) is not None:
            # Behind a call of the client's nothing but calls may stand.
            listing = None if self._said.calls_a_client else self._hosts.untold(tool.server_name)
            if listing is not None:
                yield listing
            yield CallStart(self._new_id("mcptoolu_"), tool.own_name, server=True, host=tool.server_name)
        else:
            yield call

    def _calls(self) -> list[ReplyServerToolUse | ReplyMcpToolUse]:
        """The calls that the round ends with, if they are the server's to answer."""
        made = self._said.content()
        if any(isinstance(block, ReplyToolUse) for block in made):
            return []
        return [block for block in made if isinstance(block, ReplyServerToolUse | ReplyMcpToolUse)]

    def _new_id(self, prefix: Prefix) -> str:
        return make_id(prefix, self._shop.planner.entropy.bytes(ENTROPY_BYTES))

    async def _answer(self, calls: Sequence[Call], stretches: Stretches) -> Batches:
        room = self._work.window - min(ANSWER, self._work.window // 8)
        planner = self._shop.planner
        admit = Admission(self._asked.case, self._shop.media, planner.seals, planner.entropy)
        new_call_id, container = self._work.new_call_id, self._asked.container
        turn = ServerTurn(
            self._work.task.tools,
            admit,
            new_call_id,
            container,
            self._hosts.offered,
            lambda: self._new_id("srvtoolu_"),
        )

        async def fits(answer: ServerAnswer) -> bool:
            return await self._measured(self._said.content(answer), stretches.prompt) <= room

        running = self._runs.answers(turn, calls, fits, broken=self._said.broken)
        async with aclosing(running) as answers:
            async for answer in answers:
                self._said.add(answer)
                yield [answer]

    async def _measured(self, content: Sequence[ReplyBlock], behind: RenderedPrompt) -> int:
        """The tokens of the prompt behind `content`; calls in it that have no result yet wait."""
        more = await self._grown(content, self._asked.request.max_tokens, answered=True)
        conversation, _ = told(more)
        what = await self._shop.planner.read(more, conversation, self._work.served, behind)
        return len(what.prompt.tokens)

    async def _go_on(self, stretches: Stretches, *, answered: bool) -> None:
        left = self._left if answered else self._work.task.limits.max_tokens
        self._asked = await self._grown(self._said.content(), left, answered=answered)
        self._work = await self._shop.planner.plan_answer(self._asked, self._work.served, stretches.prompt)
        self._said.next_round()

    async def _grown(self, content: Sequence[ReplyBlock], max_tokens: int, *, answered: bool) -> Asked[CreateMessage]:
        """What was asked, exactly as if the client had sent back `content`, which the reply holds since then."""
        asked = self._asked
        request = continued(asked.request, asked.context, content, max_tokens=max_tokens, answered=answered)
        return await self._shop.intake.read_again(asked, request)

    def _add(self, ended: Finish) -> None:
        self._spent.append(spent("message", self._work, ended))
        if self._thought is not None or ended.thinking_tokens is not None:
            self._thought = (self._thought or 0) + (ended.thinking_tokens or 0)

    async def _unasked(self) -> Finish:
        """The end of a reply for which no model was asked: code that went on has called again."""
        container = self._asked.container
        return Finish(
            "tool_use",
            0,
            charge=Charge(0),
            tool_uses=self._runs.counts,
            container=None if container is None else await container.told(),
        )

    async def _finish(self, ended: Finish, reason: StopReason | None = None) -> Finish:
        """The end of the reply, which counts all its rounds."""
        return replace(
            ended,
            reason=reason or ended.reason,
            output_tokens=sum(each.output_tokens for each in self._spent),
            thinking_tokens=self._thought,
            charge=sum((each.charge for each in self._spent), Charge(0)),
            iterations=tuple(self._spent) if self._itemized else (),
            tool_uses=self._runs.counts,
            context_management=self._work.context_management or None,
            container=None if self._asked.container is None else await self._asked.container.told(),
        )


class _Said:
    """What the reply holds of the round so far, as the blocks that a client would send back; pictures that clients do
    not get are in them."""

    def __init__(self, work: Work) -> None:
        self._encoder = Encoder(work.opening)
        self._folder = Folder()
        self._begin = 0
        self._called = ""
        self._unread: list[str] = []
        self._shown: dict[str, ReplyBlock] = {}
        self.calls_a_client = False
        for event in self._encoder.begin():
            self._folder.add(event)

    def add(self, happening: ReplyEvent) -> None:
        match happening:
            case CallStart(id=id_, server=server):
                self._called = id_
                self.calls_a_client = self.calls_a_client or not server
            case CallEnd(whole=False):
                self._unread.append(self._called)
            case ServerAnswer(call_id=id_, shown=shown) if shown is not None:
                self._shown[id_] = result_block(replace(happening, content=shown))
            case _:
                pass
        for event in self._encoder.feed(happening):
            self._folder.add(event)

    @property
    def broken(self) -> Sequence[str]:
        """The ids of calls whose input is not all that the model wrote: it was no input, or a limit fell into it."""
        return [*self._unread, *([self._called] if self._folder.breaks_off else [])]

    def content(self, more: ServerAnswer | None = None) -> list[ReplyBlock]:
        """The complete blocks of the round; with `more` as if that were one of them."""
        blocks = [self._told(block) for block in self._folder.content(self._begin, cut=self._folder.breaks_off)]
        if more is None:
            return blocks
        return [*blocks, result_block(more if more.shown is None else replace(more, content=more.shown))]

    def _told(self, block: ReplyBlock) -> ReplyBlock:
        """The block as the model is told it."""
        return self._shown.get(block.tool_use_id, block) if isinstance(block, ReplyMcpToolResult) else block

    def next_round(self) -> None:
        self._begin += len(self.content())


def spent(kind: IterationKind, work: Work, ended: Finish) -> Iteration:
    """What one run of the model cost."""
    return Iteration(kind, ended.charge or Charge(work.read), ended.output_tokens)

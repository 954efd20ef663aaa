"""A reply in rounds: the model calls tools that the server runs, reads what they found, and goes on.

What a round adds is put behind the conversation as if the client had sent it back, and told to the model on the same
road: a reply that is paused and sent back goes on from the very prompt that it would have gone on from anyway.

A round with a client's tool in it ends the reply: its server calls wait until the client has answered. Source: API
reference, Server tools; Stop reasons.
"""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

from antiphon.dialogue.events import CallStart, Finish, Iteration, ReplyEvent, ServerAnswer, StopReason
from antiphon.request.told.thinking import ANSWER
from antiphon.service.reply.stretches import Batches, Stretches
from antiphon.service.reply.tool_runs import Call, ToolRuns
from antiphon.service.reply.work import Serving, Work
from antiphon.stream.encoder import Encoder, result_block
from antiphon.stream.fold import Folder
from antiphon.wire.reply import ReplyBlock, ReplyServerToolUse, ReplyToolUse


def replies(work: Work) -> Batches:
    """The events of an answer in batches; the last of all is the reply's one `Finish`. Raises the engine's faults,
    and `ApiError`."""
    serving = work.serving
    # A request for nothing at all only reads the prompt.
    if serving is None or work.limits.max_tokens == 0:
        return _single(work) if work.itemized else Stretches(work).run()
    return Rounds(work, serving).run()


async def _single(work: Work) -> Batches:
    async with aclosing(Stretches(work).run()) as batches:
        async for batch in batches:
            yield [
                replace(event, iterations=(_spent(work, event),)) if isinstance(event, Finish) else event
                for event in batch
            ]


class Rounds:
    """Makes one reply's events; `run` once. Closing the generator cancels the tools that run."""

    def __init__(self, work: Work, serving: Serving) -> None:
        self._work = work
        self._serving = serving
        self._runs = ToolRuns(serving)
        self._said = _Said(work)
        self._started = serving.clock.now()
        self._spent: list[Iteration] = []
        self._thought: int | None = None if work.telling is None else 0

    async def run(self) -> Batches:
        """The events in batches as they come to be."""
        if self._serving.waiting:
            stretches = Stretches(self._work)
            async with aclosing(self._answer(self._serving.waiting, stretches)) as batches:
                async for batch in batches:
                    yield batch
            await self._go_on(stretches, answered=False)
        rounds = 0
        while True:
            stretches = Stretches(self._work)
            ended: Finish | None = None
            async with aclosing(stretches.run()) as batches:
                async for batch in batches:
                    told, ended = self._told(batch)
                    if told:
                        yield told
            assert ended is not None
            self._add(ended)
            calls = self._calls()
            if not calls:
                yield [self._finish(ended)]
                return
            # Also where the reply ends here: whatever the client says next, no call is left without its result.
            async with aclosing(self._answer(calls, stretches)) as batches:
                async for batch in batches:
                    yield batch
            if ended.reason != "tool_use" or not self._left:
                yield [self._finish(ended, "max_tokens" if ended.reason == "tool_use" else None)]
                return
            rounds += 1
            if rounds >= self._serving.limits.rounds or self._is_late:
                yield [self._finish(ended, "pause_turn")]
                return
            await self._go_on(stretches, answered=True)

    @property
    def _left(self) -> int:
        return max(0, self._work.limits.max_tokens - self._spent[-1].output_tokens)

    @property
    def _is_late(self) -> bool:
        return self._serving.clock.now() - self._started >= self._serving.limits.turn_seconds

    def _told(self, batch: Sequence[ReplyEvent]) -> tuple[list[ReplyEvent], Finish | None]:
        """The events as the client gets them, less the round's end."""
        told: list[ReplyEvent] = []
        for event in batch:
            if isinstance(event, Finish):
                return told, event
            if isinstance(event, CallStart) and event.name in self._serving.tools and event.toolset is None:
                event = CallStart(self._serving.new_id(), event.name, server=True)
            self._said.add(event)
            told.append(event)
        return told, None

    def _calls(self) -> list[ReplyServerToolUse]:
        """The calls that the round ends with, if they are the server's to answer."""
        made = self._said.content()
        if any(isinstance(block, ReplyToolUse) for block in made):
            return []
        return [block for block in made if isinstance(block, ReplyServerToolUse)]

    async def _answer(self, calls: Sequence[Call], stretches: Stretches) -> Batches:
        room = self._work.window - min(ANSWER, self._work.window // 8)

        async def fits(answer: ServerAnswer) -> bool:
            content = self._said.content(answer)
            return await self._serving.measure(content, behind=stretches.prompt) <= room

        running = self._runs.answers(self._serving, calls, fits, cut=self._said.breaks_off)
        async with aclosing(running) as answers:
            async for answer in answers:
                self._said.add(answer)
                yield [answer]

    async def _go_on(self, stretches: Stretches, *, answered: bool) -> None:
        left = self._left if answered else self._work.limits.max_tokens
        self._work = await self._serving.go_on(
            self._said.content(), behind=stretches.prompt, max_tokens=left, answered=answered
        )
        assert self._work.serving is not None
        self._serving = self._work.serving
        self._said.next_round()

    def _add(self, ended: Finish) -> None:
        self._spent.append(_spent(self._work, ended))
        if self._thought is not None or ended.thinking_tokens is not None:
            self._thought = (self._thought or 0) + (ended.thinking_tokens or 0)

    def _finish(self, ended: Finish, reason: StopReason | None = None) -> Finish:
        """The end of the reply, which counts all its rounds."""
        return replace(
            ended,
            reason=reason or ended.reason,
            output_tokens=sum(each.output_tokens for each in self._spent),
            thinking_tokens=self._thought,
            input_tokens=sum(each.input_tokens for each in self._spent),
            iterations=tuple(self._spent) if self._work.itemized else (),
            served=self._runs.counts,
        )


class _Said:
    """What the reply holds of the round so far, as the blocks that a client would send back."""

    def __init__(self, work: Work) -> None:
        self._encoder = Encoder(work.opening)
        self._folder = Folder()
        self._begin = 0
        for event in self._encoder.begin():
            self._folder.add(event)

    def add(self, happening: ReplyEvent) -> None:
        for event in self._encoder.feed(happening):
            self._folder.add(event)

    @property
    def breaks_off(self) -> bool:
        """Whether a limit fell into the round's last call."""
        return self._folder.breaks_off

    def content(self, more: ServerAnswer | None = None) -> list[ReplyBlock]:
        """The complete blocks of the round; with `more` as if that were one of them."""
        blocks = self._folder.content(self._begin, cut=self._folder.breaks_off)
        return blocks if more is None else [*blocks, result_block(more)]

    def next_round(self) -> None:
        self._begin += len(self.content())


def _spent(work: Work, ended: Finish) -> Iteration:
    # A prompt that fills the window was never given to the engine.
    read = len(work.prompt.tokens)
    return Iteration("message", read if read < work.window else 0, ended.output_tokens)

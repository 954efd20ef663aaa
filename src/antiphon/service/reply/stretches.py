"""A reply in stretches: the model thinks, the thought is closed, the model answers.

Each stretch is one generation, and goes on from the tokens of the one before, so that an engine reads nothing twice.
A budget thus ends a thought at its very token, and an answer's grammar has to know nothing of thoughts. Where a model
goes back to thinking in its answer, that is a thought of its own; when the budget is used up there, it is closed, and
a further stretch goes on behind it.

What the model wrote is counted, markers included. What is put in to close a thought is not: it only takes room.
"""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from msgspec import structs

from antiphon.dialogue.conversation import Conversation
from antiphon.dialogue.events import Begun, Charge, Finish, ReplyEvent, StopReason, TextDelta
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.dialogue.tools import Choice
from antiphon.ports.engine import Done, EngineOutput, Generation, Piece, PrefillProgress
from antiphon.render.grammar.reply import GrammarError
from antiphon.render.reading.reply import ReplyReader
from antiphon.request.told.thinking import ANSWER
from antiphon.service.reply.answer import ThinkingAnswer, reader_for
from antiphon.service.reply.caching import Marked
from antiphon.service.reply.circles import Circles
from antiphon.service.reply.telling import Run, Telling
from antiphon.service.reply.together import together
from antiphon.service.reply.work import Work

Batches = AsyncGenerator[list[ReplyEvent], None]


class Stretches:
    """Makes one reply's events; `run` once. Raises the engine's faults."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._served = work.served
        self._prompt = work.prompt
        self._budget = work.task.conversation.thinking.budget
        self._written = 0
        self._thought = 0
        self._must_call = False
        self._over = False
        self._charge: Charge | None = None

    @property
    def prompt(self) -> RenderedPrompt:
        """What the engine reads: the request's prompt, and behind it what the model thought so far."""
        return self._prompt

    def run(self) -> Batches:
        """The events in batches as they come to be; the last of all is the reply's one `Finish`."""
        telling = self._work.telling
        return self._answer() if telling is None else self._all(telling)

    async def _all(self, telling: Telling) -> Batches:
        stretch = self._think(telling)
        while True:
            async with aclosing(stretch) as batches:
                async for batch in batches:
                    yield batch
            if self._over:
                return
            stretch = self._answer_thinking(telling)

    async def _think(self, telling: Telling) -> Batches:
        """The thought that the prompt has opened."""
        allowed, limit = self._allowed()
        if allowed is None:
            yield [self._finish(limit)]
            return
        conversation, prompts, grammars = self._work.task.conversation, self._served.prompts, self._served.grammars
        grammar = await grammars.thought() if conversation.thinking.required else None
        stops = prompts.thought_stops(conversation)
        if limit != "max_tokens":
            # The client knows of its own limit, and not of the model's window: a full one would end the reply unsaid.
            allowed -= min(allowed // 2, ANSWER)
        work = self._generation(min(allowed, self._budget), grammar, stops)
        run, thought, circles, ended = Run(telling), _Written(), Circles(), Done("end", 0)
        async with aclosing(self._generate(work)) as outputs:
            async for output in outputs:
                if isinstance(output, Piece):
                    thought.add(output)
                    events = run.add(output.text, output.output_tokens)
                    if events:
                        yield events
                    if circles.found(output.text):
                        ended = Done("length", output.output_tokens)
                        break
                elif isinstance(output, Done):
                    ended = output
                elif isinstance(output, Begun):
                    yield [output]
        self._written = self._thought = ended.output_tokens
        self._must_call = ended.matched is not None and ended.matched not in prompts.thought_closings
        async with aclosing(run.end(ended.output_tokens)) as batches:
            async for batch in batches:
                yield batch
        await self._close_thought(thought)

    async def _answer(self) -> Batches:
        """The whole answer of a reply that does not think."""
        allowed, limit = self._allowed()
        if allowed is None:
            yield [self._finish(limit)]
            return
        conversation, grammar = self._work.task.conversation, self._work.grammar
        reader = reader_for(self._work, self._prompt, conversation, enforced=grammar is not None)
        ended: Done | None = None
        reading = _Reading(reader)
        outputs = self._generate(self._generation(allowed, grammar))
        async with aclosing(together(outputs, last=reading.read)) as bursts:
            async for burst in bursts:
                if isinstance(burst[0], Begun):
                    yield [burst[0]]
                self._written = reading.written
                passed, declined = self._watched(*reading.taken())
                if passed:
                    yield passed
                if declined is not None:
                    yield [declined]
                    return
                if reading.over:
                    break
                if isinstance(burst[-1], Done):
                    ended = burst[-1]
        passed, declined = self._watched(reader.finish(cut=_cut(ended)))
        yield [*passed, declined or self._end(reader, ended, limit)]

    async def _answer_thinking(self, telling: Telling) -> Batches:
        """A stretch of answer: until the reply is over, or a thought in it has to be closed."""
        allowed, limit = self._allowed()
        if allowed is None:
            yield [self._finish(limit)]
            return
        before, (conversation, grammar) = self._written, await self._asked()
        reader = reader_for(self._work, self._prompt, conversation, enforced=grammar is not None, tells_thoughts=True)
        answer = ThinkingAnswer(reader, telling, self._budget - self._thought)
        ended: Done | None = None
        async with aclosing(self._served.engine.generate(self._generation(allowed, grammar))) as outputs:
            async for output in outputs:
                if isinstance(output, Piece):
                    self._written = before + output.output_tokens
                    async with aclosing(self._all_watched(answer.read(output))) as batches:
                        async for batch in batches:
                            yield batch
                    if self._over:
                        return
                    if reader.over or answer.used_up:
                        break
                elif isinstance(output, Done):
                    ended = output
        async with aclosing(self._all_watched(answer.finish(cut=_cut(ended)))) as batches:
            async for batch in batches:
                yield batch
        if self._over:
            return
        self._thought += answer.thought
        # Nothing but calls follows a call, so a thought behind one is not gone on with.
        if answer.thinks and not (reader.over or reader.has_called or _cut(ended)):
            await self._close_reopened(answer)
        else:
            yield [self._end(reader, ended, limit)]

    def _generate(self, generation: Generation) -> AsyncGenerator[EngineOutput | Begun]:
        """The engine's outputs; before the first of all, what reading the prompt comes to where that has marks."""
        marked, outputs = self._work.marked, self._served.engine.generate(generation)
        return outputs if marked is None or self._charge is not None else self._charged(marked, outputs)

    async def _charged(
        self, marked: Marked, outputs: AsyncGenerator[EngineOutput]
    ) -> AsyncGenerator[EngineOutput | Begun]:
        async with aclosing(outputs):
            async for output in outputs:
                # An engine may say how much it had read before only when it has read the rest, or at its end.
                reused = 0 if isinstance(output, Piece) else _reused(output)
                if self._charge is None:
                    self._charge = await marked.begin(reused)
                    yield Begun(self._charge)
                elif reused > self._charge.read:
                    self._charge = marked.charge(reused)
                yield output

    def _generation(self, most: int, grammar: str | None, stops: tuple[str, ...] = ()) -> Generation:
        task, visible = self._work.task, self._served.grammars.visible
        return Generation(
            self._prompt,
            most,
            task.sampling,
            grammar,
            visible,
            stops,
            task.conversation.plain,
            task.whose.conversation,
            task.whose.tenant,
            () if self._work.marked is None else self._work.marked.keep,
        )

    def _allowed(self) -> tuple[int | None, StopReason]:
        """How many tokens the next stretch may have (None: not one), and what it means when they are used up."""
        most = self._work.task.limits.max_tokens
        left, room = most - self._written, self._work.window - len(self._prompt.tokens)
        allowed = min(left, room)
        # A limit of none at all is a request to read the prompt, and that is all.
        return (
            allowed if allowed > 0 or most == 0 else None,
            "max_tokens" if left <= max(room, 0) else "model_context_window_exceeded",
        )

    async def _asked(self) -> tuple[Conversation, str | None]:
        """What the next stretch of answer is asked for, and its grammar."""
        conversation = self._work.task.conversation
        choice = conversation.choice
        if not self._must_call or choice.mode in ("any", "tool"):
            return conversation, self._work.grammar
        changed = replace(conversation, choice=Choice("any", parallel=choice.parallel))
        try:
            return changed, await self._served.grammars.grammar(changed)
        except GrammarError:
            return conversation, self._work.grammar

    async def _close_thought(self, thought: "_Written") -> None:
        """Go on behind the thought that the prompt had opened."""
        prompts, tokens = self._served.prompts, thought.tokens
        if thought.unknown:
            tokens += await self._served.engine.tokenize(prompts.thought_segments(thought.unknown), begins=False)
        await self._go_on(prompts.thought_segments(thought.text), tokens, thought.text)

    async def _close_reopened(self, answer: ThinkingAnswer) -> None:
        """Go on behind an answer whose last part is a thought."""
        segments = _segments(answer.written, self._served.grammars.visible)
        tokens = await self._served.engine.tokenize(segments, begins=False)
        await self._go_on(segments, tokens, answer.written)

    async def _go_on(self, written: Sequence[Segment], tokens: tuple[int, ...], thought: str) -> None:
        closing = self._served.prompts.close_thought(thought)
        closed = await self._served.engine.tokenize(closing, begins=False)
        self._prompt = RenderedPrompt(
            (*self._prompt.segments, *written, *closing), (*self._prompt.tokens, *tokens, *closed)
        )

    def _end(self, reader: ReplyReader, ended: Done | None, limit: StopReason) -> Finish:
        stop = reader.stop_sequence
        if stop is not None:
            return self._finish("stop_sequence", stop)
        if _cut(ended):
            return self._finish(limit)
        # Where the engine was stopped behind calls, the model went on with what only the client may tell it.
        return self._finish("tool_use" if reader.has_called else "end_turn")

    def _watched(
        self, events: list[ReplyEvent], written: Sequence[int] = ()
    ) -> tuple[list[ReplyEvent], Finish | None]:
        """What of the events a client may see, and the reply's end where the next one is declined. `written`: the
        tokens at each of them; nothing: the same at all."""
        watch = self._work.watch
        texts = [] if watch is None else [event.text for event in events if isinstance(event, TextDelta)]
        declined = watch.add(texts) if watch is not None and texts else None
        if declined is None:
            return events, None
        passed, why = declined
        at = [at for at, event in enumerate(events) if isinstance(event, TextDelta)][passed]
        self._written = written[at] if written else self._written
        return events[:at], structs.replace(self._finish("refusal"), stop_details=why.details())

    async def _all_watched(self, batches: Batches) -> Batches:
        """The batches that a client may see; behind the last of them the reply's end, where more is declined."""
        async with aclosing(batches):
            async for batch in batches:
                passed, declined = self._watched(batch)
                if passed:
                    yield passed
                if declined is not None:
                    yield [declined]
                    return

    def _finish(self, reason: StopReason, stop: str | None = None) -> Finish:
        self._over = True
        thought = None if self._work.telling is None else self._thought
        return Finish(reason, self._written, stop_sequence=stop, thinking_tokens=thought, charge=self._charge)


class _Reading:
    """What an answer's reader finds in the engine's outputs. `written`: the tokens so far. `over`: nothing that
    is still written belongs to the reply."""

    def __init__(self, reader: ReplyReader) -> None:
        self._reader = reader
        self._events: list[ReplyEvent] = []
        self._tokens: list[int] = []
        self.written = 0
        self.over = False

    def read(self, output: EngineOutput | Begun) -> bool:
        """Read it; whether nothing behind it belongs to the reply."""
        if not isinstance(output, Piece):
            return isinstance(output, Done)
        self.written = output.output_tokens
        events = self._reader.feed(output.text)
        for event in events:
            self._events.append(event)
            self._tokens.append(output.output_tokens)
        self.over = self._reader.over
        return self.over

    def taken(self) -> tuple[list[ReplyEvent], list[int]]:
        """The events since the last time, and the tokens that were written at each."""
        found = self._events, self._tokens
        self._events, self._tokens = [], []
        return found


class _Written:
    """What the model wrote in a stretch, as text and as tokens; `unknown`: the end whose tokens are not known."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._tokens: list[int] = []
        self._unknown: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._texts)

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(self._tokens)

    @property
    def unknown(self) -> str:
        return "".join(self._unknown)

    def add(self, piece: Piece) -> None:
        self._texts.append(piece.text)
        self._unknown.append(piece.text)
        if piece.tokens:
            # Tokens that come late are those of the text before them, too.
            self._tokens += piece.tokens
            self._unknown.clear()


def _segments(written: str, visible: frozenset[str]) -> tuple[Segment, ...]:
    """What a model wrote, with its own control tokens as such and everything else as plain text."""
    control = "|".join(map(re.escape, sorted(visible, key=len, reverse=True)))
    stretches: Sequence[str] = re.split(f"({control})", written) if visible else [written]
    return tuple(Segment(text, markup=at % 2 == 1) for at, text in enumerate(stretches) if text)


def _reused(output: PrefillProgress | Done) -> int:
    return output.cached if isinstance(output, PrefillProgress) else output.cached_tokens


def _cut(ended: Done | None) -> bool:
    return ended is not None and ended.reason == "length"

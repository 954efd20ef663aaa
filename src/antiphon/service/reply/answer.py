"""One stretch of answer while it is written: text and calls, and the thoughts that the model goes back to."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from antiphon.dialogue.conversation import Conversation
from antiphon.dialogue.events import ReasoningDelta, ReplyEvent
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.ports.engine import Piece
from antiphon.render.reading.calls import CallReader
from antiphon.render.reading.citations import CitationReader
from antiphon.render.reading.reply import ReplyReader
from antiphon.render.reading.thoughts import ReasoningReader
from antiphon.render.sources import sources_of
from antiphon.service.reply.telling import Run, Telling
from antiphon.service.reply.work import Work


def reader_for(
    work: Work,
    prompt: RenderedPrompt,
    conversation: Conversation,
    *,
    enforced: bool,
    tells_thoughts: bool = False,
) -> ReplyReader:
    """The reader of what the model writes behind the prompt. `enforced`: it keeps to a grammar. `tells_thoughts`: the
    prompt ends behind a thought, and the model may go back to it."""
    family, choice = work.served.prompts.family, conversation.choice
    calls = None
    if conversation.offered and choice.mode != "none":
        forced = choice.mode in ("any", "tool")
        calls = CallReader(
            family.syntax,
            conversation.offered,
            work.new_call_id,
            enforced=enforced,
            forced=forced,
            named=choice.name,
        )
    thoughts = None
    if family.reasoning or family.hidden or tells_thoughts:
        written = "".join(segment.text for segment in prompt.segments[-1:]).rstrip()
        opened = any(written.endswith(opening.rstrip()) for opening, _ in family.reasoning)
        # An answer of a given form begins at once: nothing of it is reasoning.
        free = conversation.shape is None
        thoughts = ReasoningReader(family, inside=opened and free, behind=tells_thoughts and free)
    citations = None if work.cite is None else CitationReader(sources_of(conversation), work.cite)
    return ReplyReader(
        work.task.limits.stop_sequences,
        calls,
        thoughts,
        work.task.members,
        tells_thoughts=tells_thoughts,
        citations=citations,
    )


class ThinkingAnswer:
    """An answer in which the model may go back to thinking; `budget`: the tokens that are left for it.

    `thought`: the tokens of the answer's thoughts, as exact as the engine's pieces. Where no budget is left, what
    opens a thought is markup only: nothing comes to be thought.
    """

    def __init__(self, reader: ReplyReader, telling: Telling, budget: int) -> None:
        self._reader = reader
        self._telling = telling
        self._budget = budget
        self._run: Run | None = None
        self._told = 0
        self._seen = 0
        self._inside = False
        self._written: list[str] = []
        self.thought = 0

    @property
    def written(self) -> str:
        """All that the model wrote."""
        return "".join(self._written)

    @property
    def thinks(self) -> bool:
        """Whether the model is thinking now."""
        return self._inside

    @property
    def used_up(self) -> bool:
        """Whether the model thinks and may not go on."""
        return self._inside and self.thought >= self._budget

    async def read(self, piece: Piece) -> AsyncGenerator[list[ReplyEvent]]:
        """What the piece adds."""
        self._written.append(piece.text)
        events = self._reader.feed(piece.text)
        thinks = self._reader.thinks
        if (thinks or self._inside) and self.thought < self._budget:
            self.thought += piece.output_tokens - self._seen
        self._seen, self._inside = piece.output_tokens, thinks
        async with aclosing(self._tell(events)) as batches:
            async for batch in batches:
                yield batch

    async def finish(self, *, cut: bool) -> AsyncGenerator[list[ReplyEvent]]:
        """What was held back when the stretch ended, or was `cut` off by a limit; an open thought is completed."""
        async with aclosing(self._tell(self._reader.finish(cut=cut))) as batches:
            async for batch in batches:
                yield batch
        async with aclosing(self._end_run()) as batches:
            async for batch in batches:
                yield batch

    async def _tell(self, events: list[ReplyEvent]) -> AsyncGenerator[list[ReplyEvent]]:
        batch: list[ReplyEvent] = []
        for event in events:
            if isinstance(event, ReasoningDelta):
                self._run = self._run or Run(self._telling)
                batch += self._run.add(event.text, self.thought - self._told)
                continue
            if self._run is not None:
                if batch:
                    yield batch
                    batch = []
                async with aclosing(self._end_run()) as ending:
                    async for last in ending:
                        yield last
            batch.append(event)
        if batch:
            yield batch

    async def _end_run(self) -> AsyncGenerator[list[ReplyEvent]]:
        run, self._run = self._run, None
        tokens, self._told = self.thought - self._told, self.thought
        if run is not None:
            async with aclosing(run.end(tokens)) as batches:
                async for batch in batches:
                    yield batch

"""Replies with a summary of the conversation: instead of an answer, or before it.

The model that answers writes the summary too: the conversation is told as always and one more turn asks for it, so
that an engine reads nothing twice. A summary is one only if the model ended it by itself and there are words in it.
Source: API reference, Compaction on demand; Compaction at a token threshold.
"""

from contextlib import aclosing
from dataclasses import replace

from antiphon.dialogue.events import Compacted, Finish, Iteration, TextDelta
from antiphon.service.reply.rounds import replies
from antiphon.service.reply.stretches import Batches, Stretches
from antiphon.service.reply.work import AtThreshold, OnDemand, Work


def events(work: Work) -> Batches:
    """The events of the reply in batches, as `Stretches` gives them. Raises the engine's faults, and `ApiError`."""
    match work.compaction:
        case None:
            return replies(work)
        case OnDemand() as wanted:
            return _summary_alone(work, wanted)
        case AtThreshold() as due:
            return _summary_first(work, due)


async def _summary_alone(work: Work, wanted: OnDemand) -> Batches:
    summary, ended = await _summary(work)
    spent = _spent(work, ended)
    if summary is None:
        yield [Finish(ended.reason, 0, iterations=(spent,))]
    else:
        yield [wanted.seal(summary, ended.output_tokens), Finish("compaction", 0, iterations=(spent,))]


async def _summary_first(work: Work, due: AtThreshold) -> Batches:
    summary, ended = await _summary(due.summary)
    spent = _spent(due.summary, ended)
    block = Compacted(summary, tool_changes=due.tool_changes if summary is not None else None)
    yield [block]
    if summary is not None and due.pauses:
        yield [Finish("compaction", 0, iterations=(spent,))]
        return
    # Without a summary the conversation stays what it is.
    rest = work if summary is None else await due.go_on(block)
    async with aclosing(replies(replace(rest, itemized=True))) as batches:
        async for batch in batches:
            yield [
                replace(event, iterations=(spent, *event.iterations)) if isinstance(event, Finish) else event
                for event in batch
            ]


async def _summary(work: Work) -> tuple[str | None, Finish]:
    """What the model writes, None where that is no summary, and how it ended."""
    written: list[str] = []
    ended = Finish("end_turn", 0)
    async with aclosing(Stretches(work).run()) as batches:
        async for batch in batches:
            for event in batch:
                if isinstance(event, TextDelta):
                    written.append(event.text)
                elif isinstance(event, Finish):
                    ended = event
    summary = "".join(written).strip()
    return (summary if summary and ended.reason == "end_turn" else None), ended


def _spent(work: Work, ended: Finish) -> Iteration:
    # A prompt that fills the window was never given to the engine.
    read = len(work.prompt.tokens)
    return Iteration("compaction", read if read < work.window else 0, ended.output_tokens)

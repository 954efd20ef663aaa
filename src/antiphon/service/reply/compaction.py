"""Replies with a summary of the conversation: instead of an answer, or before it.

The model that answers writes the summary too: the conversation is told as always and one more turn asks for it, so
that an engine reads nothing twice. A summary is one only if the model ended it by itself and there are words in it.
Source: API reference, Compaction on demand; Compaction at a token threshold.
"""

from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from antiphon.dialogue.events import Compacted, Finish, TextDelta
from antiphon.request.asked import Asked
from antiphon.request.case import Case
from antiphon.request.rules.compaction import compact_edit
from antiphon.request.sealed.bindings import conversations
from antiphon.request.sealed.compactions import Record, sign
from antiphon.request.tools.roster import at_the_end
from antiphon.seals import NONCE_BYTES
from antiphon.service.reply.rounds import Workshop, replies, spent
from antiphon.service.reply.stretches import Batches, Stretches
from antiphon.service.reply.work import AtThreshold, OnDemand, Work
from antiphon.service.served import ServedModel
from antiphon.wire.gates import TOOL_CHANGES
from antiphon.wire.request import CreateMessage, InputMessage
from antiphon.wire.settings import Compact, Compaction

DEFAULT_COMPACT_TRIGGER: Final = 150_000

SUMMARY_TOKENS: Final = 4096
"""How long a summary may be that nobody set a limit for."""


@dataclass(frozen=True, slots=True)
class Compactions:
    """Plans replies and makes their events, with a summary where the request asks for one, or where one is due."""

    shop: Workshop

    async def plan_reply(self, asked: Asked[CreateMessage], served: ServedModel) -> Work:
        """The work of a reply. Raises `ApiError`."""
        planner = self.shop.planner
        if asked.request.compaction is not None:
            work = await planner.plan_summary(asked, served, asked.request.max_tokens)
            return replace(work, compaction=_on_demand(asked))
        work = await planner.plan_answer(asked, served)
        edit = compact_edit(asked.case)
        if edit is None or not _is_due(edit, asked.case, work):
            return work
        first = await self._at_threshold(asked, served, edit)
        return replace(work, opening=first.summary.opening, compaction=first)

    def events(self, work: Work) -> Batches:
        """The events of the reply in batches, as `Stretches` gives them. Raises its faults, and `ApiError`."""
        match work.compaction:
            case None:
                return replies(work, self.shop)
            case OnDemand() as wanted:
                return self._summary_alone(work, wanted)
            case AtThreshold() as due:
                return self._summary_first(work, due)

    async def _at_threshold(self, asked: Asked[CreateMessage], served: ServedModel, edit: Compact) -> AtThreshold:
        asks = Compaction(type="summarize", instructions=edit.instructions)
        summarized = asked.instead(asked.request.model_copy(update={"compaction": asks}))
        summary = await self.shop.planner.plan_summary(summarized, served, SUMMARY_TOKENS)
        return AtThreshold(summary, _changes(asked) or None, asked, pauses=edit.pause_after_compaction is True)

    async def _summary_alone(self, work: Work, wanted: OnDemand) -> Batches:
        summary, ended = await _summary(work)
        cost = spent("compaction", work, ended)
        if summary is None:
            yield [Finish(ended.reason, 0, iterations=(cost,))]
        else:
            block = self._sealed(summary, wanted, ended.output_tokens)
            yield [block, Finish("compaction", 0, iterations=(cost,))]

    async def _summary_first(self, work: Work, due: AtThreshold) -> Batches:
        summary, ended = await _summary(due.summary)
        cost = spent("compaction", due.summary, ended)
        block = Compacted(summary, tool_changes=due.tool_changes if summary is not None else None)
        yield [block]
        if summary is not None and due.pauses:
            yield [Finish("compaction", 0, iterations=(cost,))]
            return
        # Without a summary the conversation stays what it is.
        rest = work if summary is None else await self._shortened(due.asked, work.served, block)
        async with aclosing(replies(rest, self.shop, itemized=True)) as batches:
            async for batch in batches:
                yield [
                    replace(event, iterations=(cost, *event.iterations)) if isinstance(event, Finish) else event
                    for event in batch
                ]

    async def _shortened(self, asked: Asked[CreateMessage], served: ServedModel, block: Compacted) -> Work:
        """The work of the answer that is left when the summary stands for the conversation."""
        said = {"type": "compaction", "content": block.content, "tool_changes": block.tool_changes}
        message = InputMessage.model_validate({"role": "assistant", "content": [said]})
        shortened = asked.request.model_copy(update={"messages": [message]})
        return await self.shop.planner.plan_answer(await self.shop.intake.read_again(asked, shortened), served)

    def _sealed(self, content: str, wanted: OnDemand, tokens: int) -> Compacted:
        planner = self.shop.planner
        nonce = planner.entropy.bytes(NONCE_BYTES)
        signature = sign(
            content, wanted.changes, wanted.record, planner.seals, nonce, model=wanted.binding, tokens=tokens
        )
        return Compacted(content, signature, list(wanted.changes) or None)


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


def _on_demand(asked: Asked[CreateMessage]) -> OnDemand:
    """What goes under the seal of a summary that was asked for."""
    case, before = asked.case, asked.opened.record
    found = at_the_end(case, before.found).found
    prefix = list(conversations(case, before.prefix))[-1][2] if case.profile.prefix_bound else b""
    return OnDemand(_changes(asked), Record(found, prefix), asked.target.binding)


def _changes(asked: Asked[CreateMessage]) -> list[dict[str, Any]]:
    """What a summary says of the tools that the conversation has added and removed."""
    if not asked.context.unlocks(TOOL_CHANGES):
        return []
    return at_the_end(asked.case, asked.opened.record.found).changes()


def _is_due(edit: Compact, case: Case, work: Work) -> bool:
    """Whether the conversation is to be summarized before it is answered.

    Where the engine has less room than the edit's trigger, three quarters of it stand for the trigger: behind them
    there is no room left to write a summary in. What is a summary only is not summarized again.
    """
    trigger = edit.trigger.value if edit.trigger is not None else DEFAULT_COMPACT_TRIGGER
    due = len(work.prompt.tokens) >= min(trigger, work.window * 3 // 4)
    says_more = any(item.block.type != "compaction" for item in case.told)
    return due and says_more and work.task.limits.max_tokens > 0

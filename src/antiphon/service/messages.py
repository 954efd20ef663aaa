"""Create a message, count its tokens: one road from bytes to a prompt, so that both count the same."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from antiphon.dialogue.conversation import Conversation, Limits, Sampling
from antiphon.dialogue.events import Compacted
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.errors import EngineFault, InvalidRequest
from antiphon.ids import ENTROPY_BYTES, make_id
from antiphon.ports.system import Clock, Entropy
from antiphon.render.grammar.reply import GrammarError
from antiphon.render.prompt.continued import behind as new_segments
from antiphon.render.prompt.template import TemplateError
from antiphon.render.sources import sources_of
from antiphon.request.asked import Asked, Request
from antiphon.request.case import Case, Issue
from antiphon.request.intake import parse_count, parse_create
from antiphon.request.ladder import check
from antiphon.request.media.wanted import wanted
from antiphon.request.rules.compaction import compact_edit
from antiphon.request.sealed.bindings import conversations
from antiphon.request.sealed.compactions import Record, open_record, sign
from antiphon.request.sealed.found import open_found
from antiphon.request.sealed.thoughts import Foreign, read
from antiphon.request.told.conversation import limits, sampling
from antiphon.request.told.thinking import form_of
from antiphon.request.told.thoughts import applied_edits
from antiphon.request.tools.roster import at_the_end
from antiphon.request.tools.server_calls import offered, waiting
from antiphon.request.tools.toolbox import members
from antiphon.seals import NONCE_BYTES, Seals
from antiphon.service.faults import told
from antiphon.service.media.intake import MediaIntake
from antiphon.service.reply.citations import Citations
from antiphon.service.reply.reply import Reply
from antiphon.service.reply.summarizer import Summarizer
from antiphon.service.reply.telling import Sealing, Telling
from antiphon.service.reply.work import AtThreshold, OnDemand, Serving, Work
from antiphon.service.served import ModelRoutes, Target
from antiphon.service.server_side import Admission, ServerSide, continued
from antiphon.wire.base import WireContext
from antiphon.wire.gates import COMPACT_AT_THRESHOLD, TOKEN_COUNT, TOOL_CHANGES
from antiphon.wire.reply import Diagnostics, Message, ReplyBlock, TokenCount, Usage
from antiphon.wire.request import CountTokens, CreateMessage, InputMessage
from antiphon.wire.settings import Compact, Compaction

DEFAULT_COMPACT_TRIGGER = 150_000

SUMMARY_TOKENS = 4096
"""How long a summary may be that nobody set a limit for."""

log = logging.getLogger(__name__)

_Read = TypeVar("_Read")

LARGE_BODY = 512 * 1024
"""Bytes; one that small is read in about ten milliseconds."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that will be answered: nothing about it is wrong."""

    work: Work
    stream: bool

    def reply(self) -> Reply:
        """A reply to it."""
        return Reply(self.work)


@dataclass(frozen=True, slots=True)
class Thinkers:
    """What the service needs for thoughts. `seals`: close and open them. `foreign`: what becomes of blocks that they
    do not open. `summarizer`: retells thoughts to clients; None: clients are shown them whole."""

    seals: Seals
    foreign: Foreign = "refuse"
    summarizer: Summarizer | None = None


class MessageService:
    """The Messages use cases. Raises `ApiError` only."""

    def __init__(
        self,
        routes: ModelRoutes,
        clock: Clock,
        entropy: Entropy,
        thinkers: Thinkers,
        media: MediaIntake,
        server: ServerSide,
    ) -> None:
        self._routes = routes
        self._clock = clock
        self._entropy = entropy
        self._thinkers = thinkers
        self._media = media
        self._server = server

    async def prepare(self, body: bytes, context: WireContext) -> Prepared:
        """Check a request from its bytes up; the first thing wrong with it is the error."""
        context = replace(context, own=self._server.own)
        asked = await self._with_media(await _aside(self._read_create, body, context))
        if asked.request.compaction is not None:
            work = await self._summary(asked, asked.request.max_tokens)
            work = replace(work, compaction=OnDemand(self._seal(asked)))
        else:
            work = await self._answer(asked)
            edit = compact_edit(asked.case)
            if edit is not None and _is_due(edit, asked.case, work):
                first = await self._at_threshold(asked, edit)
                work = replace(work, opening=first.summary.opening, compaction=first)
        return Prepared(work, stream=bool(asked.request.stream))

    async def _answer(self, asked: Asked[CreateMessage], behind: RenderedPrompt | None = None) -> Work:
        """The work of an answer. `behind`: what was read for the part of it that the request holds already; a prompt
        that has grown out of its window ends such a reply, and does not make the request wrong."""
        request, target = asked.request, asked.target
        conversation = asked.conversation()
        prompt = await self._prompt(conversation, target, behind)
        if behind is None:
            self._check_room(request, target, len(prompt.tokens))
        thinks = conversation.thinking.budget > 0
        return Work(
            served=target.served,
            prompt=prompt,
            conversation=conversation,
            limits=limits(request),
            sampling=_settled(sampling(request), target.served.engine.card.sampling),
            window=target.window,
            opening=self._opening(asked, len(prompt.tokens)),
            new_call_id=lambda: make_id("toolu_", self._entropy.bytes(ENTROPY_BYTES)),
            members={
                spoken: (member.toolset, member.name) for spoken, member in members(request.tools or ()).items()
            },
            grammar=await self._grammar(conversation, target),
            telling=self._telling(asked) if thinks else None,
            context_management=await self._applied_edits(asked, len(prompt.tokens)),
            estimates=TOKEN_COUNT in asked.context.betas,
            itemized=asked.context.unlocks(COMPACT_AT_THRESHOLD),
            serving=self._serving(asked),
            cite=Citations(self._thinkers.seals, self._entropy) if sources_of(conversation) else None,
        )

    def _serving(self, asked: Asked[CreateMessage]) -> Serving | None:
        """How the tools are run that the answer may call and the server has."""
        case = asked.case
        tools = offered(case, asked.found)
        if not tools:
            return None

        async def grown(content: Sequence[ReplyBlock], max_tokens: int, *, answered: bool) -> Asked[CreateMessage]:
            request = continued(asked.request, asked.context, content, max_tokens=max_tokens, answered=answered)
            more = self._opened(request, asked.context, asked.target)
            new = await self._media.read([file for file in more.files if file.path not in asked.media])
            return replace(more, media={**asked.media, **new})

        async def measure(content: Sequence[ReplyBlock], *, behind: RenderedPrompt) -> int:
            more = await grown(content, asked.request.max_tokens, answered=True)
            return len((await self._prompt(more.conversation(), more.target, behind)).tokens)

        async def go_on(
            content: Sequence[ReplyBlock], *, behind: RenderedPrompt, max_tokens: int, answered: bool
        ) -> Work:
            return await self._answer(await grown(content, max_tokens, answered=answered), behind)

        return Serving(
            tools=tools,
            waiting=waiting(case),
            limits=self._server.limits,
            clock=self._clock,
            admit=Admission(case, self._media, self._thinkers.seals, self._entropy),
            new_id=lambda: make_id("srvtoolu_", self._entropy.bytes(ENTROPY_BYTES)),
            measure=measure,
            go_on=go_on,
        )

    async def _summary(self, asked: Asked[CreateMessage], most: int) -> Work:
        """The work of a summary of at most so many tokens; `asked` asks for one."""
        request, target = asked.request, asked.target
        conversation = asked.conversation()
        prompt = await self._prompt(conversation, target)
        if len(prompt.tokens) > target.window:
            # The conversation has to fit. Where only the words that ask for the summary do not, there is none.
            whole = replace(asked, request=request.model_copy(update={"compaction": None}))
            self._check_room(request, target, len((await self._prompt(whole.conversation(), target)).tokens))
        else:
            self._check_room(request, target, len(prompt.tokens))
        return Work(
            served=target.served,
            prompt=prompt,
            conversation=conversation,
            limits=Limits(most),
            sampling=_settled(sampling(request), target.served.engine.card.sampling),
            window=target.window,
            opening=self._opening(asked, 0),
            new_call_id=lambda: make_id("toolu_", self._entropy.bytes(ENTROPY_BYTES)),
            members={},
            grammar=await self._grammar(conversation, target),
        )

    def _seal(self, asked: Asked[CreateMessage]) -> Callable[[str, int], Compacted]:
        """Makes the block of a summary that was asked for."""
        case, binding = asked.case, asked.target.binding
        roster = at_the_end(case, asked.record.found)
        changes = roster.changes() if asked.context.unlocks(TOOL_CHANGES) else []
        bound = case.profile.prefix_bound
        prefix = list(conversations(case, asked.record.prefix))[-1][2] if bound else b""
        record = Record(roster.found, prefix)

        def seal(content: str, tokens: int) -> Compacted:
            nonce, seals = self._entropy.bytes(NONCE_BYTES), self._thinkers.seals
            signature = sign(content, changes, record, seals, nonce, model=binding, tokens=tokens)
            return Compacted(content, signature, changes or None)

        return seal

    async def _at_threshold(self, asked: Asked[CreateMessage], edit: Compact) -> AtThreshold:
        asks = Compaction(type="summarize", instructions=edit.instructions)
        summary = await self._summary(
            replace(asked, request=asked.request.model_copy(update={"compaction": asks})), SUMMARY_TOKENS
        )
        changes = at_the_end(asked.case, asked.record.found).changes() if asked.context.unlocks(TOOL_CHANGES) else []

        async def go_on(block: Compacted) -> Work:
            said = {"type": "compaction", "content": block.content, "tool_changes": block.tool_changes}
            message = InputMessage.model_validate({"role": "assistant", "content": [said]})
            shortened = asked.request.model_copy(update={"messages": [message]})
            return await self._answer(self._opened(shortened, asked.context, asked.target))

        return AtThreshold(summary, changes or None, go_on, pauses=edit.pause_after_compaction is True)

    async def count(self, body: bytes, context: WireContext) -> TokenCount:
        """The `input_tokens` that the same request would be charged."""
        context = replace(context, own=self._server.own)
        asked = await self._with_media(await _aside(self._read_count, body, context))
        prompt = await self._prompt(asked.conversation(), asked.target)
        total = len(prompt.tokens)
        if asked.request.context_management is None:
            return TokenCount(input_tokens=total)
        original = total + (await self._saved(asked, total))
        return TokenCount(input_tokens=total, context_management={"original_input_tokens": original})

    def _read_create(self, body: bytes, context: WireContext) -> Asked[CreateMessage]:
        return self._checked(parse_create(body, context), context)

    def _read_count(self, body: bytes, context: WireContext) -> Asked[CountTokens]:
        return self._checked(parse_count(body, context), context)

    def _checked(self, request: Request, context: WireContext) -> Asked[Request]:
        target = self._routes.resolve(request.model)
        found = check(request, target.profile, context, sees=target.sees, server_tools=self._server.tools)
        if found is not None:
            if found.advice is not None:
                log.warning("%s", found.advice)
            raise InvalidRequest(found.message, details=found.details)
        return self._opened(request, context, target)

    def _opened(self, request: Request, context: WireContext, target: Target) -> Asked[Request]:
        """The request with what the server's own seals in it hold."""
        case = Case(request, target.profile, context, target.sees, self._server.tools)
        seals, foreign = self._thinkers.seals, self._thinkers.foreign
        record = open_record(case, seals)
        if isinstance(record, Issue):
            raise InvalidRequest(record.message, details=record.details)
        binding, profile = target.binding, target.profile
        thoughts = read(request, seals, binding, context, profile, foreign=foreign, before=record.prefix)
        if isinstance(thoughts, Issue):
            raise InvalidRequest(thoughts.message, details=thoughts.details)
        found = open_found(case, seals, foreign=foreign)
        if isinstance(found, Issue):
            raise InvalidRequest(found.message, details=found.details)
        tools = self._server.tools
        return Asked(request, context, target, thoughts, wanted(case), record=record, found=found, server_tools=tools)

    async def _with_media(self, asked: Asked[Request]) -> Asked[Request]:
        return replace(asked, media=await self._media.read(asked.files)) if asked.files else asked

    def _telling(self, asked: Asked[CreateMessage]) -> Telling:
        sealing = Sealing(self._thinkers.seals, self._entropy, asked.target.binding, asked.thoughts.binding)
        form = form_of(asked.request, asked.target.profile)
        estimates = TOKEN_COUNT in asked.context.betas
        return Telling(sealing, form, self._thinkers.summarizer, estimates)

    async def _saved(self, asked: Asked[CreateMessage] | Asked[CountTokens], tokens: int) -> int:
        """How many tokens of input the request's edits spare it, which leave it so many `tokens`."""
        if not asked.cleared:
            return 0
        whole = await self._prompt(asked.conversation(clearing=False), asked.target)
        return max(0, len(whole.tokens) - tokens)

    async def _applied_edits(self, asked: Asked[CreateMessage], tokens: int) -> dict[str, Any] | UnsetType:
        if asked.request.context_management is None:
            return UNSET
        return {"applied_edits": applied_edits(asked.cleared, await self._saved(asked, tokens))}

    async def _grammar(self, conversation: Conversation, target: Target) -> str | None:
        try:
            return await target.served.grammars.grammar(conversation)
        except GrammarError as problem:
            raise InvalidRequest(str(problem)) from problem
        except EngineFault as fault:
            raise told(fault) from fault

    async def _prompt(
        self, conversation: Conversation, target: Target, behind: RenderedPrompt | None = None
    ) -> RenderedPrompt:
        """The prompt of the conversation; one that goes on from what is `behind` keeps the tokens of that."""
        today = datetime.fromtimestamp(self._clock.now(), UTC).date()
        try:
            segments = target.served.prompts.build(conversation, today=today)
            new = None if behind is None else new_segments(behind.segments, segments)
            if behind is None or new is None:
                tokens = await target.served.engine.tokenize(segments)
            else:
                tokens = behind.tokens + await target.served.engine.tokenize(new, begins=False)
        except TemplateError as problem:
            raise InvalidRequest(f"messages: {problem}") from problem
        except EngineFault as fault:
            raise told(fault) from fault
        return RenderedPrompt(segments, tokens)

    def _check_room(self, request: CreateMessage, target: Target, tokens: int) -> None:
        if tokens > target.window:
            raise InvalidRequest(f"prompt is too long: {tokens} tokens > {target.window} maximum")
        window, asked = target.profile.window, request.max_tokens
        if target.profile.overflow == "refuse" and tokens + asked > window:
            raise InvalidRequest(
                f"input length and `max_tokens` exceed context limit: {tokens} + {asked} > {window}, "
                "decrease input length or `max_tokens` and try again"
            )

    def _opening(self, asked: Asked[CreateMessage], tokens: int) -> Message:
        return Message(
            model=asked.target.profile.id,
            id=make_id("msg_", self._entropy.bytes(ENTROPY_BYTES)),
            usage=Usage(input_tokens=tokens, output_tokens=0),
            diagnostics=_diagnostics(asked.request),
            input_transformations=asked.thoughts.reported(asked.context),
        )


def _is_due(edit: Compact, case: Case, work: Work) -> bool:
    """Whether the conversation is to be summarized before it is answered.

    Where the engine has less room than the edit's trigger, three quarters of it stand for the trigger: behind them
    there is no room left to write a summary in. What is a summary only is not summarized again.
    """
    trigger = edit.trigger.value if edit.trigger is not None else DEFAULT_COMPACT_TRIGGER
    due = len(work.prompt.tokens) >= min(trigger, work.window * 3 // 4)
    says_more = any(item.block.type != "compaction" for item in case.told)
    return due and says_more and work.limits.max_tokens > 0


async def _aside(read: Callable[[bytes, WireContext], _Read], body: bytes, context: WireContext) -> _Read:
    """Read a request; a large one in a thread, so that the streams of other clients go on."""
    if len(body) > LARGE_BODY:
        return await asyncio.to_thread(read, body, context)
    return read(body, context)


def _settled(asked: Sampling, recommended: Sampling) -> Sampling:
    """What the request says; where it is silent, what the model's owner recommends."""
    return Sampling(
        temperature=recommended.temperature if asked.temperature is None else asked.temperature,
        top_p=recommended.top_p if asked.top_p is None else asked.top_p,
        top_k=recommended.top_k if asked.top_k is None else asked.top_k,
    )


def _diagnostics(request: CreateMessage) -> Diagnostics | UnsetType | None:
    """Requests are not compared here; the API has a word for that."""
    if request.diagnostics is None:
        return UNSET
    if request.diagnostics.previous_message_id is None:
        return None
    return Diagnostics(cache_miss_reason={"type": "unavailable"})

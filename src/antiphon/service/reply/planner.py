"""From what was asked to work: the prompt and its room, the grammar, the reply's opening, how thoughts are told."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from antiphon.dialogue.conversation import Conversation, Limits, Sampling
from antiphon.dialogue.rendered import RenderedPrompt
from antiphon.errors import EngineFault, InvalidRequest
from antiphon.ids import ENTROPY_BYTES, make_id
from antiphon.ports.guard import Decline, Guard
from antiphon.ports.system import Clock, Entropy
from antiphon.render.grammar.reply import GrammarError
from antiphon.render.prompt.continued import behind as new_segments
from antiphon.render.prompt.template import TemplateError
from antiphon.render.sources import sources_of
from antiphon.request.asked import Asked
from antiphon.request.opening import opening
from antiphon.request.task import Task, task_of, told, uncleared
from antiphon.request.told.thoughts import applied_edits
from antiphon.seals import Seals
from antiphon.service.faults import engine_error
from antiphon.service.reply.caching import Caching, Marked
from antiphon.service.reply.citations import Citations
from antiphon.service.reply.diagnosing import Diagnoses
from antiphon.service.reply.editing import Read, read
from antiphon.service.reply.summarizer import Summarizer
from antiphon.service.reply.telling import Sealing, Telling
from antiphon.service.reply.work import Work
from antiphon.service.served import ServedModel
from antiphon.wire.gates import CLEARING
from antiphon.wire.reply import Message, TokenCount
from antiphon.wire.request import CountTokens, CreateMessage


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans replies. `summarizer`: retells thoughts to clients; None: they see them whole. `guard`: may decline what
    is asked and what is answered. Raises `ApiError`."""

    clock: Clock
    entropy: Entropy
    seals: Seals
    caching: Caching
    diagnoses: Diagnoses
    summarizer: Summarizer | None = None
    guard: Guard | None = None

    async def plan_answer(
        self, asked: Asked[CreateMessage], served: ServedModel, behind: RenderedPrompt | None = None
    ) -> Work:
        """The work of an answer. `behind`: what was read for the part of it that the request holds already; a prompt
        that has grown out of its window ends such a reply, and does not make the request wrong."""
        task = task_of(asked)
        what = await self.read(asked, task.conversation, served, behind)
        task, prompt = replace(task, conversation=what.conversation), what.prompt
        if behind is None:
            _check_room(asked, len(prompt.tokens))
        return Work(
            served=served,
            task=_settled(task, task.limits, served),
            prompt=prompt,
            window=asked.target.window,
            opening=self._opening(asked, served, task.conversation, prompt, begins=behind is None),
            new_call_id=self._new_call_id,
            grammar=await _grammar(task.conversation, served),
            telling=self._telling(asked, task) if task.thinks else None,
            context_management=await self._applied_edits(asked, served, task.cleared, what),
            cite=Citations(self.seals, self.entropy) if sources_of(task.conversation) else None,
            asked=asked if task.tools or task.mcp or task.waiting else None,
            marked=await self._marked(asked, served, task.conversation, prompt),
            watch=None if self.guard is None else self.guard.watch(names_of(asked)),
        )

    async def plan_summary(self, asked: Asked[CreateMessage], served: ServedModel, most: int) -> Work:
        """The work of a summary of at most so many tokens; `asked` asks for one."""
        task = task_of(asked)
        what = await self.read(asked, task.conversation, served)
        task, prompt = replace(task, conversation=what.conversation), what.prompt
        if len(prompt.tokens) > asked.target.window:
            # The conversation has to fit. Where only the words that ask for the summary do not, there is none.
            whole = asked.instead(asked.request.model_copy(update={"compaction": None}))
            unasked = await self.read(whole, task_of(whole).conversation, served)
            _check_room(whole, len(unasked.prompt.tokens))
        else:
            _check_room(asked, len(prompt.tokens))
        return Work(
            served=served,
            task=_settled(
                Task(task.conversation, task.limits, task.sampling, details=task.details, whose=task.whose),
                Limits(most),
                served,
            ),
            prompt=prompt,
            window=asked.target.window,
            opening=self._opening(asked, served, task.conversation, prompt, charged=False),
            new_call_id=self._new_call_id,
            grammar=await _grammar(task.conversation, served),
            context_management={"applied_edits": []} if asked.context.unlocks(CLEARING) else UNSET,
            marked=await self._marked(asked, served, task.conversation, prompt),
        )

    async def judge(self, asked: Asked[CreateMessage], work: Work) -> Decline | None:
        """Whether what is asked is declined; nobody is told of it yet."""
        return None if self.guard is None else await self.guard.judge(work.task.conversation, names_of(asked))

    async def count(self, asked: Asked[CountTokens], served: ServedModel) -> TokenCount:
        """The tokens of input that a reply to the request would be charged."""
        conversation, cleared = told(asked)
        what = await self.read(asked, conversation, served)
        total = len(what.prompt.tokens)
        if asked.request.context_management is None:
            return TokenCount(input_tokens=total)
        original = what.unedited + await self._spared(asked, served, cleared, what.unedited)
        return TokenCount(input_tokens=total, context_management={"original_input_tokens": original})

    async def read(
        self,
        asked: Asked[CreateMessage] | Asked[CountTokens],
        conversation: Conversation,
        served: ServedModel,
        behind: RenderedPrompt | None = None,
    ) -> Read:
        """What the model reads of the conversation once tool results are cleared; `behind` as for `prompt`."""
        return await read(asked, conversation, lambda told: self.prompt(told, served, behind))

    async def prompt(
        self, conversation: Conversation, served: ServedModel, behind: RenderedPrompt | None = None
    ) -> RenderedPrompt:
        """The prompt of the conversation; one that goes on from what is `behind` keeps the tokens of that."""
        try:
            segments = served.prompts.build(conversation, today=self._today())
            new = None if behind is None else new_segments(behind.segments, segments)
            if behind is None or new is None:
                tokens = await served.engine.tokenize(segments)
            else:
                tokens = behind.tokens + await served.engine.tokenize(new, begins=False)
        except TemplateError as problem:
            raise InvalidRequest(f"messages: {problem}") from problem
        except EngineFault as fault:
            raise engine_error(fault) from fault
        return RenderedPrompt(segments, tokens)

    async def _marked(
        self, asked: Asked[CreateMessage], served: ServedModel, conversation: Conversation, prompt: RenderedPrompt
    ) -> Marked | None:
        # A prompt that fills the window is never given to the engine.
        if len(prompt.tokens) >= asked.target.window:
            return None
        try:
            now, today = self.clock.now(), self._today()
            return await self.caching.marked(asked, served, conversation, prompt, today, now)
        except EngineFault as fault:
            raise engine_error(fault) from fault

    def _today(self) -> date:
        return datetime.fromtimestamp(self.clock.now(), UTC).date()

    async def _spared(
        self, asked: Asked[CreateMessage] | Asked[CountTokens], served: ServedModel, cleared: int, tokens: int
    ) -> int:
        """How many tokens of input the thoughts are that its edits cleared, which left it so many `tokens`."""
        if not cleared:
            return 0
        whole = await self.prompt(uncleared(asked), served)
        return max(0, len(whole.tokens) - tokens)

    async def _applied_edits(
        self, asked: Asked[CreateMessage], served: ServedModel, cleared: int, what: Read
    ) -> dict[str, Any] | UnsetType:
        if asked.request.context_management is None and not asked.context.unlocks(CLEARING):
            return UNSET
        spared = await self._spared(asked, served, cleared, what.unedited)
        return {"applied_edits": [*applied_edits(cleared, spared), *what.entries]}

    def _telling(self, asked: Asked[CreateMessage], task: Task) -> Telling:
        sealing = Sealing(self.seals, self.entropy, asked.target.binding, task.binding)
        return Telling(sealing, task.form, self.summarizer, task.estimates)

    def _opening(
        self,
        asked: Asked[CreateMessage],
        served: ServedModel,
        conversation: Conversation,
        prompt: RenderedPrompt,
        *,
        begins: bool = True,
        charged: bool = True,
    ) -> Message:
        """How the reply opens. `begins`: it is not one that has begun. `charged`: the usage has its prompt."""
        id_, today = make_id("msg_", self.entropy.bytes(ENTROPY_BYTES)), self._today()
        why = self.diagnoses.diagnose(asked, served, conversation, prompt, today, id_) if begins else None
        return opening(asked, len(prompt.tokens) if charged else 0, id_, why)

    def _new_call_id(self) -> str:
        return make_id("toolu_", self.entropy.bytes(ENTROPY_BYTES))


def names_of(asked: Asked[CreateMessage]) -> tuple[str, str]:
    """The names of the model that is asked: as the request has it, and as replies have it."""
    return asked.request.model, asked.target.profile.id


async def _grammar(conversation: Conversation, served: ServedModel) -> str | None:
    try:
        return await served.grammars.grammar(conversation)
    except GrammarError as problem:
        raise InvalidRequest(str(problem)) from problem
    except EngineFault as fault:
        raise engine_error(fault) from fault


def _check_room(asked: Asked[CreateMessage], tokens: int) -> None:
    target, most = asked.target, asked.request.max_tokens
    if tokens > target.window:
        raise InvalidRequest(f"prompt is too long: {tokens} tokens > {target.window} maximum")
    window = target.profile.window
    if target.profile.overflow == "refuse" and tokens + most > window:
        raise InvalidRequest(
            f"input length and `max_tokens` exceed context limit: {tokens} + {most} > {window}, "
            "decrease input length or `max_tokens` and try again"
        )


def _settled(task: Task, limits: Limits, served: ServedModel) -> Task:
    """The task within these limits; where its request is silent on sampling, as the model's owner recommends."""
    asked, recommended = task.sampling, served.engine.card.sampling
    sampling = Sampling(
        temperature=recommended.temperature if asked.temperature is None else asked.temperature,
        top_p=recommended.top_p if asked.top_p is None else asked.top_p,
        top_k=recommended.top_k if asked.top_k is None else asked.top_k,
    )
    # Most requests leave nothing to settle.
    settled = sampling == asked and limits == task.limits
    return task if settled else replace(task, limits=limits, sampling=sampling)

"""Create a message, count its tokens: one road from bytes to a prompt, so that both count the same."""

from dataclasses import dataclass, replace

from antiphon.errors import ApiError
from antiphon.ports.tracing import Asks
from antiphon.request.asked import Asked
from antiphon.request.intake import Document, count_of, create_of
from antiphon.service.fallbacks.attempts import Attempt, Attempts
from antiphon.service.fallbacks.chain import Chain, Fallbacks
from antiphon.service.fallbacks.credits import Credits
from antiphon.service.fallbacks.run import Run
from antiphon.service.intake import Intake
from antiphon.service.limits import Passed
from antiphon.service.metrics import Metrics, Watch
from antiphon.service.reply.planner import Planner
from antiphon.service.reply.reply import Reply
from antiphon.service.reply.work import Work
from antiphon.service.served import ServedModel
from antiphon.service.threads import Threads, Turn
from antiphon.service.tracing import TRACE, followed
from antiphon.service.traffic import Traffic
from antiphon.service.usage.accounts import Account
from antiphon.wire.base import WireContext
from antiphon.wire.reply import TokenCount
from antiphon.wire.request import CreateMessage


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that will be answered: nothing about it is wrong. To be closed, whatever becomes of the reply.

    `attempt`: the model that is asked first. `turn`: it is a thread's, and what it comes to is kept. `traffic`:
    counts it, until it has ended. `run`: asks other models where that one declines; None: nobody else is asked.
    `credits`: puts tokens into refusals.
    """

    attempt: Attempt
    stream: bool
    turn: Turn | None = None
    traffic: Traffic | None = None
    run: Run | None = None
    credits: Credits | None = None

    @property
    def work(self) -> Work:
        """What the reply is made from, as far as the first model makes it."""
        return self.attempt.work

    @property
    def passed(self) -> Passed | None:
        """The limits that it was let through, if there are any."""
        return self.attempt.passed

    @property
    def account(self) -> Account | None:
        """Is told what the reply comes to."""
        return self.attempt.account

    @property
    def model(self) -> str:
        """Whose promise is kept."""
        return self.attempt.model

    def reply(self) -> Reply:
        """A reply to it."""
        happenings = self.attempt.happenings() if self.run is None else self.run.events()
        if self.credits is not None:
            asked = self.attempt.asked if self.run is None else self.run.asked
            happenings = self.credits.follow(asked, self._last, happenings)
        trace = TRACE.get()
        if trace is not None:
            happenings = followed(trace, happenings)
        opens = None if self.run is None else self.run.opening
        return Reply(self.work, happenings, self.turn, whole=not self.stream, opens=opens)

    def _last(self) -> Attempt:
        """The attempt that the reply ends with, once it has ended."""
        return self.attempt if self.run is None else self.run.attempt

    async def aclose(self) -> None:
        """The request has ended."""
        if self.traffic is not None:
            self.traffic.gone()
        self.attempt.release()
        if self.turn is not None:
            await self.turn.aclose()


class MessageService:
    """The Messages use cases. `fallbacks`: who may answer where a model declines; None: nobody else. `credit`:
    puts tokens into refusals; None: there are none. `traffic`: told
    of each request that somebody waits for. `metrics`: counts replies. Raises `ApiError` only."""

    def __init__(
        self,
        intake: Intake,
        planner: Planner,
        threads: Threads,
        attempts: Attempts,
        fallbacks: Fallbacks | None = None,
        credit: Credits | None = None,
        traffic: Traffic | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._intake = intake
        self._planner = planner
        self._threads = threads
        self._attempts = attempts
        self._fallbacks = fallbacks
        self._credit = credit
        self._traffic = traffic
        self._metrics = metrics

    async def prepare(self, body: bytes, context: WireContext) -> Prepared:
        """Check a request from its bytes up; the first thing wrong with it is the error."""
        if self._traffic is None:
            return await self._prepare(body, context)
        self._traffic.come()
        try:
            return replace(await self._prepare(body, context), traffic=self._traffic)
        except BaseException:
            self._traffic.gone()
            raise

    async def _prepare(self, body: bytes, context: WireContext) -> Prepared:
        watch = None if self._metrics is None else Watch(self._metrics)
        document = await self._intake.read_document(body)
        turn = await self._turn(document, context)
        try:
            document = document if turn is None else turn.document
            asked, served, chain = await self._read(document, context)
            attempt = None
            if self._fallbacks is not None and chain is not None:
                attempt = await self._fallbacks.first(chain, watch)
            if attempt is None:
                work = await self._attempts.plan(asked, served)
                _tell_trace(document, asked, work)
                attempt = await self._attempts.begin(asked, work, context, watch)
            else:
                _tell_trace(document, attempt.asked, attempt.work)
        except BaseException:
            if turn is not None:
                await turn.aclose()
            raise
        stream = bool(asked.request.stream)
        run = None
        if chain is not None and self._fallbacks is not None:
            run = Run(self._fallbacks, chain, attempt, whole=not stream)
        return Prepared(attempt, stream, turn, run=run, credits=self._credit)

    async def plan(self, body: bytes, context: WireContext) -> tuple[Asked[CreateMessage], Work]:
        """What `prepare` would come to, to be looked at: it is no thread's, limits nobody, and is not counted."""
        asked, served, _ = await self._read(await self._intake.read_document(body), context)
        return asked, await self._attempts.plan(asked, served)

    async def _read(
        self, document: Document, context: WireContext
    ) -> tuple[Asked[CreateMessage], ServedModel, Chain | None]:
        """What is asked, of whom, and who may be asked behind it."""
        asked, served = await self._intake.read_request(document, context, create_of)
        chain = None if self._fallbacks is None else await self._fallbacks.chain(asked, document.size)
        return asked, served, chain

    async def count(self, body: bytes, context: WireContext) -> TokenCount:
        """The `input_tokens` that the same request would be charged."""
        document = await self._intake.read_document(body)
        asked, served = await self._intake.read_request(document, context, count_of)
        return await self._planner.count(asked, served)

    async def _turn(self, document: Document, context: WireContext) -> Turn | None:
        try:
            return await self._threads.begin(document, context)
        except ApiError:
            # What is wrong with the request itself is told first.
            await self._intake.read_shape(document, context, create_of)
            raise


def _tell_trace(document: Document, asked: Asked[CreateMessage], work: Work) -> None:
    trace, request = TRACE.get(), asked.request
    if trace is None:
        return
    trace.asks(
        Asks(
            named=request.model,
            model=asked.target.profile.id,
            reply=work.opening.id,
            max_tokens=request.max_tokens,
            read=work.read,
            body=document.value,
            stream=bool(request.stream),
            temperature=request.temperature,
            top_p=request.top_p,
            top_k=request.top_k,
            stop_sequences=tuple(request.stop_sequences or ()),
        )
    )

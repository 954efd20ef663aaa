"""Create a message, count its tokens: one road from bytes to a prompt, so that both count the same."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from msgspec import Struct

from antiphon.errors import ApiError
from antiphon.ports.tracing import Asks
from antiphon.request.asked import Asked, Request
from antiphon.request.intake import Document, count_of, create_of
from antiphon.service.fallbacks.attempts import Attempt, Attempts
from antiphon.service.fallbacks.chain import Chain, Fallbacks
from antiphon.service.fallbacks.credits import Credits
from antiphon.service.fallbacks.run import Run
from antiphon.service.faults import is_down
from antiphon.service.held import Hold
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

_Made = TypeVar("_Made")


class Prepared(Struct, frozen=True):
    """A request that will be answered: nothing about it is wrong. To be closed, whatever becomes of the reply.

    `attempt`: the model that is asked first. `turn`: it is a thread's, and what it comes to is kept. `traffic`:
    counts it, until it has ended. `run`: asks other models where that one declines; None: nobody else is asked.
    `hold`: keeps the models that may answer. `spare`: prepares the same request for another model, where one answers
    for the name too. `credits`: puts tokens into refusals.
    """

    attempt: Attempt
    stream: bool
    turn: Turn | None = None
    traffic: Traffic | None = None
    run: Run | None = None
    hold: Hold | None = None
    spare: "Callable[[], Awaitable[Prepared]] | None" = None
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

    def instead(self, reply: Reply, error: ApiError) -> "Callable[[], Awaitable[Prepared]] | None":
        """Where this reply has failed before its model began, since that is down: what prepares the request for
        another one; None where it has come to an end."""
        if self.spare is None or reply.happened or not is_down(error):
            return None
        if self.passed is not None:
            self.passed.forgo()
        return self.spare

    def _last(self) -> Attempt:
        """The attempt that the reply ends with, once it has ended."""
        return self.attempt if self.run is None else self.run.attempt

    async def aclose(self) -> None:
        """The request has ended."""
        if self.traffic is not None:
            self.traffic.gone()
        self.attempt.release()
        try:
            if self.turn is not None:
                await self.turn.aclose()
        finally:
            if self.hold is not None:
                self.hold.release()


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

    async def prepare(self, body: bytes, context: WireContext, avoid: frozenset[str] = frozenset()) -> Prepared:
        """Check a request from its bytes up; the first thing wrong with it is the error. `avoid`: the ids of models
        that are down."""
        hold = self._intake.hold()
        if self._traffic is not None:
            self._traffic.come()
        try:
            return await self._prepare(body, context, hold, avoid)
        except BaseException:
            hold.release()
            if self._traffic is not None:
                self._traffic.gone()
            raise

    async def _prepare(self, body: bytes, context: WireContext, hold: Hold, avoid: frozenset[str]) -> Prepared:
        watch = None if self._metrics is None else Watch(self._metrics)
        document = await self._intake.read_document(body)
        turn = await self._turn(document, context)
        try:
            document = document if turn is None else turn.document
            _, (attempt, chain) = await self._read(
                document, context, create_of, partial(self._first, document, context, hold, watch), hold, avoid
            )
        except BaseException:
            if turn is not None:
                await turn.aclose()
            raise
        stream, asked = bool(attempt.asked.request.stream), attempt.asked
        run = None
        if chain is not None and self._fallbacks is not None:
            asked, run = chain.asked, Run(self._fallbacks, chain, attempt, whole=not stream)
        spare = None if avoid else self._spare(body, context, asked, attempt.work)
        return Prepared(attempt, stream, turn, self._traffic, run, hold, spare, self._credit)

    async def _first(
        self,
        document: Document,
        context: WireContext,
        hold: Hold,
        watch: Watch | None,
        asked: Asked[CreateMessage],
        served: ServedModel,
    ) -> tuple[Attempt, Chain | None]:
        """The model that is asked first, and who may be asked behind it: where there is such a one, any model may be
        needed until the request has ended."""
        chain = attempt = None
        if self._fallbacks is not None:
            chain = await self._fallbacks.chain(asked, document.size)
        if chain is not None and self._fallbacks is not None:
            hold.settle(None)
            attempt = await self._fallbacks.first(chain, watch)
        if attempt is None:
            work = await self._attempts.plan(asked, served)
            _tell_trace(document, asked, work)
            attempt = await self._attempts.begin(asked, work, context, watch)
        else:
            _tell_trace(document, attempt.asked, attempt.work)
        return attempt, chain

    def _spare(
        self, body: bytes, context: WireContext, asked: Asked[CreateMessage], work: Work
    ) -> Callable[[], Awaitable[Prepared]] | None:
        if not self._intake.has_choice(asked.request.model):
            return None
        return partial(self.prepare, body, context, frozenset((work.served.engine.card.id,)))

    @asynccontextmanager
    async def planned(
        self, body: bytes, context: WireContext
    ) -> AsyncGenerator[tuple[Asked[CreateMessage], Work], None]:
        """What `prepare` would come to, to be looked at: it limits nobody, is not counted, and gives back the thread
        that it goes on with."""
        with self._intake.hold() as hold:
            document = await self._intake.read_document(body)
            turn = await self._turn(document, context)
            try:
                document = document if turn is None else turn.document
                yield await self._read(document, context, create_of, partial(self._alone, document), hold)
            finally:
                if turn is not None:
                    await turn.aclose()

    async def _alone(self, document: Document, asked: Asked[CreateMessage], served: ServedModel) -> Work:
        """The work of the model that is named, where nothing is wrong with those that may be asked behind it."""
        if self._fallbacks is not None:
            await self._fallbacks.chain(asked, document.size)
        return await self._attempts.plan(asked, served)

    async def judge_strictly(self, body: bytes, context: WireContext) -> None:
        """Raise what is wrong with a request that is answered here where nothing but the API's own rules counts."""
        document = await self._intake.read_document(body)
        turn = await self._turn(document, context)
        try:
            await self._intake.judge_strictly(document if turn is None else turn.document, context, create_of)
        finally:
            if turn is not None:
                await turn.aclose()

    async def _read(
        self,
        document: Document,
        context: WireContext,
        parse: Callable[[Document, WireContext], Request],
        work: Callable[[Asked[Request], ServedModel], Awaitable[_Made]],
        hold: Hold,
        avoid: frozenset[str] = frozenset(),
    ) -> tuple[Asked[Request], _Made]:
        """What was asked, and what is made of it: by the model that answers, or, where that turns out to be down, by
        another one that answers for the name."""
        asked, served = await self._intake.read_request(document, context, parse, avoid)
        hold.settle(served)
        try:
            return asked, await work(asked, served)
        except ApiError as error:
            if avoid or not is_down(error) or not self._intake.has_choice(asked.request.model):
                raise
        hold.settle(None)
        down = frozenset((served.engine.card.id,))
        return await self._read(document, context, parse, work, hold, down)

    async def count(self, body: bytes, context: WireContext) -> TokenCount:
        """The `input_tokens` that the same request would be charged."""
        with self._intake.hold() as hold:
            document = await self._intake.read_document(body)
            return (await self._read(document, context, count_of, self._planner.count, hold))[1]

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

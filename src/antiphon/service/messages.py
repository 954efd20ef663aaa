"""Create a message, count its tokens: one road from bytes to a prompt, so that both count the same."""

from msgspec import Struct

from antiphon.config.tables.limits import Group
from antiphon.dialogue.events import Finish
from antiphon.errors import ApiError
from antiphon.ports.guard import Decline
from antiphon.ports.tracing import Asks
from antiphon.request.asked import Asked
from antiphon.request.intake import Document, count_of, create_of
from antiphon.service.intake import Intake
from antiphon.service.limits import Limiter, Passed
from antiphon.service.metrics import Metrics, Watch
from antiphon.service.reply.compaction import Compactions
from antiphon.service.reply.planner import Planner
from antiphon.service.reply.reply import Reply
from antiphon.service.reply.stretches import Batches
from antiphon.service.reply.work import Work
from antiphon.service.threads import Threads, Turn
from antiphon.service.tracing import TRACE, followed
from antiphon.service.traffic import Traffic
from antiphon.service.usage.accounts import Account, Accounts, Both
from antiphon.service.usage.spending import Spending
from antiphon.wire.base import WireContext
from antiphon.wire.reply import TokenCount
from antiphon.wire.request import CreateMessage


class Prepared(Struct, frozen=True):
    """A request that will be answered: nothing about it is wrong. To be closed, whatever becomes of the reply.

    `turn`: it is a thread's, and what it comes to is kept. `traffic`: counts it, until it has ended. `passed`: the
    limits that it was let through, if there are any. `declined`: why it is not answered; None: it is. `account`: is
    told what the reply comes to. `model`: whose promise is kept. `watch`: counts what happens.
    """

    work: Work
    compactions: Compactions
    stream: bool
    turn: Turn | None = None
    traffic: Traffic | None = None
    passed: Passed | None = None
    declined: Decline | None = None
    account: Account | None = None
    model: str = ""
    watch: Watch | None = None

    def reply(self) -> Reply:
        """A reply to it."""
        happenings = self.compactions.events(self.work) if self.declined is None else _refusal(self.declined)
        if self.watch is not None:
            happenings = self.watch.follow(self.model, self.work.read, happenings)
        trace = TRACE.get()
        if trace is not None:
            happenings = followed(trace, happenings)
        meter = self.passed or self.account
        if self.passed is not None and self.account is not None:
            meter = Both(self.passed, self.account)
        return Reply(self.work, happenings, self.turn, meter, whole=not self.stream)

    async def aclose(self) -> None:
        """The request has ended."""
        if self.traffic is not None:
            self.traffic.gone()
        if self.passed is not None:
            self.passed.release()
        if self.turn is not None:
            await self.turn.aclose()


async def _refusal(declined: Decline) -> Batches:
    """A reply that says nothing: no model was asked."""
    yield [Finish("refusal", 0, stop_details=declined.details())]


class MessageService:
    """The Messages use cases. `traffic`: told of each request that somebody waits for. `limiter`: keeps callers to
    their limits, `spending` to what they may spend. `accounts`: is told what replies come to. `group`: which
    limits are theirs. `metrics`: counts replies. Raises `ApiError` only."""

    def __init__(
        self,
        intake: Intake,
        planner: Planner,
        compactions: Compactions,
        threads: Threads,
        traffic: Traffic | None = None,
        limiter: Limiter | None = None,
        accounts: Accounts | None = None,
        spending: Spending | None = None,
        group: Group = "model_group",
        metrics: Metrics | None = None,
    ) -> None:
        self._intake = intake
        self._planner = planner
        self._compactions = compactions
        self._threads = threads
        self._traffic = traffic
        self._limiter = limiter
        self._accounts = accounts
        self._spending = spending
        self._group: Group = group
        self._metrics = metrics

    async def prepare(self, body: bytes, context: WireContext) -> Prepared:
        """Check a request from its bytes up; the first thing wrong with it is the error."""
        if self._traffic is None:
            return await self._prepare(body, context)
        self._traffic.come()
        try:
            return await self._prepare(body, context)
        except BaseException:
            self._traffic.gone()
            raise

    async def _prepare(self, body: bytes, context: WireContext) -> Prepared:
        watch = None if self._metrics is None else Watch(self._metrics)
        document = await self._intake.read_document(body)
        turn = await self._turn(document, context)
        try:
            document = document if turn is None else turn.document
            asked, work = await self._plan(document, context)
            _tell_trace(document, asked, work)
            if self._spending is not None:
                await self._spending.admit(context, asked.target.profile.id)
            passed = None
            if self._limiter is not None:
                names = (asked.request.model, asked.target.profile.id)
                passed = await self._limiter.admit(self._group, context, names, len(work.prompt.tokens))
            try:
                declined = await self._planner.judge(work)
            except BaseException:
                if passed is not None:
                    passed.release()
                raise
        except BaseException:
            if turn is not None:
                await turn.aclose()
            raise
        return Prepared(
            work,
            self._compactions,
            bool(asked.request.stream),
            turn,
            self._traffic,
            passed=passed,
            declined=declined,
            account=None if self._accounts is None else self._accounts.open(work, context),
            model=asked.target.profile.id,
            watch=watch,
        )

    async def plan(self, body: bytes, context: WireContext) -> tuple[Asked[CreateMessage], Work]:
        """What `prepare` would come to, to be looked at: it is no thread's, limits nobody, and is not counted."""
        return await self._plan(await self._intake.read_document(body), context)

    async def _plan(self, document: Document, context: WireContext) -> tuple[Asked[CreateMessage], Work]:
        asked, served = await self._intake.read_request(document, context, create_of)
        return asked, await self._compactions.plan_reply(asked, served)

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

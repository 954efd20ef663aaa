"""Create a message, count its tokens: one road from bytes to a prompt, so that both count the same."""

from dataclasses import dataclass, replace

from antiphon.errors import ApiError
from antiphon.request.intake import Document, count_of, create_of
from antiphon.service.intake import Intake
from antiphon.service.limits import Limiter, Passed
from antiphon.service.metrics import Metrics, Watch
from antiphon.service.reply.compaction import Compactions
from antiphon.service.reply.planner import Planner
from antiphon.service.reply.reply import Reply
from antiphon.service.reply.work import Work
from antiphon.service.threads import Threads, Turn
from antiphon.service.traffic import Traffic
from antiphon.wire.base import WireContext
from antiphon.wire.reply import TokenCount


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that will be answered: nothing about it is wrong. To be closed, whatever becomes of the reply.

    `turn`: it is a thread's, and what it comes to is kept. `traffic`: counts it, until it has ended. `passed`: the
    limits that it was let through, if there are any. `model`: whose promise is kept. `watch`: counts what happens.
    """

    work: Work
    compactions: Compactions
    stream: bool
    turn: Turn | None = None
    traffic: Traffic | None = None
    passed: Passed | None = None
    model: str = ""
    watch: Watch | None = None

    def reply(self) -> Reply:
        """A reply to it."""
        happenings = self.compactions.events(self.work)
        if self.watch is not None:
            happenings = self.watch.follow(self.model, self.work.read, happenings)
        return Reply(self.work, happenings, self.turn, self.passed, whole=not self.stream)

    async def aclose(self) -> None:
        """The request has ended."""
        if self.traffic is not None:
            self.traffic.gone()
        if self.passed is not None:
            self.passed.release()
        if self.turn is not None:
            await self.turn.aclose()


class MessageService:
    """The Messages use cases. `traffic`: told of each request that somebody waits for. `limiter`: keeps callers to
    their limits. `metrics`: counts replies. Raises `ApiError` only."""

    def __init__(
        self,
        intake: Intake,
        planner: Planner,
        compactions: Compactions,
        threads: Threads,
        traffic: Traffic | None = None,
        limiter: Limiter | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._intake = intake
        self._planner = planner
        self._compactions = compactions
        self._threads = threads
        self._traffic = traffic
        self._limiter = limiter
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
            asked, served = await self._intake.read_request(document, context, create_of)
            work = await self._compactions.plan_reply(asked, served)
            passed = None
            if self._limiter is not None:
                names = (asked.request.model, asked.target.profile.id)
                passed = await self._limiter.admit("model_group", context, names, len(work.prompt.tokens))
        except BaseException:
            if turn is not None:
                await turn.aclose()
            raise
        model = asked.target.profile.id
        return Prepared(
            work, self._compactions, bool(asked.request.stream), turn, passed=passed, model=model, watch=watch
        )

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

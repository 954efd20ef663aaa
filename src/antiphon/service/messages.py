"""Create a message, count its tokens: one road from bytes to a prompt, so that both count the same."""

from dataclasses import dataclass

from antiphon.request.intake import parse_count, parse_create
from antiphon.service.intake import Intake
from antiphon.service.reply.compaction import Compactions
from antiphon.service.reply.planner import Planner
from antiphon.service.reply.reply import Reply
from antiphon.service.reply.work import Work
from antiphon.wire.base import WireContext
from antiphon.wire.reply import TokenCount


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that will be answered: nothing about it is wrong."""

    work: Work
    compactions: Compactions
    stream: bool

    def reply(self) -> Reply:
        """A reply to it."""
        return Reply(self.work, self.compactions.events(self.work), whole=not self.stream)


class MessageService:
    """The Messages use cases. Raises `ApiError` only."""

    def __init__(self, intake: Intake, planner: Planner, compactions: Compactions) -> None:
        self._intake = intake
        self._planner = planner
        self._compactions = compactions

    async def prepare(self, body: bytes, context: WireContext) -> Prepared:
        """Check a request from its bytes up; the first thing wrong with it is the error."""
        asked, served = await self._intake.read_request(body, context, parse_create)
        work = await self._compactions.plan_reply(asked, served)
        return Prepared(work, self._compactions, stream=bool(asked.request.stream))

    async def count(self, body: bytes, context: WireContext) -> TokenCount:
        """The `input_tokens` that the same request would be charged."""
        asked, served = await self._intake.read_request(body, context, parse_count)
        return await self._planner.count(asked, served)

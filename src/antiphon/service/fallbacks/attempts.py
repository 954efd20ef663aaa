"""One model's try at a reply: planned, let through by the limits of its model, judged."""

from dataclasses import dataclass

from antiphon.config.tables.limits import Group
from antiphon.dialogue.events import Charge, Finish
from antiphon.ports.guard import Decline
from antiphon.request.asked import Asked
from antiphon.service.limits import Limiter, Passed
from antiphon.service.metrics import Watch
from antiphon.service.reply.compaction import Compactions
from antiphon.service.reply.metering import Meter, metered
from antiphon.service.reply.planner import names_of
from antiphon.service.reply.stretches import Batches
from antiphon.service.reply.work import Work
from antiphon.service.served import ServedModel
from antiphon.service.usage.accounts import Account, Accounts, Both
from antiphon.service.usage.spending import Spending
from antiphon.wire.base import WireContext
from antiphon.wire.request import CreateMessage


@dataclass(frozen=True, slots=True)
class Attempt:
    """Nothing is wrong with it. `declined`: why it is not answered; None: it is. `passed`: the limits that it was let
    through, if there are any. `account`: is told what it comes to. `watch`: counts what happens."""

    asked: Asked[CreateMessage]
    work: Work
    compactions: Compactions
    declined: Decline | None = None
    passed: Passed | None = None
    account: Account | None = None
    watch: Watch | None = None

    @property
    def model(self) -> str:
        """Whose promise is kept."""
        return self.asked.target.profile.id

    def happenings(self) -> Batches:
        """What happens in it. What is declined before a word is said comes to nothing, and is told to no meter."""
        if self.declined is None:
            happenings = self.compactions.events(self.work)
        else:
            happenings = _refusal(self.declined, len(self.work.prompt.tokens))
        watched = None if self.watch is None else self.watch.of(self.model, self.work.read)
        meter = self._meter()
        return happenings if watched is None and meter is None else metered(happenings, meter, watched)

    def _meter(self) -> Meter | None:
        if self.declined is not None:
            return None
        if self.passed is not None and self.account is not None:
            return Both(self.passed, self.account)
        return self.passed or self.account

    def release(self) -> None:
        """It has ended."""
        if self.passed is not None:
            self.passed.release()


class Attempts:
    """Begins them. `limiter`: keeps callers to their limits, `spending` to what they may spend. `accounts`: is told
    what replies come to. `group`: which limits are theirs. Raises `ApiError` only."""

    def __init__(
        self,
        compactions: Compactions,
        limiter: Limiter | None = None,
        accounts: Accounts | None = None,
        spending: Spending | None = None,
        group: Group = "model_group",
    ) -> None:
        self._compactions = compactions
        self._limiter = limiter
        self._accounts = accounts
        self._spending = spending
        self._group: Group = group

    async def plan(self, asked: Asked[CreateMessage], served: ServedModel) -> Work:
        """The work that it is."""
        return await self._compactions.plan_reply(asked, served)

    async def begin(
        self,
        asked: Asked[CreateMessage],
        work: Work,
        context: WireContext,
        watch: Watch | None = None,
        said: str = "",
    ) -> Attempt:
        """The attempt, whose `release` says that it has ended. `said`: by models before it, and gone on from."""
        if self._spending is not None:
            await self._spending.admit(context, asked.target.profile.id)
        passed = None
        if self._limiter is not None:
            names = (asked.target.profile.id,) if asked.target.instead else names_of(asked)
            passed = await self._limiter.admit(self._group, context, names, len(work.prompt.tokens))
        try:
            declined = await self._compactions.shop.planner.judge(asked, work)
        except BaseException:
            if passed is not None:
                passed.release()
            raise
        if declined is None and said and work.watch is not None:
            heard = work.watch.add([said])
            declined = None if heard is None else heard[1]
        if declined is not None and passed is not None:
            passed.forgo()
        account = None if self._accounts is None or declined is not None else self._accounts.open(work, context)
        return Attempt(asked, work, self._compactions, declined, passed, account, watch)


async def _refusal(declined: Decline, tokens: int) -> Batches:
    """A reply that says nothing: no model was asked."""
    yield [Finish("refusal", 0, stop_details=declined.details(), charge=Charge(tokens))]

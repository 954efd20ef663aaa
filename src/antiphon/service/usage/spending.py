"""What may be spent in a month: held against what has been, in all servers of one database.

Each process goes by what the database said some seconds ago, and what has ended in itself since then. Replies that
have begun are not broken off, so that the last of a month may go a little beyond.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final

from antiphon.config.tables.limits import LimitRule
from antiphon.errors import InvalidRequest
from antiphon.ports.stores import StoreError
from antiphon.ports.system import Clock
from antiphon.ports.usage import UsageQuery, UsageRecord, UsageSum
from antiphon.service.usage.book import UsageBook
from antiphon.service.usage.costs import Costs
from antiphon.wire.base import WireContext
from antiphon.wire.moments import micros

log = logging.getLogger(__name__)

FRESH: Final = 5.0
"""Seconds for which a process goes by what the database has said."""

RECOUNT: Final = 600.0
"""Seconds after which the whole month is summed up again, as records may come late; until then only its last part."""

_LATE: Final = 120.0
_PATIENCE: Final = 1.0
_CENTS: Final = 100
_DECEMBER: Final = 12
_ALL: Final = 2**62
_MICROS: Final = 1_000_000
_NOTHING: Final = Decimal(0)
_MOST_KNOWN: Final = 1_000
"""Models of which it is remembered which limits are theirs."""

_Subject = tuple[str, str, str]
_Tally = dict[_Subject, Decimal]


class Spending:
    """Keeps callers to what they may spend. Refuses with the API's words."""

    def __init__(self, rules: Sequence[LimitRule], book: UsageBook, costs: Costs, clock: Clock) -> None:
        self._rules = [rule for rule in rules if rule.dollars_per_month]
        self._known: dict[str, list[tuple[LimitRule, Decimal]]] = {}
        self._book = book
        self._costs = costs
        self._clock = clock
        self._month = 0
        self._until = float("-inf")
        self._cut = 0
        self._counted = self._tried = float("-inf")
        self._settled: _Tally = {}
        self._recent: _Tally = {}
        self._own: _Tally = defaultdict(Decimal)
        self._looking: asyncio.Task[None] | None = None
        self._patient_until = 0.0

    def heed(self, rules: Sequence[LimitRule]) -> None:
        """Keep callers to these from now on. What was spent is counted again for them."""
        rules = [rule for rule in rules if rule.dollars_per_month]
        if rules != self._rules:
            self._rules, self._month, self._tried = rules, 0, float("-inf")
            self._known = {}

    async def admit(self, context: WireContext, model: str) -> None:
        """Let a request through for a model, by the name that replies have; raises the API's 400. A database that
        does not answer keeps nobody waiting."""
        if not self._rules:
            return
        await self._refresh()
        for rule, most in self._of(model):
            if self._spent(_subject(rule, context.tenant, context.key)) >= most:
                whose = "specified workspace API" if rule.per == "workspace" else "specified API"
                again = f"{_months(self._clock.now())[1]:%Y-%m-%d} at 00:00 UTC"
                raise InvalidRequest(
                    f"You have reached your {whose} usage limits. You will regain access on {again}."
                )

    def note(self, record: UsageRecord) -> None:
        """This has been spent too."""
        if not self._rules:
            return
        cents = self._costs.total(record.model, record.tier, record.tokens)
        for rule, _ in self._of(record.model):
            self._own[_subject(rule, record.workspace, record.key or "")] += cents

    async def aclose(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))

    def _spent(self, subject: _Subject) -> Decimal:
        nothing = _NOTHING
        settled, recent = self._settled.get(subject, nothing), self._recent.get(subject, nothing)
        return settled + recent + self._own.get(subject, nothing)

    def _of(self, model: str) -> list[tuple[LimitRule, Decimal]]:
        """The limits that hold for a model, each with the cents that it allows."""
        found = self._known.get(model)
        if found is None:
            fit = [rule for rule in self._rules if any(fnmatchcase(model, each) for each in rule.models)]
            found = [(rule, Decimal(repr(rule.dollars_per_month)) * _CENTS) for rule in fit]
            if len(self._known) < _MOST_KNOWN:
                self._known[model] = found
        return found

    async def _refresh(self) -> None:
        now = self._clock.now()
        if not self._month or not self._month <= now * _MICROS < self._until:
            begun, ends = _months(now)
            self._month, self._until = micros(begun.timestamp()), ends.timestamp() * _MICROS
            self._counted = float("-inf")
            self._settled, self._recent, self._own = {}, {}, defaultdict(Decimal)
        month = self._month
        if self._looking is None and not 0 <= now - self._tried < FRESH:
            self._tried = now
            self._patient_until = asyncio.get_running_loop().time() + _PATIENCE
            self._looking = asyncio.create_task(self._look(month, now))
        if self._looking is not None and self._counted == float("-inf"):
            # Nothing is known yet.
            left = self._patient_until - asyncio.get_running_loop().time()
            await asyncio.wait((self._looking,), timeout=max(0.0, left))

    async def _look(self, month: int, now: float) -> None:
        # All of that is in the sums below, and nearly nothing of what comes meanwhile.
        own, self._own = self._own, defaultdict[_Subject, Decimal](Decimal)
        try:
            if not await self._book.flush():
                return
            recounts = not 0 <= now - self._counted < RECOUNT
            cut = max(month, micros(now - _LATE)) if recounts else self._cut
            settled = await self._sums(month, cut) if recounts else self._settled
            recent = await self._sums(cut, _ALL)
            own = {}
            if month == self._month:
                self._settled, self._recent, self._cut = settled, recent, cut
                self._counted = now if recounts else self._counted
        except StoreError as problem:
            log.warning("limits: what others have spent is not known: %s", problem)
        finally:
            for subject, cents in own.items():
                self._own[subject] += cents
            self._looking = None

    async def _sums(self, since: int, until: int) -> _Tally:
        query = UsageQuery(since, until, _ALL, ("workspace", "key", "model", "tier"))
        return self._tallied(await self._book.written(query))

    def _tallied(self, sums: Iterable[UsageSum]) -> _Tally:
        tally: _Tally = defaultdict(Decimal)
        for each in sums:
            told = {name: value or "" for name, value in each.told.items()}
            cents = self._costs.total(told["model"], told["tier"], each.tokens)
            for rule, _ in self._of(told["model"]):
                tally[_subject(rule, told["workspace"], told["key"])] += cents
        return dict(tally)


def _subject(rule: LimitRule, workspace: str, key: str) -> _Subject:
    match rule.per:
        case "organization":
            return rule.name, "", ""
        case "workspace":
            return rule.name, workspace, ""
        case "key":
            return rule.name, workspace, key


def _months(now: float) -> tuple[datetime, datetime]:
    """When the month of UTC has begun, and when the next one does."""
    begun = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year, month = (begun.year + 1, 1) if begun.month == _DECEMBER else (begun.year, begun.month + 1)
    return begun, begun.replace(year=year, month=month)

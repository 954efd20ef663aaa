"""Reports of what requests came to, and of what that cost."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from antiphon.ports.stores import StoreError
from antiphon.ports.system import Clock
from antiphon.ports.usage import Dimension, Tokens, UsageQuery, UsageSum
from antiphon.request.usage.reports import SPEED, Query, Report, bucket_time, cost_report, cursor, usage_report
from antiphon.service.faults import store_error
from antiphon.service.usage.book import UsageBook
from antiphon.service.usage.costs import Cost, Costs, spelled
from antiphon.wire.moments import micros
from antiphon.wire.reply import CacheCreation
from antiphon.wire.usage import (
    CostBucket,
    CostReport,
    CostResult,
    SearchUse,
    TokenType,
    UsageBucket,
    UsageReport,
    UsageResult,
)

_PRICED: Final[tuple[Dimension, ...]] = ("model", "tier")
_DESCRIBED: Final[tuple[Dimension, ...]] = (*_PRICED, "window", "geo")
_WORDS: Final[Mapping[TokenType, str]] = {
    "uncached_input_tokens": "Input Tokens",
    "cache_creation.ephemeral_5m_input_tokens": "Input Tokens, Cache Write (5m)",
    "cache_creation.ephemeral_1h_input_tokens": "Input Tokens, Cache Write (1h)",
    "cache_read_input_tokens": "Input Tokens, Cache Hit",
    "output_tokens": "Output Tokens",
}


class Reports:
    """Makes reports of what is in the book. Raises `ApiError` only."""

    def __init__(self, book: UsageBook, costs: Costs, clock: Clock) -> None:
        self._book = book
        self._costs = costs
        self._clock = clock

    async def usage(self, query: Query, *, speeds: bool = False) -> UsageReport:
        """What requests came to. `speeds`: may be told apart."""
        report = usage_report(query, micros(self._clock.now()), speeds=speeds)
        found: dict[int, list[UsageResult]] = defaultdict(list)
        for each in await self._sums(report, report.by):
            found[each.since].append(_result(each, report.groups))
        data = [
            UsageBucket(starting_at=bucket_time(at), ending_at=bucket_time(at + report.width), results=found[at])
            for at in report.starts
        ]
        return UsageReport(data=data, has_more=report.next is not None, next_page=_next(report))

    async def cost(self, query: Query) -> CostReport:
        """What that cost, as far as there are prices."""
        report = cost_report(query, micros(self._clock.now()))
        described = "description" in report.groups
        by = (*report.by, *(_DESCRIBED if described else _PRICED))
        found: dict[int, list[CostResult]] = defaultdict(list)
        totals: dict[tuple[int, str | None], Decimal] = defaultdict(Decimal)
        for each in await self._sums(report, by):
            for cost in self._costs.items(each.told["model"] or "", each.told["tier"] or "", each.tokens):
                workspace = each.told.get("workspace")
                if described:
                    found[each.since].append(_described(each, cost, workspace))
                else:
                    totals[each.since, workspace] += cost.cents
        for (since, workspace), cents in totals.items():
            found[since].append(CostResult(amount=spelled(cents), workspace_id=workspace))
        data = [
            CostBucket(starting_at=bucket_time(at), ending_at=bucket_time(at + report.width), results=found[at])
            for at in report.starts
        ]
        return CostReport(data=data, has_more=report.next is not None, next_page=_next(report))

    async def _sums(self, report: Report, by: Sequence[Dimension]) -> Sequence[UsageSum]:
        if report.only is None or not report.starts:
            return ()
        try:
            return await self._book.sums(UsageQuery(report.since, report.until, report.width, by, report.only))
        except StoreError as problem:
            raise store_error(problem) from problem


def _next(report: Report) -> str | None:
    return None if report.next is None else cursor(report.next)


def _result(each: UsageSum, groups: frozenset[str]) -> UsageResult:
    tokens, told = each.tokens, each.told
    return UsageResult(
        uncached_input_tokens=tokens.uncached,
        cache_creation=_kept(tokens),
        cache_read_input_tokens=tokens.read,
        output_tokens=tokens.output,
        server_tool_use=SearchUse(web_search_requests=tokens.searches),
        api_key_id=told.get("key"),
        context_window=told.get("window"),
        inference_geo=told.get("geo"),
        model=told.get("model"),
        service_tier=told.get("tier"),
        speed=SPEED if "speed" in groups else None,
        workspace_id=told.get("workspace"),
    )


def _kept(tokens: Tokens) -> CacheCreation:
    return CacheCreation(ephemeral_5m_input_tokens=tokens.brief, ephemeral_1h_input_tokens=tokens.lasting)


def _described(each: UsageSum, cost: Cost, workspace: str | None) -> CostResult:
    told = each.told
    if cost.token is None:
        return CostResult(
            amount=spelled(cost.cents), cost_type=cost.kind, description="Web Search Usage", workspace_id=workspace
        )
    batch = " (Batch)" if told["tier"] == "batch" else ""
    return CostResult(
        amount=spelled(cost.cents),
        cost_type=cost.kind,
        description=f"{told['model']} Usage{batch} - {_WORDS[cost.token]}",
        model=told["model"],
        token_type=cost.token,
        service_tier=told["tier"],
        context_window=told["window"],
        inference_geo=told["geo"],
        workspace_id=workspace,
    )

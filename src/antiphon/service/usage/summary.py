"""Use and what it cost, summed up as the owner wants to see it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Literal

from antiphon.ports.keys import KeyStore
from antiphon.ports.usage import Dimension, Tokens, UsageQuery, UsageStore
from antiphon.service.usage.costs import Costs

Column = Literal["day", "workspace", "key", "model", "tier"]

COLUMNS: Final[tuple[Column, ...]] = ("day", "workspace", "key", "model", "tier")

NO_KEY: Final = "none"
"""What stands for the key of requests that showed none."""

_PRICED: Final[tuple[Dimension, ...]] = ("model", "tier")
_DAY: Final = 86_400_000_000
_MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """What is alike in the columns that were asked for (`told`). `cents`: what it cost."""

    told: tuple[str, ...]
    requests: int
    tokens: Tokens
    cents: Decimal


async def lines(
    store: UsageStore, keys: KeyStore, costs: Costs, columns: Sequence[Column], since: int, until: int
) -> list[Line]:
    """The lines, in the order of what they tell, and of the days from `since` to `until` whole ones. Raises
    `StoreError`."""
    # Prices are those of models, and of batches.
    wanted: list[Dimension] = []
    for each in (*columns, *_PRICED):
        if each != "day" and each not in wanted:
            wanted.append(each)
    names = await _names(keys)
    found: dict[tuple[str, ...], Line] = defaultdict(lambda: Line((), 0, Tokens(), Decimal(0)))
    for some in await store.sums(UsageQuery(since, until, _DAY, wanted)):
        told = tuple(_said(column, some.since, some.told, names) for column in columns)
        cents = costs.total(some.told["model"] or "", some.told["tier"] or "", some.tokens)
        line = found[told]
        found[told] = Line(told, line.requests + some.requests, line.tokens + some.tokens, line.cents + cents)
    return [found[told] for told in sorted(found)]


async def _names(keys: KeyStore) -> Mapping[str, str]:
    """What people call keys and workspaces, by their ids."""
    names: dict[str, str] = {}
    for key in await keys.all():
        names |= {key.id: key.name, key.workspace: key.workspace_name}
    return names


def _said(column: Column, since: int, told: Mapping[Dimension, str | None], names: Mapping[str, str]) -> str:
    if column == "day":
        return f"{datetime.fromtimestamp(since / _MICROS, UTC):%Y-%m-%d}"
    value = told[column]
    return NO_KEY if value is None else names.get(value, value)

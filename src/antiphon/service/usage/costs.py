"""What use costs, by the prices of the settings; exact, in cents."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final

from antiphon.config.tables.prices import OtherPrices, Price
from antiphon.ports.usage import Tokens
from antiphon.wire.usage import CostType, TokenType

_Units = tuple[tuple[TokenType, Decimal], ...]

_MOST_KNOWN: Final = 1_000
"""Models of which it is remembered what their tokens cost."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one kind of use cost. `token`: of which kind the tokens were."""

    kind: CostType
    token: TokenType | None
    cents: Decimal


class Costs:
    """Knows the prices: the first counts whose pattern fits, and what none fits costs nothing."""

    def __init__(self, prices: Sequence[Price], other: OtherPrices) -> None:
        self._prices = prices
        self._known: dict[tuple[str, str], _Units] = {}
        self._search = _exact(other.web_search).scaleb(-1)  # of dollars for a thousand

    def items(self, model: str, tier: str, tokens: Tokens) -> list[Cost]:
        """What use of a model cost, each kind that there was for itself."""
        counts = _counts(tokens)
        items = [
            Cost("tokens", kind, count * each)
            for (kind, each), count in zip(self._units(model, tier), counts, strict=True)
            if count
        ]
        if tokens.searches:
            items.append(Cost("web_search", None, tokens.searches * self._search))
        return items

    def total(self, model: str, tier: str, tokens: Tokens) -> Decimal:
        """All of that together."""
        cents = tokens.searches * self._search
        for (_, each), count in zip(self._units(model, tier), _counts(tokens), strict=True):
            if count:
                cents += count * each
        return cents

    def _units(self, model: str, tier: str) -> "_Units":
        """What one token costs, by its kind; see `_counts`."""
        known = self._known.get((model, tier))
        if known is not None:
            return known
        price = next((each for each in self._prices if fnmatchcase(model, each.models)), Price(model))
        part = _exact(price.batch if tier == "batch" else 1.0)
        prices: tuple[tuple[TokenType, float], ...] = (
            ("uncached_input_tokens", price.input),
            ("cache_creation.ephemeral_5m_input_tokens", price.cache_write_5m),
            ("cache_creation.ephemeral_1h_input_tokens", price.cache_write_1h),
            ("cache_read_input_tokens", price.cache_read),
            ("output_tokens", price.output),
        )
        units: _Units = tuple(
            (kind, (_exact(each) * part).scaleb(-4)) for kind, each in prices
        )  # of dollars for a million
        if len(self._known) < _MOST_KNOWN:
            self._known[model, tier] = units
        return units


def _counts(tokens: Tokens) -> tuple[int, int, int, int, int]:
    return tokens.uncached, tokens.brief, tokens.lasting, tokens.read, tokens.output


def spelled(cents: Decimal) -> str:
    """An amount as it travels: no exponent, no zeros at its end."""
    return format(cents.normalize(), "f")


def _exact(number: float) -> Decimal:
    """The number as the owner has written it."""
    return Decimal(repr(number))

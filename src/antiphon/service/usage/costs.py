"""What use costs, by the prices of the settings; exact, in cents."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase

from antiphon.config.tables.prices import OtherPrices, Price
from antiphon.ports.usage import Tokens
from antiphon.wire.usage import CostType, TokenType


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
        self._search = _exact(other.web_search).scaleb(-1)  # of dollars for a thousand

    def items(self, model: str, tier: str, tokens: Tokens) -> list[Cost]:
        """What use of a model cost, each kind that there was for itself."""
        price = next((each for each in self._prices if fnmatchcase(model, each.models)), Price(model))
        part = _exact(price.batch if tier == "batch" else 1.0)
        counted: tuple[tuple[TokenType, int, float], ...] = (
            ("uncached_input_tokens", tokens.uncached, price.input),
            ("cache_creation.ephemeral_5m_input_tokens", tokens.brief, price.cache_write_5m),
            ("cache_creation.ephemeral_1h_input_tokens", tokens.lasting, price.cache_write_1h),
            ("cache_read_input_tokens", tokens.read, price.cache_read),
            ("output_tokens", tokens.output, price.output),
        )
        items = [
            Cost("tokens", kind, count * (_exact(each) * part).scaleb(-4))  # of dollars for a million
            for kind, count, each in counted
            if count
        ]
        if tokens.searches:
            items.append(Cost("web_search", None, tokens.searches * self._search))
        return items

    def total(self, model: str, tier: str, tokens: Tokens) -> Decimal:
        """All of that together."""
        return sum((each.cents for each in self.items(model, tier, tokens)), Decimal(0))


def spelled(cents: Decimal) -> str:
    """An amount as it travels: no exponent, no zeros at its end."""
    return format(cents.normalize(), "f")


def _exact(number: float) -> Decimal:
    """The number as the owner has written it."""
    return Decimal(repr(number))

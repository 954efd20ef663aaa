"""Prices that the settings say, and exact sums of them."""

from decimal import Decimal

from antiphon.config import OtherPrices, Price
from antiphon.ports.usage import Tokens
from antiphon.service.usage.costs import Costs, spelled


def test_the_first_price_that_fits_counts_and_batches_cost_their_part() -> None:
    costs = Costs((Price("m-*", 0.1, 0.3), Price("*", 7.0)), OtherPrices())
    assert costs.total("m-1", "standard", Tokens(uncached=1, output=2)) == Decimal("0.00007")
    assert costs.total("m-1", "batch", Tokens(uncached=1, output=2)) == Decimal("0.000035")
    assert costs.total("n", "standard", Tokens(uncached=10_000)) == 7
    assert Costs((), OtherPrices()).total("n", "standard", Tokens(uncached=10_000)) == 0


def test_an_amount_is_spelled_out() -> None:
    assert [spelled(Decimal(text)) for text in ("0", "0.000070", "1E+3", "12.50")] == ["0", "0.00007", "1000", "12.5"]

"""`[prices]`: what replies cost, for reports and limits. One table inside it for the models that cost the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from antiphon.config.kinds import Number
from antiphon.config.option import Option, Table, key_of
from antiphon.config.reading import ConfigError, read_options

_BATCH: Final = 0.5
_READ: Final = 0.1
_BRIEF: Final = 1.25
_LASTING: Final = 2.0


@dataclass(frozen=True, slots=True)
class Price:
    """What models cost whose names fit the pattern `models`: dollars for a million tokens, by what is done with them.
    `batch`: times so much in batches."""

    models: str
    input: float = 0.0
    output: float = 0.0
    cache_read: float = 0.0
    cache_write_5m: float = 0.0
    cache_write_1h: float = 0.0
    batch: float = _BATCH


@dataclass(frozen=True, slots=True)
class OtherPrices:
    """What is paid for beside tokens: a thousand searches of the web (`web_search`)."""

    web_search: float = 0.0


_DOLLARS: Final = Number(0, 1_000_000, "DOLLARS")
PRICE_OPTIONS: Final = (
    Option("input", _DOLLARS, 0.0, "A million tokens of prompts.", None),
    Option("output", _DOLLARS, 0.0, "A million tokens that models write.", None),
    Option("cache_read", _DOLLARS, None, "A million tokens that a cache had.", None, unset="0.1 times input"),
    Option("cache_write_5m", _DOLLARS, None, "The same, kept for five minutes.", None, unset="1.25 times input"),
    Option("cache_write_1h", _DOLLARS, None, "The same, kept for an hour.", None, unset="2 times input"),
    Option("batch", Number(0, 1), _BATCH, "Times so much where they are in batches.", None),
)


def _read(
    tables: Mapping[str, Mapping[str, Any]], _said: Mapping[str, Any], _env: Mapping[str, str], where: str
) -> tuple[Price, ...]:
    return tuple(_price(name, table, f'{where}, [prices."{name}"]') for name, table in tables.items())


def _price(name: str, table: Mapping[str, Any], place: str) -> Price:
    given = read_options(table, PRICE_OPTIONS, place)
    if not given:
        raise ConfigError(f"{place}: no price is said; write input = 5 and output = 25, for one")
    asked = given.get("input", 0.0)
    usual = {"cache_read": asked * _READ, "cache_write_5m": asked * _BRIEF, "cache_write_1h": asked * _LASTING}
    return Price(name, **{**usual, **given})


PRICES: Final = Table(
    "prices",
    "What replies cost, in dollars for a million tokens: a table [prices.PATTERN] for each kind of model; the "
    "first that fits counts, and none is there by default. See docs/usage.md.",
    OtherPrices,
    (
        key_of(
            "prices",
            OtherPrices(),
            "web_search",
            Number(0, 1_000_000, "DOLLARS"),
            "Dollars for a thousand searches of the web.",
        ),
    ),
    field="other_prices",
    inner=_read,
)

"""Prices in the file."""

from typing import Any

import pytest

from antiphon.config import ConfigError, Price, parse_settings


def prices(**tables: Any) -> tuple[Price, ...]:
    return parse_settings({}, {}, {"prices": tables}).prices


def test_what_is_not_said_follows_from_the_price_of_input() -> None:
    assert prices(**{"m-*": {"input": 10, "output": 50}}) == (Price("m-*", 10.0, 50.0, 1.0, 12.5, 20.0, 0.5),)
    given = prices(m={"input": 1, "cache_read": 0.3, "batch": 1}, n={"output": 2})
    assert given == (Price("m", 1.0, 0.0, 0.3, 1.25, 2.0, 1.0), Price("n", 0.0, 2.0))


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ({}, r'\[prices\."m"\]: no price is said'),
        ({"input": -1}, r'\[prices\."m"\] input: -1 is not a number from 0 to'),
        ({"price": 1}, r"\[prices\.\"m\"\]: unknown key 'price'"),
    ],
)
def test_a_wrong_price_stops_the_start(table: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        prices(m=table)

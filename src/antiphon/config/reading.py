"""Reading what a TOML file says, and what it is told when that is wrong."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, cast

from antiphon.config.option import Option


class ConfigError(Exception):
    """A setting is wrong. The text names it, says where it came from, and what to write instead."""


def nearest(word: str, known: Collection[str]) -> str:
    """`; did you mean 'x'?`, or nothing when none of the known words is near."""
    close = get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def as_table(value: Any, place: str, instead: str) -> Mapping[str, Any]:
    """The value as a TOML table; ConfigError that says what to write instead."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{place}: this must be a table; write {instead}")
    return cast("Mapping[str, Any]", value)


def read_options(
    table: Mapping[str, Any], options: Collection[Option], place: str, extra: Collection[str] = ()
) -> dict[str, Any]:
    """The options that a TOML table sets, by name; `extra` are keys that someone else reads."""
    known = {option.key: option for option in options}
    given: dict[str, Any] = {}
    for key, value in table.items():
        if key in extra:
            continue
        if key not in known:
            raise ConfigError(_unknown(key, value, [*known, *extra], place))
        try:
            given[known[key].name] = known[key].kind.from_toml(value)
        except ValueError as wrong:
            raise ConfigError(f"{place}{' ' if place.endswith(']') else ', '}{key}: {wrong}") from None
    return given


def _unknown(key: str, value: Any, known: Collection[str], place: str) -> str:
    dotted = ""
    if isinstance(value, Mapping) and place.endswith("]"):
        # TOML reads the dots of [models.qwen2.5] as nesting.
        table, _, name = place.rpartition("[")[2].removesuffix("]").partition(".")
        dotted = f'; if the id has a dot, quote it: [{table}."{name}.{key}"]'
    return f"{place}: unknown key '{key}'{nearest(key, known) or dotted} (allowed: {', '.join(known)})"

"""`antiphon usage`."""

import csv
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import click
from rich.console import Console

from antiphon.cli.cards import print_rows
from antiphon.cli.options import load_settings, setting_options
from antiphon.cli.said import complain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.service.usage.summary import Column, Line

_DAYS: Final = re.compile(r"([0-9]{1,4})d")
_COUNTS: Final = ("requests", "input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_searches")
_COLUMNS: Final = ("day", "workspace", "key", "model", "tier")
_MICROS: Final = 1_000_000
_PLACES: Final = 4


class _Day(click.ParamType[datetime]):
    """A day of UTC, as people write it."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """When it begins."""
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if (match := _DAYS.fullmatch(str(value))) is not None:
            return today - timedelta(days=int(match[1]))
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            self.fail("a day is 2026-11-30, or 30d for thirty days ago", param, ctx)


class _Columns(click.ParamType[tuple[str, ...]]):
    """What is told apart."""

    name = "columns"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The columns, in their order."""
        named = tuple(dict.fromkeys(part.strip() for part in str(value).split(",") if part.strip()))
        if not named or not set(named) <= set(_COLUMNS):
            self.fail(f"it is told apart by {', '.join(_COLUMNS)}; several with commas", param, ctx)
        return named


@click.command(short_help="What requests came to, and what they cost.")
@click.option("--since", type=_Day(), default="30d", metavar="DAY", help="The first day, in UTC. [default: 30d]")
@click.option("--until", type=_Day(), default="0d", metavar="DAY", help="The last day. [default: today]")
@click.option(
    "--by",
    "columns",
    type=_Columns(),
    default="model",
    metavar="COLUMN,…",
    help=f"What is told apart: {', '.join(_COLUMNS)}. [default: model]",
)
@click.option("--csv", "as_csv", is_flag=True, help="Lines for a spreadsheet, in place of a table.")
@setting_options(("stores_data",))
def usage(since: datetime, until: datetime, columns: tuple[str, ...], as_csv: bool, **given: Any) -> None:
    """What requests came to, and what they cost by the prices of the settings.

    A server that runs writes down what has come to an end within seconds. See docs/usage.md.
    """
    settings = load_settings(given)
    # The databases' libraries take half a second to import.
    import asyncio

    from antiphon.compose.usage import lines_of
    from antiphon.ports.stores import StoreError

    bounds = (round(since.timestamp()) * _MICROS, round((until + timedelta(days=1)).timestamp()) * _MICROS)
    try:
        found = asyncio.run(lines_of(settings, cast("Sequence[Column]", columns), *bounds))
    except (StoreError, OSError) as problem:
        complain(problem)
        sys.exit(1)
    if as_csv:
        _write(columns, found)
    else:
        _show(columns, found)


def _write(columns: tuple[str, ...], lines: "Sequence[Line]") -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow([*columns, *_COUNTS, "cost_usd"])
    for line in lines:
        out.writerow([*line.told, *_counted(line), f"{line.cents.scaleb(-2).normalize():f}"])


def _show(columns: tuple[str, ...], lines: "Sequence[Line]") -> None:
    counts = tuple(name.replace("_", " ") for name in (*_COUNTS, "cost_usd"))
    rows = [(*line.told, *(f"{count:,}" for count in _counted(line)), _dollars(line)) for line in lines]
    sums = [sum(counts) for counts in zip(*map(_counted, lines), strict=True)] or [0] * len(_COUNTS)
    whole = f"{sum(line.cents for line in lines) / 100:,.{_PLACES}f}"
    rows.append(("all", *("" for _ in columns[1:]), *(f"{total:,}" for total in sums), whole))
    print_rows(Console(width=None if sys.stdout.isatty() else 200), (*columns, *counts), rows, right=counts)


def _counted(line: "Line") -> list[int]:
    """The counts, in the order of their columns."""
    tokens = line.tokens
    kept = (tokens.read, tokens.brief, tokens.lasting)
    return [line.requests, tokens.uncached, *kept, tokens.output, tokens.searches]


def _dollars(line: "Line") -> str:
    return f"{line.cents / 100:,.{_PLACES}f}"

"""`antiphon top`."""

import time
from typing import Final

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from antiphon.cli.said import complain
from antiphon.clients.metrics import Between, MetricsError, Reading, scrape

_NOTHING: Final = Reading(0.0)
_COLUMNS: Final = ("model", "up", "waiting", "replies/s", "in/s", "out/s", "cached", "first", "each")


@click.command()
@click.option(
    "--url",
    envvar="ANTHROPIC_BASE_URL",
    default="http://127.0.0.1:8484",
    metavar="URL",
    help="Where the server answers. [ANTHROPIC_BASE_URL; default: http://127.0.0.1:8484]",
)
@click.option(
    "--key", envvar="ANTIPHON_METRICS_KEYS", default="any", metavar="KEY", help="Its key. [ANTIPHON_METRICS_KEYS]"
)
@click.option("--interval", type=click.FloatRange(0.5, 3600), default=2.0, help="Seconds between two looks.")
@click.option("--once", is_flag=True, help="Say what there was since the server's start, and end.")
@click.pass_context
def top(ctx: click.Context, url: str, key: str, interval: float, once: bool) -> None:
    """Watch a server: what its models do, read from its metrics. Ctrl-C ends it.

    Rates, shares and times are those since the last look, or with --once since the server's start.
    """
    shown = key.partition(",")[0].strip()
    try:
        now = scrape(url, shown)
        if once:
            Console().print(view(Between(_NOTHING, now), whole=True))
            return
        with Live(view(Between(now, now)), screen=True, auto_refresh=False) as live:
            while True:
                time.sleep(interval)
                before, now = now, scrape(url, shown)
                live.update(view(Between(before, now)), refresh=True)
    except MetricsError as problem:
        complain(problem)
        ctx.exit(1)
    except KeyboardInterrupt:
        ctx.exit(0)


def view(seen: Between, *, whole: bool = False) -> Group:
    """What is shown. `whole`: of all the time since the start, so numbers and no rates."""
    now = seen.after
    unit = "" if whole else "/s"
    table = Table(box=None, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column.replace("/s", unit), justify="left" if column == "model" else "right")
    for model in now.values_of("model"):
        table.add_row(*_row(seen, model, whole=whole))
    calls = seen.more if whole else seen.rate
    total = calls("antiphon_requests_total")
    refused = sum(calls("antiphon_requests_total", status=status) for status in ("429", "500", "529"))
    head = f"{now.sum('antiphon_requests_in_flight'):g} open, {_number(total)}{unit} requests"
    lines = [Text(f"{head}, {_number(refused)}{unit} turned away or failed"), table]
    if down := [url for url in now.values_of("endpoint") if now.least("antiphon_endpoint_up", endpoint=url) == 0]:
        lines.append(Text(f"out of service: {', '.join(down)}", style="red"))
    if left := now.sum("antiphon_batch_requests", state="running"):
        lines.append(Text(f"batches: {left:g} requests run"))
    return Group(*lines)


def _row(seen: Between, model: str, *, whole: bool) -> list[str]:
    calls = seen.more if whole else seen.rate
    up = seen.after.least("antiphon_engine_up", model=model)
    tokens = {kind: calls("antiphon_tokens_total", model=model, kind=kind) for kind in _KINDS}
    read = tokens["input"] + tokens["cache_read"] + tokens["cache_creation"]
    return [
        model,
        "" if up is None else ("yes" if up else "no"),
        "" if up is None else f"{seen.after.sum('antiphon_engine_waiting', model=model):g}",
        _number(calls("antiphon_replies_total", model=model)),
        _number(read),
        _number(tokens["output"]),
        f"{tokens['cache_read'] / read:.0%}" if read else "",
        _time(seen.mean("antiphon_time_to_first_token_seconds", model=model)),
        _time(seen.mean("antiphon_time_per_output_token_seconds", model=model)),
    ]


_KINDS: Final = ("input", "output", "cache_read", "cache_creation")


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"

"""`antiphon conformance`."""

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from antiphon.cli.said import complain, say
from antiphon.config import ConfigError
from antiphon.words import unreached

if TYPE_CHECKING:
    from antiphon.conformance.running import Outcome


@click.command(short_help="Test a server of the Messages API, this one or any other.")
@click.option(
    "--url",
    envvar="ANTHROPIC_BASE_URL",
    default="http://127.0.0.1:8484",
    metavar="URL",
    help="Where the server answers. [ANTHROPIC_BASE_URL; default: http://127.0.0.1:8484]",
)
@click.option("--key", envvar="ANTHROPIC_API_KEY", default="any", metavar="KEY", help="Its key. [ANTHROPIC_API_KEY]")
@click.option("--model", metavar="NAME", help="The model to ask; without it the first that the server lists.")
@click.option("--only", multiple=True, metavar="NAME", help="This subject or check; repeatable. --list names them.")
@click.option("--list", "listing", is_flag=True, help="Name the checks, ask nothing.")
@click.option(
    "--timeout", type=click.FloatRange(1), default=60.0, metavar="S", help="Seconds without a byte. [default: 60]"
)
@click.option("--parallel", type=click.IntRange(1, 32), default=4, metavar="N", help="Checks at once. [default: 4]")
@click.option("--json", "json_file", type=click.File("w", "utf-8"), metavar="FILE", help="Write a report as JSON.")
@click.option(
    "--junit", "junit_file", type=click.File("w", "utf-8"), metavar="FILE", help="Write one as JUnit's XML."
)
@click.option("--html", "html_file", type=click.Path(path_type=Path), metavar="FILE", help="Write one as a page.")
@click.option("--verbose", "-v", is_flag=True, help="Also show what passed.")
@click.pass_context
def conformance(
    ctx: click.Context,
    url: str,
    key: str,
    model: str | None,
    only: tuple[str, ...],
    listing: bool,
    timeout: float,
    parallel: int,
    json_file: TextIO | None,
    junit_file: TextIO | None,
    html_file: Path | None,
    verbose: bool,
) -> None:
    """Test a server of the Messages API, this one or any other: what holds for every right server, whatever its model
    writes.

    What a server says that it lacks is skipped by name. The exit code is 0 if no check failed, 1 if one did, 2 if the
    server could not be asked.
    """
    # The checks take a moment to import; --help needs none of them.
    from antiphon.conformance import reports
    from antiphon.conformance.asking import Http, Unreached
    from antiphon.conformance.check import Failed
    from antiphon.conformance.running import chosen, first_model, run

    try:
        checks = chosen(only)
    except LookupError as unknown:
        raise ConfigError(f"--only: there is no subject or check {unknown}; --list names them") from None
    if listing:
        for check in checks:
            say(f"{check.id}: {check.sentence} ({check.source})")
        return
    transport = Http(url, timeout)
    try:
        asked = model or first_model(transport, key)
    except Unreached as problem:
        complain(unreached(url, problem))
        ctx.exit(2)
    except Failed as problem:
        complain(f"{url}: {problem}; --model says whom to ask")
        ctx.exit(2)

    with _bar(shown=not verbose) as bar:
        task = bar.add_task("checks", total=len(checks))

        def told(outcome: "Outcome") -> None:
            bar.update(task, advance=1)
            if verbose or outcome.verdict == "failed":
                click.echo(reports.line(outcome))

        report = run(transport, key, asked, checks, url=url, parallel=parallel, told=told)
    say(reports.summary(report))
    for file, write in ((json_file, reports.as_json), (junit_file, reports.as_junit)):
        if file is not None:
            file.write(write(report))
    if html_file is not None:
        html_file.write_text(reports.as_html(report), "utf-8")
    ctx.exit(int(report.count("failed") > 0))


def _bar(*, shown: bool) -> Progress:
    """How far the checks are; beside lines that say as much it would only flicker."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal))

"""`antiphon doctor`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from antiphon.cli import checks, machine
from antiphon.cli.checks import Finding
from antiphon.cli.options import load_settings, setting_options
from antiphon.cli.said import wrapped
from antiphon.cli.tried import COLOURS, Row, table_of
from antiphon.config import ConfigError


@click.command(short_help="Check that the server can start here, and say what to mend.")
@setting_options()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program instead of lines.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool, **given: Any) -> None:
    """Check that the server can start here: Python, engine, models, port, threads, memory, keys,
    the stores of message threads, files and batches, the prompt cache, the sandbox for code, server tools.
    What is at the URLs of models is tried as a start would.

    Takes the same options as serve. The exit code is 1 if a check fails.
    """
    findings = list(_findings(given))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    ctx.exit(1 if any(finding.state == "FAIL" for finding in findings) else 0)


def _findings(given: Mapping[str, Any]) -> Iterator[Finding]:
    yield checks.python_version()
    # Imported late: see `serve`.
    from antiphon.compose import models, probes

    yield checks.engine(probes.probe_engine())
    try:
        settings = load_settings(given)
        described = models.describe_models(settings)
    except ConfigError as wrong:
        yield Finding("settings", "FAIL", str(wrong), "Correct it; the other checks need it.")
        return
    yield Finding("settings", "OK", "every setting is valid")
    yield from checks.models(described)
    yield from checks.second_choices(settings)
    yield from checks.engines(probes.look_at_engines(settings))
    yield checks.port(settings, probes.answers_there(settings))
    yield from checks.threads(settings, machine.processors())
    yield checks.memory(described, settings, machine.memory())
    yield checks.keys(settings, probes.keys_made(settings))
    yield checks.thinking_keys(probes.describe_keys(settings))
    yield checks.message_threads(settings, probes.thread_store_problem(settings))
    yield from checks.stores(settings, probes.trials_of_stores(settings))
    yield from checks.prompt_cache(described, settings, probes.look_at_cache(settings))
    yield checks.sandbox(settings, probes.trials_of_sandboxes(settings), probes.libraries_installed(settings))
    yield from checks.server_tools(probes.check_server_tools(settings))


def _print(findings: Sequence[Finding]) -> None:
    console = Console()
    here = [finding for finding in findings if not finding.place]
    width = max(len(finding.check) for finding in here)
    columns = console.width if console.is_terminal else None
    # Beside a long name, a narrow terminal has no room for sentences.
    margin = 6 + width + 2
    hanging = margin if columns is None or columns >= 2 * margin else 6
    for finding in here:
        said = f"{finding.state:4}  {finding.check:{width}}  {finding.detail}"
        line = Text(wrapped(said, columns, hanging=hanging))
        line.stylize(COLOURS[finding.state], 0, 4)
        console.print(line, soft_wrap=True)
        if finding.remedy:
            remedy = wrapped(f"{'':{hanging}}→ {finding.remedy}", columns, hanging=hanging)
            console.print(Text(remedy), soft_wrap=True)
    for place in dict.fromkeys(finding.place for finding in findings if finding.place):
        rows: list[Row] = [
            (found.state, found.check, found.detail, found.remedy) for found in findings if found.place == place
        ]
        console.print(table_of(place, rows))

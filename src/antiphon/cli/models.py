"""`antiphon models`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from antiphon.cli.cards import print_cards
from antiphon.cli.catalogue import list_models, pull, remove
from antiphon.cli.options import MODEL, load_settings, setting_options
from antiphon.cli.progress import adapted
from antiphon.cli.sizes import megabytes

if TYPE_CHECKING:
    from antiphon.weights.description import ModelDescription


_WIDE: Final = 120
"""Columns from which a table of models is one."""

_TITLES: Final = ("Model", "File", "Size", "Window", "Answers for")


@click.group(invoke_without_command=True, short_help="Show the models served and the names that each answers for.")
@setting_options(MODEL)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program instead of a table.")
@click.pass_context
def models(ctx: click.Context, as_json: bool, **given: Any) -> None:
    """Show the models that would be served, and the API model names that each answers for.

    The commands below look at models that could be: those with a short name, and those of the hub.
    """
    if ctx.invoked_subcommand is None:
        _show(as_json, given)


def _show(as_json: bool, given: dict[str, Any]) -> None:
    settings = load_settings(given)
    # Imported late: see `serve`.
    from antiphon.compose import models

    described = models.describe_models(settings)
    if as_json:
        rows = [{**asdict(model), "default": model.id == settings.default_model} for model in described]
        click.echo(json.dumps(rows, indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console.width = 120
    cells = [_cells(model, settings.default_model) for model in described]
    if console.width < _WIDE:
        print_cards(console, [title.lower() for title in _TITLES], cells)
    else:
        console.print(_table(cells))
    for model in described:
        if model.adapter:
            console.print(f"{model.id}: {adapted(model.adapter)}", markup=False, highlight=False, soft_wrap=True)
        if model.problem:
            console.print(f"{model.id}: {model.problem}", markup=False, highlight=False, soft_wrap=True)


def _cells(model: "ModelDescription", default: str) -> tuple[str, ...]:
    return (
        f"{model.id} (default)" if model.id == default else model.id,
        model.path or model.source,
        "unknown" if model.size_bytes is None else megabytes(model.size_bytes),
        "unknown" if model.window is None else str(model.window),
        ", ".join([*model.names, *(f"{name} (second choice)" for name in model.second_choice_for)]) or "nothing",
    )


def _table(rows: "Sequence[tuple[str, ...]]") -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    model, file, size, window, names = _TITLES
    table.add_column(model, no_wrap=True)
    table.add_column(file, overflow="fold")
    table.add_column(size, justify="right", no_wrap=True)
    table.add_column(window, justify="right", no_wrap=True)
    table.add_column(names, overflow="fold", ratio=1)
    for cells in rows:
        # As Text, since a path may hold brackets, which would be read as markup.
        table.add_row(*map(Text, cells))
    return table


for command in (list_models, pull, remove):
    models.add_command(command)

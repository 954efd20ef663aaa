"""Rows for a person: a table, or where the terminal is too narrow for its columns, a paragraph for each row."""

from collections.abc import Collection, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from antiphon.cli.said import wrapped

_BETWEEN = "   "


def print_rows(
    console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[str] = ()
) -> None:
    """Print the rows; nothing of a cell is cut off. `right`: the columns of numbers."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in titles:
        table.add_column(title, justify="right" if title in right else "left", no_wrap=True)
    for row in rows:
        # As Text, since a cell may hold brackets, which would be read as markup.
        table.add_row(*map(Text, row))
    widest = [max(map(cell_len, column)) for column in zip(titles, *rows, strict=True)]
    # One column from the next is two apart; the last has nothing behind it.
    if sum(widest) + 2 * (len(widest) - 1) <= console.width:
        console.print(table)
    else:
        print_cards(console, titles, rows)


def print_cards(console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a paragraph for each row: its first cell, and below that what the others have to say."""
    for row in rows:
        said = [f"{title} {cell}" for title, cell in zip(titles[1:], row[1:], strict=True) if cell not in ("", "0")]
        for line in (row[0], *_packed(said, console.width)):
            console.print(Text(line), soft_wrap=True)


def _packed(said: Sequence[str], width: int) -> list[str]:
    """As many on a line as fit; one that does not fit alone is broken between words."""
    lines = list[str]()
    for pair in said:
        if lines and 2 + len(lines[-1]) + len(_BETWEEN) + len(pair) <= width:
            lines[-1] += _BETWEEN + pair
        else:
            lines.append(pair)
    return [wrapped(f"  {line}", width, hanging=4) for line in lines]

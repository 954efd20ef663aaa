"""What was tried at an engine that somebody else runs, as a table for people: `serve` shows it, and `doctor`.

All of it fits into the 80 columns of a terminal.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from antiphon.engines.remote.endpoint import Finding, Findings

State = Literal["OK", "WARN", "FAIL"]
Row = tuple[State, str, str, str]
"""How it stands, what was tried, what was found, and what is to be done about it, if something is."""

COLOURS: Final[Mapping[State, str]] = {"OK": "green", "WARN": "yellow", "FAIL": "bold red"}


def state(row: "Finding") -> State:
    """How bad it is: only what is needed keeps a model from being served."""
    if row.holds:
        return "OK"
    return "FAIL" if row.needed else "WARN"


def titled(findings: "Findings") -> str:
    """Which engine it is, and which model it has."""
    return f"{findings.engine} {findings.version}, {findings.card.name}"


def table_of(title: str, rows: Iterable[Row]) -> Group:
    """The rows under a title, such as where the engine is."""
    table = Table(box=box.SIMPLE_HEAD, show_header=False, show_edge=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for how, subject, says, remedy in rows:
        # As Text, since what engines say may hold brackets, which would be read as markup.
        found = Text(says)
        if remedy:
            found.append(f"\n→ {remedy}", style="italic")
        table.add_row(Text(how, style=COLOURS[how]), Text(subject), found)
    return Group(Text(title, style="bold", overflow="fold"), table)


def rows_of(findings: "Findings") -> list[Row]:
    """The rows of what was found at an engine."""
    return [(state(row), row.subject, row.says, row.remedy) for row in findings.rows]

"""`antiphon stores`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from antiphon.cli.options import load_settings, setting_options
from antiphon.cli.said import complain
from antiphon.cli.sizes import megabytes
from antiphon.config import ConfigError

if TYPE_CHECKING:
    from antiphon.compose.copying import Copied, Target

_DATABASES: Final = ("sqlite:///", "postgresql://", "postgres://")
_OBJECTS: Final = ("file:///", "s3://", "gs://", "az://", "memory://")
_PLACES: Final = "a directory, the URL of a database, the URL of an object store, or env:NAME of a variable with one"


@click.group(short_help="What a server keeps, and how to move it elsewhere.")
def stores() -> None:
    """What a server keeps: files, batches, and their rows in a database."""


@stores.command("copy", short_help="Copy all that a server keeps to another place.")
@setting_options(("stores_data", "stores_objects"))
@click.option("--from", "sources", metavar="PLACE", multiple=True, help=f"{_PLACES}. [default: as the settings say]")
@click.option("--to", "targets", metavar="PLACE", multiple=True, required=True, help=_PLACES)
@click.pass_context
def copy(ctx: click.Context, sources: tuple[str, ...], targets: tuple[str, ...], **given: Any) -> None:
    """Copy everything that a server keeps to another place, such as from SQLite to PostgreSQL.

    A directory holds a database and objects; where a URL names only one of them, only that is copied. Nothing is
    changed at the source. A copy that was broken off is taken up again by the same command. Of a server that runs
    meanwhile it is a backup; to move it, stop it first.
    """
    settings = load_settings(given)
    # The databases' libraries take half a second to import.
    import asyncio

    from antiphon.compose.copying import copy_stores
    from antiphon.compose.stores import Places
    from antiphon.ports.stores import StoreError

    target, source = _target("--to", targets), _target("--from", sources)
    try:
        if source.database is None or source.objects is None:
            found = Places.of(settings)
            source = Places(source.database or found.database, source.objects or found.objects)
        else:
            source = Places(source.database, source.objects)
        with _Shown() as shown:
            copied = asyncio.run(copy_stores(source, target, shown.tell))
    except (StoreError, OSError) as problem:
        complain(problem)
        ctx.exit(1)
    click.echo(_said(copied, target))


def _target(flag: str, places: tuple[str, ...]) -> "Target":
    from antiphon.compose.copying import Target
    from antiphon.stores.place import database_in, objects_in

    database: str | None = None
    objects: str | None = None
    for said in places:
        place = _resolved(flag, said)
        if place.startswith(_DATABASES) and database is None:
            database = place
        elif place.startswith(_OBJECTS) and objects is None:
            objects = place
        elif "://" not in place and database is None and objects is None:
            folder = Path(place).expanduser().absolute()
            database, objects = database_in(folder), objects_in(folder)
        else:
            raise ConfigError(f"{flag}: this must be {_PLACES}; of a database and an object store one each")
    return Target(database, objects)


def _resolved(flag: str, said: str) -> str:
    """A place, which may be in a variable, since a command line is open to every process of the machine."""
    if not said.startswith("env:"):
        return said
    name = said.removeprefix("env:")
    if not (found := os.environ.get(name)):
        raise ConfigError(f"{flag}: there is no variable {name}")
    return found


def _said(copied: "Copied", target: "Target") -> str:
    parts: list[str] = []
    if target.objects is not None:
        there = copied.objects - copied.new
        known = f" ({there} of them were there)" if there else ""
        parts.append(f"{copied.objects} objects of {megabytes(copied.size)} together{known}")
    if target.database is not None:
        parts.append(", ".join(f"{count} rows of {name}" for name, count in copied.rows.items()) or "no rows")
    return "Copied, and counted at the target: " + "; ".join(parts)


class _Shown:
    """Progress on a terminal."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._progress = Progress(*columns, console=Console(stderr=True))
        self._tasks: dict[str, TaskID] = {}

    def tell(self, what: str, done: int, total: int) -> None:
        """So much of it is copied."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._tasks[what], completed=done)

    def __enter__(self) -> "_Shown":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

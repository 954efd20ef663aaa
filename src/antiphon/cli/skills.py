"""`antiphon skills`."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from antiphon.cli.batches import the_server
from antiphon.cli.said import complain

if TYPE_CHECKING:
    from antiphon.clients.skills import SkillClient


@click.group()
def skills() -> None:
    """Upload skills to a server, list them, take them away.

    Talks to the server at --url, this one or any other that speaks the API. On a terminal skills are tables; in a
    pipe they are lines of JSON. The exit code is 1 where the server refuses or cannot be reached.
    """


@skills.command("list")
@click.option("--source", type=click.Choice(["custom", "anthropic"]), help="Only those uploaded, or the owner's own.")
@the_server
def list_(source: str | None, url: str, key: str) -> None:
    """List skills."""

    async def work(client: "SkillClient") -> None:
        rows = [
            (one["id"], one["display_name"] or "", one["source"]["type"], one["latest_version_id"] or "", one)
            for one in await client.listed(source)
        ]
        if not rows and Console().is_terminal:
            click.echo("No skills; `antiphon skills add FOLDER` uploads one.", err=True)
            return
        _tell(("id", "name", "source", "latest version"), rows)

    _run(url, key, work)


@skills.command("add", short_help="Upload the skill in FOLDER, or in a zip, and print its id.")
@click.argument("path", metavar="FOLDER", type=click.Path(exists=True, path_type=Path))
@click.option("--to", metavar="ID", help="A new version of this skill.")
@click.option("--name", metavar="TEXT", help="What people call it.")
@the_server
def add(path: Path, to: str | None, name: str | None, url: str, key: str) -> None:
    """Upload the skill in FOLDER, or in a zip, and print its id, with --to that of its version.

    Links, hidden files and node_modules stay here.
    """
    if to is not None and name is not None:
        raise click.UsageError("--name is for a new skill: a version has none")

    async def work(client: "SkillClient") -> None:
        click.echo((await client.add(path, to=to, name=name))["id"])

    _run(url, key, work)


@skills.command("show")
@click.argument("id_", metavar="ID")
@the_server
def show(id_: str, url: str, key: str) -> None:
    """Show a skill's versions, the newest first."""

    async def work(client: "SkillClient") -> None:
        skill = await client.show(id_)
        if not Console().is_terminal:
            click.echo(json.dumps(skill))
            return
        rows = [(one["id"], one["name"], one["created_at"], one["description"], one) for one in skill["versions"]]
        _tell(("version", "name", "created", "description"), rows)

    _run(url, key, work)


@skills.command("rm")
@click.argument("id_", metavar="ID")
@click.option("--version", metavar="ID", help="This version alone.")
@the_server
def remove(id_: str, version: str | None, url: str, key: str) -> None:
    """Take a skill away, with all its versions."""

    async def work(client: "SkillClient") -> None:
        await client.remove(id_, version)
        click.echo(f"{version or id_}: deleted", err=True)

    _run(url, key, work)


def _run(url: str, key: str, work: "Callable[[SkillClient], Coroutine[Any, Any, None]]") -> None:
    """Do it, and leave the process where it does not work."""
    # The HTTP client takes a moment to import; --help needs none of it.
    from antiphon.clients.skills import SkillClient, SkillError

    async def whole() -> None:
        async with SkillClient.open(url, key) as client:
            await work(client)

    try:
        asyncio.run(whole())
    except SkillError as problem:
        complain(problem)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _tell(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Rows, each with what it is of behind it: a table on a terminal, lines of JSON elsewhere."""
    console = Console()
    if not console.is_terminal:
        for row in rows:
            click.echo(json.dumps(row[-1]))
        return
    table = Table(box=None, header_style="bold")
    for name in names:
        # On a narrow screen what only programs need is broken, and what people call it is not.
        table.add_column(name, no_wrap=name not in ("description", "latest version"), overflow="fold")
    for row in rows:
        table.add_row(*row[:-1])
    console.print(table)

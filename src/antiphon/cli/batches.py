"""`antiphon batches`."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from antiphon.cli.cards import print_rows
from antiphon.cli.said import complain

if TYPE_CHECKING:
    from antiphon.clients.batches import BatchClient, Seen

Function = TypeVar("Function", bound=Callable[..., Any])
_Made = TypeVar("_Made")

_COUNTS = ("succeeded", "errored", "canceled", "expired")


@click.group(short_help="Submit batches of requests, watch them, fetch their results.")
def batches() -> None:
    """Submit batches of requests to a server, watch them, fetch their results.

    Talks to the server at --url, this one or any other that speaks the API. On a terminal batches are tables; in a
    pipe they are lines of JSON. The exit code is 1 where the server refuses or cannot be reached.
    """


def the_server(function: Function) -> Function:
    """Decorator: which server, and its key."""
    url = click.option(
        "--url",
        envvar="ANTHROPIC_BASE_URL",
        default="http://127.0.0.1:8484",
        metavar="URL",
        help="Where the server answers. [ANTHROPIC_BASE_URL; default: http://127.0.0.1:8484]",
    )
    key = click.option(
        "--key", envvar="ANTHROPIC_API_KEY", default="any", metavar="KEY", help="Its key. [ANTHROPIC_API_KEY]"
    )
    return url(key(function))


@batches.command("submit", short_help="Make a batch of the requests in FILE, and print its id.")
@click.argument("file", type=click.File("rb"))
@click.option("--watch", is_flag=True, help="Stay until it has ended.")
@the_server
def submit(file: BinaryIO, watch: bool, url: str, key: str) -> None:
    """Make a batch of the requests in FILE (- is standard input), and print its id.

    Each line is an object with `custom_id` and `params`, the body of a request.
    """

    async def work(client: "BatchClient") -> None:
        batch = await client.submit(file)
        click.echo(batch["id"])
        if watch:
            await _watched(client, batch["id"])

    _run(url, key, work)


@batches.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, metavar="N", help="At most so many. [default: 20]")
@the_server
def list_(limit: int, url: str, key: str) -> None:
    """List batches, the newest first."""

    async def work(client: "BatchClient") -> None:
        found = await client.list(limit)
        console = Console()
        if not console.is_terminal:
            for batch in found:
                click.echo(json.dumps(batch))
            return
        if not found:
            click.echo("No batches; `antiphon batches submit FILE` makes one.", err=True)
            return
        rows = list[list[str]]()
        for batch in found:
            counts = batch["request_counts"]
            row = [batch["id"], batch["processing_status"], _second(batch["created_at"])]
            rows.append([*row, *(str(counts[kind]) for kind in _COUNTS), str(sum(counts.values()))])
        numbers = (*_COUNTS, "of")
        print_rows(console, ("id", "status", "created", *numbers), rows, right=numbers)

    _run(url, key, work)


@batches.command("show")
@click.argument("id_", metavar="ID")
@click.option("--watch", is_flag=True, help="Stay until it has ended, with a bar on a terminal.")
@the_server
def show(id_: str, watch: bool, url: str, key: str) -> None:
    """Show a batch, and how far it is."""

    async def work(client: "BatchClient") -> None:
        _tell(await (_watched(client, id_) if watch else client.show(id_)))

    _run(url, key, work)


@batches.command("cancel")
@click.argument("id_", metavar="ID")
@the_server
def cancel(id_: str, url: str, key: str) -> None:
    """Cancel a batch: what has not been begun is not begun any more."""

    async def work(client: "BatchClient") -> None:
        batch = await client.cancel(id_)
        click.echo(f"{id_}: {batch['processing_status']}", err=True)

    _run(url, key, work)


@batches.command("results", short_help="Write the results of a batch that has ended, as lines of JSON.")
@click.argument("id_", metavar="ID")
@click.option("--output", "-o", type=click.File("wb"), default="-", metavar="FILE", help="Write there. [default: -]")
@the_server
def results(id_: str, output: BinaryIO, url: str, key: str) -> None:
    """Write the results of a batch that has ended, a line of JSON for each of its requests, in no order."""

    async def work(client: "BatchClient") -> None:
        await client.results(id_, output.write)

    _run(url, key, work)


@batches.command("delete")
@click.argument("id_", metavar="ID")
@the_server
def delete(id_: str, url: str, key: str) -> None:
    """Delete a batch that has ended, and its results."""

    async def work(client: "BatchClient") -> None:
        await client.delete(id_)
        click.echo(f"{id_}: deleted", err=True)

    _run(url, key, work)


def _run(url: str, key: str, work: "Callable[[BatchClient], Coroutine[Any, Any, None]]") -> None:
    """Do it, and leave the process where it does not work."""
    # The HTTP client takes a moment to import; --help needs none of it.
    from antiphon.clients.batches import BatchClient, BatchError

    async def whole() -> None:
        async with BatchClient.open(url, key) as client:
            await work(client)

    try:
        asyncio.run(whole())
    except BatchError as problem:
        complain(problem)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


async def _watched(client: "BatchClient", id_: str) -> "Seen":
    """The batch once it has ended; until then a bar on a terminal, elsewhere a line whenever something changed."""
    console = Console(stderr=True)
    with ExitStack() as shown:
        if not console.is_terminal:
            return await client.watch(id_, _Lines())
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        bar = shown.enter_context(Progress(*columns, console=console))
        task = bar.add_task(id_, total=None)
        return await client.watch(id_, lambda seen: _advance(bar, task, seen))


def _advance(bar: Progress, task: TaskID, seen: "Seen") -> None:
    status = seen.batch["processing_status"].replace("_", " ")
    bar.update(task, total=seen.total, completed=seen.done, description=f"{seen.batch['id']} {status}")


class _Lines:
    """Progress in a log."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, seen: "Seen") -> None:
        line = f"{seen.batch['id']}: {seen.batch['processing_status']}, {seen.done} of {seen.total} done"
        if line != self._last:
            click.echo(line, err=True)
            self._last = line


def _tell(seen: "Seen") -> None:
    """A batch: a table on a terminal, JSON elsewhere."""
    console = Console()
    if not console.is_terminal:
        click.echo(json.dumps(seen.batch))
        return
    table = Table(box=None, show_header=False)
    batch = seen.batch
    rows = {name: _second(batch[name]) for name in ("created_at", "expires_at", "ended_at", "cancel_initiated_at")}
    counts = {kind: str(batch["request_counts"][kind]) for kind in _COUNTS} if seen.ended else {}
    told = {"id": batch["id"], "status": batch["processing_status"], "done": f"{seen.done} of {seen.total}"}
    for name, value in {**told, **counts, **rows}.items():
        if value:
            table.add_row(name.replace("_", " "), value)
    console.print(table)


def _second(moment: str | None) -> str:
    return "" if moment is None else moment[:19].replace("T", " ")

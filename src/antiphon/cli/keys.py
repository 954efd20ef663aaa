"""`antiphon keys`."""

import json
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console

from antiphon.cli.cards import print_rows
from antiphon.cli.options import load_settings, setting_options
from antiphon.cli.said import complain

if TYPE_CHECKING:
    from antiphon.ports.keys import StoredKey
    from antiphon.service.keys import Keys

_NAME: Final = re.compile(r"[\w.@+-][\w .@+-]{0,79}")
_TIME: Final = re.compile(r"([0-9]{1,6})(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_PLACE: Final = ("stores_data",)
_MICROS: Final = 1_000_000


class _Name(click.ParamType[str]):
    """What a key or a workspace may be called."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as it was said."""
        if not _NAME.fullmatch(value):
            self.fail("a name has up to 80 letters, digits, spaces, and . _ @ + -", param, ctx)
        return value


class _Time(click.ParamType[float]):
    """A length of time, as people write it."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Its seconds."""
        if isinstance(value, float):
            return value
        match = _TIME.fullmatch(str(value))
        if match is None:
            self.fail("a time is a number and one of s, m, h, d, such as 90d", param, ctx)
        return float(int(match[1]) * _SECONDS[match[2]])


@click.group(short_help="Make, list, replace and revoke the keys of callers.")
def keys() -> None:
    """Keys for those who may use the server: made, listed, replaced, revoked.

    A server that runs knows of it within two seconds. Only a digest of each key is kept: what is printed once cannot
    be shown again. See docs/keys.md.
    """


@keys.command("add")
@click.argument("name", type=_Name())
@click.option(
    "--workspace",
    type=_Name(),
    default="default",
    metavar="NAME",
    help="Whose files, batches and threads it shares: the name of a workspace, made if it is new, or an id wrkspc_… "
    "[default: default]",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="PATTERN",
    help="A model that it may ask for, such as 'claude-haiku-*'; may be said again. [default: all]",
)
@click.option("--expires", type=_Time(), metavar="TIME", help="Good for so long, as in 90d or 12h. [default: always]")
@click.option("--admin", is_flag=True, help="A key to ask about the server, and for no replies.")
@setting_options(_PLACE)
def add(name: str, workspace: str, models: tuple[str, ...], expires: float | None, admin: bool, **given: Any) -> None:
    """Make a key called NAME, and print it."""
    from antiphon.service.keys import Wanted

    if admin and models:
        raise click.UsageError("an admin key asks for no models")

    async def work(all_keys: "Keys") -> None:
        _tell(*await all_keys.add(Wanted(name, workspace, models or None, admin, expires)))

    _run(given, work)


@keys.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that are good no more.")
@setting_options(_PLACE)
def list_(every: bool, **given: Any) -> None:
    """List the keys: a table on a terminal, lines of JSON in a pipe."""

    async def work(all_keys: "Keys") -> None:
        now = datetime.now(UTC)
        rows = [_row(key, now) for key in await all_keys.all()]
        shown = [row for row in rows if every or row["status"] == "good"]
        console = Console()
        if not console.is_terminal:
            for row in shown:
                click.echo(json.dumps(row))
            return
        names = ("name", "id", "key", "workspace", "models", "created", "expires", "status")
        if not shown:
            click.echo("No keys; `antiphon keys add NAME` makes one.", err=True)
            return
        print_rows(console, names, [[_cell(row[column]) for column in names] for row in shown])

    _run(given, work)


@keys.command("revoke")
@click.argument("name")
@setting_options(_PLACE)
def revoke(name: str, **given: Any) -> None:
    """End the key with this NAME or id at once. What was made with it stays with its workspace."""

    async def work(all_keys: "Keys") -> None:
        key = await all_keys.revoke(name)
        click.echo(f"{key.name} ({key.id}): revoked", err=True)

    _run(given, work)


@keys.command("rotate", short_help="Put a key in another's place, with the same rights.")
@click.argument("name")
@click.option(
    "--grace", type=_Time(), default=0.0, metavar="TIME", help="So long the old one stays good. [default: not at all]"
)
@setting_options(_PLACE)
def rotate(name: str, grace: float, **given: Any) -> None:
    """Make a key in the place of the one with this NAME or id, with the same rights, and print it."""

    async def work(all_keys: "Keys") -> None:
        _tell(*await all_keys.rotate(name, grace))

    _run(given, work)


def _run(given: dict[str, Any], work: "Callable[[Keys], Awaitable[None]]") -> None:
    """Do it, and leave the process where it does not work."""
    settings = load_settings(given)
    # The databases' libraries take half a second to import.
    import asyncio

    from antiphon.compose.keys import keys_of
    from antiphon.ports.stores import StoreError
    from antiphon.service.keys import KeyProblem

    async def whole() -> None:
        async with keys_of(settings) as all_keys:
            await work(all_keys)

    try:
        asyncio.run(whole())
    except (StoreError, OSError, KeyProblem) as problem:
        complain(problem)
        sys.exit(1)


def _tell(key: "StoredKey", secret: str) -> None:
    """The key alone on standard output, so that it can be piped to where it is kept."""
    click.echo(f"{key.name} ({key.id}), workspace {key.workspace_name}. This is the only time it is shown:", err=True)
    click.echo(secret)


def _row(key: "StoredKey", now: datetime) -> dict[str, Any]:
    good = key.good(round(now.timestamp() * _MICROS))
    return {
        "name": key.name,
        "id": key.id,
        "key": key.hint,
        "workspace": key.workspace_name,
        "workspace_id": key.workspace,
        "models": None if key.models is None else list(key.models),
        "admin": key.admin,
        "created": _moment(key.created_at),
        "expires": None if key.ends_at is None else _moment(key.ends_at),
        "status": "good" if good else "revoked" if key.revoked else "expired",
    }


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(value) if isinstance(value, list) else str(value)  # pyright: ignore[reportUnknownArgumentType]


def _moment(micros: int) -> str:
    return datetime.fromtimestamp(micros // _MICROS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

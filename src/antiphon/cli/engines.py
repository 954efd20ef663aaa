"""`antiphon engines`: engines that somebody else runs, taken out of service and put back."""

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from antiphon.cli.options import MODEL, load_settings, setting_options
from antiphon.config.kinds import Address

if TYPE_CHECKING:
    from antiphon.stores.drains import Drains

HEEDED: Final = 2.5
"""Seconds within which every server has heeded what was said, and says itself whether it still works there."""

_LOOKS: Final = 0.25


class _Url(click.ParamType[str]):
    name = "URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return Address().from_text(str(value))
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


@click.group(short_help="Take engines at URLs out of service, and put them back.")
def engines() -> None:
    """Take engines at URLs out of service without losing a stream, and put them back.

    It is said to all servers of this user on this machine, also to each worker and to those that start later: a
    drained engine gets nothing new from them, and finishes what it has.
    """


@engines.command("list")
@setting_options(MODEL)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program instead of lines.")
def list_engines(as_json: bool, **given: Any) -> None:
    """Show the engines of the settings, and all that are drained."""
    settings = load_settings(given)
    file = _drains()
    drained = file.drained()
    named = [url for model in settings.models.values() if model.remote is not None for url in model.remote.urls]
    states = {
        url: _state(file, url) if url in drained else "in service"
        for url in dict.fromkeys([*named, *sorted(drained)])
    }
    if as_json:
        click.echo(json.dumps(states, indent=2))
        return
    for line in _lines(states):
        click.echo(line)


@engines.command()
@click.argument("url", type=_Url())
@click.option(
    "--wait", type=click.FloatRange(0), default=0.0, metavar="SECONDS", help="How long to wait for its last stream."
)
@click.pass_context
def drain(ctx: click.Context, url: str, wait: float) -> None:
    """Give an engine nothing new, and let it finish what it has.

    With --wait the exit code is 1 where some server still works there in the end.
    """
    file = _drains()
    new = _change(file, url, drain=True)
    if wait:
        end = time.monotonic() + wait
        # Before that, a server that has not heeded it yet may begin something.
        time.sleep(min(wait, HEEDED) if new else 0)
        while file.is_held(url) and time.monotonic() < end:
            time.sleep(_LOOKS)
    click.echo(f"{url}: {_state(file, url) if wait else 'drained'}")
    ctx.exit(1 if wait and file.is_held(url) else 0)


@engines.command()
@click.argument("url", type=_Url())
def undrain(url: str) -> None:
    """Give an engine work again."""
    _change(_drains(), url, drain=False)
    click.echo(f"{url}: in service")


def _drains() -> "Drains":
    from antiphon.compose.drains import drains

    try:
        return drains()
    except OSError as problem:
        raise click.ClickException(str(problem)) from problem


def _change(file: "Drains", url: str, *, drain: bool) -> bool:
    try:
        return file.change(url, drain=drain)
    except OSError as problem:
        raise click.ClickException(f"this cannot be said to the servers: {problem}") from problem


def _state(file: "Drains", url: str) -> str:
    """How an engine stands that is drained."""
    return "drained, and still at work" if file.is_held(url) else "drained, nothing to do"


def _lines(states: Mapping[str, str]) -> list[str]:
    if not states:
        return ["no engines at URLs"]
    width = max(map(len, states))
    return [f"{url:{width}}  {state}" for url, state in states.items()]

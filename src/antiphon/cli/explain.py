"""`antiphon explain`."""

import asyncio
import json
import sys
from pathlib import Path
from typing import IO, Any

import click
from rich.console import Console

from antiphon.cli.explained import show
from antiphon.cli.explained_page import page
from antiphon.cli.options import MODEL, load_settings, setting_options
from antiphon.cli.progress import ConsoleObserver
from antiphon.cli.said import complain
from antiphon.config import ConfigError


@click.command(short_help="Show what the model reads of a request, and answer nothing.")
@click.argument("request", type=click.File("rb"))
@click.option("--beta", "betas", metavar="NAME", multiple=True, help="A beta header of the request; repeatable.")
@click.option("--version", default="2023-06-01", metavar="DATE", help="Its anthropic-version. [default: 2023-06-01]")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.option("--html", metavar="FILE", help="Write a page of HTML, which needs nothing else.")
@setting_options(MODEL)
@click.pass_context
def explain(
    ctx: click.Context,
    request: IO[bytes],
    betas: tuple[str, ...],
    version: str,
    json_: bool,
    html: str | None,
    **given: Any,
) -> None:
    """Show what the model reads of REQUEST, the body of a call in a file (- is standard input), and answer nothing.

    The prompt with its control tokens, each stretch with the block that it comes from and its tokens; grammar,
    thinking, cache marks; or the error that a client would get. The exit code is 1 where the request is refused.
    """
    settings = load_settings(given)
    # Imported late: see `serve`.
    from antiphon.compose.explaining import explain_request
    from antiphon.compose.observer import StartError

    err = Console(stderr=True)
    observer = ConsoleObserver(settings, err=err, out=err) if err.is_terminal else _Silent(settings, err=err, out=err)
    try:
        explained = asyncio.run(explain_request(settings, request.read(), betas, version, observer))
    except StartError as failure:
        complain(failure)
        ctx.exit(1)
    finally:
        observer.close()
    if json_:
        click.echo(json.dumps(explained.as_json(), ensure_ascii=False, indent=2))
    elif html is None:
        out = Console()
        if not out.is_terminal:
            out.width = 120
        show(explained, out)
    if html is not None:
        try:
            Path(html).write_text(page(explained), encoding="utf-8")
        except OSError as problem:
            raise ConfigError(f"--html {html}: cannot be written: {problem.strerror}") from problem
    sys.stdout.flush()
    ctx.exit(0 if explained.refusal is None else 1)


class _Silent(ConsoleObserver):
    """Says nothing of steps that take a moment: who reads it in a pipe wants the answer."""

    def stage(self, text: str) -> None:
        """Nothing is said."""

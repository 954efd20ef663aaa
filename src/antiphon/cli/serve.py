"""`antiphon serve`."""

from contextlib import closing
from typing import Any

import click
from rich.console import Console

from antiphon.cli.logged import LogObserver
from antiphon.cli.options import load_settings, setting_options
from antiphon.cli.progress import ConsoleObserver
from antiphon.cli.said import complain


@click.command()
@setting_options()
@click.pass_context
def serve(ctx: click.Context, **given: Any) -> None:
    """Start the server and answer until Ctrl-C.

    The first Ctrl-C lets open requests finish, the second stops at once. SIGHUP reads the configuration again.
    """
    settings = load_settings(given)
    # The server's libraries take a second to import; --help and a wrong setting need none of them.
    from antiphon.compose import start
    from antiphon.compose.observer import StartError

    try:
        with closing(
            LogObserver()
            if settings.log_format == "json"
            # Nothing that is told names an emoji, and the table of their names takes nearly 2 MiB.
            else ConsoleObserver(settings, err=Console(stderr=True, emoji=False), out=Console(emoji=False))
        ) as observer:
            start.run_server(settings, observer, reread=lambda: load_settings(given))
    except StartError as failure:
        complain(failure)
        ctx.exit(1)
    except KeyboardInterrupt:
        ctx.exit(130)

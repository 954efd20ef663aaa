"""`antiphon sandbox`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from antiphon.cli.options import load_settings, setting_options
from antiphon.cli.said import complain
from antiphon.config import ConfigError, Settings

if TYPE_CHECKING:
    from antiphon.sandbox.choosing import Tried

_OPTIONS = ("sandbox_driver", "sandbox_python", "sandbox_image")
_TRIED = "import sys; print('Python', sys.version.split()[0], 'runs in a sandbox')"


@click.group()
def sandbox() -> None:
    """Where code that models write is run."""


@sandbox.command("status")
@setting_options(_OPTIONS)
@click.pass_context
def status(ctx: click.Context, **given: Any) -> None:
    """Say which driver runs code here, and which libraries code finds. The exit code is 1 where none does."""
    settings = load_settings(given)
    # Imported late: see `serve`.
    from antiphon.compose import probes
    from antiphon.sandbox.libraries import installed, pinned

    tried = probes.trials_of_sandboxes(settings)
    for one in tried:
        click.echo(f"{one.name}: {'works' if one.problem is None else one.problem}")
    if not tried:
        click.echo("[sandbox] driver = none: no code is run")
    folder = _folder(settings)
    if installed(folder):
        click.echo(f"{len(pinned())} libraries are in {folder}")
    else:
        click.echo(f"no libraries are in {folder}: antiphon sandbox install puts {len(pinned())} there")
    ctx.exit(0 if _works(tried) else 1)


@sandbox.command("install", short_help="Install the Python libraries that the API's documents name.")
@setting_options(_OPTIONS)
@click.pass_context
def install(ctx: click.Context, **given: Any) -> None:
    """Install the Python libraries that the API's documents name, pinned by their hashes, for code in sandboxes.

    Servers that run take them from their next command on.
    """
    settings = load_settings(given)
    import asyncio

    from antiphon.sandbox.libraries import InstallProblem, installed, pinned
    from antiphon.sandbox.libraries import install as install_libraries

    folder = _folder(settings)
    if installed(folder):
        click.echo(f"{len(pinned())} libraries are in {folder} already")
        return
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("libraries", total=len(pinned()))

            def tell(name: str) -> None:
                bar.update(task, advance=1, description=name)
                if not console.is_terminal:
                    click.echo(name, err=True)

            asyncio.run(install_libraries(folder, tell))
    except InstallProblem as problem:
        complain(problem)
        ctx.exit(1)
    click.echo(f"{len(pinned())} libraries are in {folder}")


@sandbox.command(
    "try",
    context_settings={"ignore_unknown_options": True},
    short_help="Run COMMAND in a fresh sandbox, and say what came of it.",
)
@setting_options(_OPTIONS)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def try_(ctx: click.Context, command: tuple[str, ...], **given: Any) -> None:
    """Run COMMAND in a fresh sandbox, as a model's would be, and say what came of it.

    What is quoted as one word is a line for bash: antiphon sandbox try 'ls | wc -l'.
    """
    settings = load_settings(given)
    if len(command) == 1 and any(letter.isspace() for letter in command[0]):
        command = ("bash", "-c", command[0])
    import asyncio

    from antiphon.compose.sandboxes import run_once
    from antiphon.ports.sandbox import SandboxProblem
    from antiphon.sandbox.choosing import NoSuchDriver

    try:
        finished = asyncio.run(run_once(settings, command or ("python3", "-c", _TRIED)))
    except NoSuchDriver as problem:
        raise ConfigError(str(problem)) from problem
    except SandboxProblem as problem:
        complain(problem)
        ctx.exit(1)
    click.echo(finished.stdout, nl=False)
    click.echo(finished.stderr, nl=False, err=True)
    if finished.killed:
        complain(f"the sandbox ended it: {finished.killed}")
    ctx.exit(finished.return_code)


def _folder(settings: Settings) -> Path:
    from antiphon.compose.sandboxes import libraries_of

    folder = libraries_of(settings)
    if folder is None:
        raise ConfigError("this user has no home directory: say where the libraries go (--sandbox-python)")
    return folder


def _works(tried: "tuple[Tried, ...]") -> bool:
    return bool(tried) and tried[-1].problem is None

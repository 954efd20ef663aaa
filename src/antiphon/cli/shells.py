"""`antiphon completion` and `antiphon man`: what a shell and `man` need to know of the program, from its own help."""

from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from antiphon import __version__
from antiphon.cli.said import complain

SHELLS = ("bash", "zsh", "fish")
_INSTALL = {
    "bash": 'eval "$(antiphon completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(antiphon completion zsh)"   # in ~/.zshrc, behind compinit',
    "fish": "antiphon completion fish > ~/.config/fish/completions/antiphon.fish",
}


@click.command(
    epilog="\b\n" + "\n".join(f"{shell}: {line}" for shell, line in _INSTALL.items()),
    short_help="Print what makes the Tab key complete commands in a shell.",
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes the Tab key complete commands and options in a shell."""
    kind = get_completion_class(shell)
    assert kind is not None, "click knows these shells"
    click.echo(kind(ctx.find_root().command, {}, "antiphon", "_ANTIPHON_COMPLETE").source())


@click.command(short_help="Write a manual page for each command into DIRECTORY.")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.pass_context
def man(ctx: click.Context, directory: Path) -> None:
    """Write a manual page for the program and each of its commands into DIRECTORY, which is made where it is missing.

    `antiphon man ~/.local/share/man/man1`, and `man antiphon-serve` shows one.
    """
    root = ctx.find_root()
    written = 0
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, command in _commands("antiphon", root.command, root):
            page = directory / f"{name.replace(' ', '-')}.1"
            page.write_text(manual_page(name, command), encoding="utf-8")
            written += 1
    except OSError as problem:
        complain(f"{directory}: no pages can be written there: {problem.strerror}")
        ctx.exit(1)
    click.echo(f"{written} pages in {directory}")


def _commands(name: str, command: click.Command, ctx: click.Context) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    for word, below in _within(command, ctx):
        yield from _commands(f"{name} {word}", below, ctx)


def _within(command: click.Command, ctx: click.Context) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for word in sorted(command.list_commands(ctx)):
            if (below := command.get_command(ctx, word)) is not None:
                yield word, below


def manual_page(name: str, command: click.Command) -> str:
    """The manual page of a command in the `man` macros of troff: name, synopsis, description, options, commands."""
    ctx = click.Context(command, info_name=name, help_option_names=["-h", "--help"])
    title = name.replace(" ", "-")
    lines = [
        f'.TH "{title.upper()}" "1" "" "antiphon {__version__}" "Antiphon"',
        ".SH NAME",
        f"{_text(title)} \\- {_text(command.get_short_help_str(200))}",
        ".SH SYNOPSIS",
        f".B {_text(name)}",
        _text(" ".join(command.collect_usage_pieces(ctx))),
        ".SH DESCRIPTION",
    ]
    for number, paragraph in enumerate((command.help or "").replace("\b", "").split("\n\n")):
        lines += [".PP"] * bool(number) + [_text(" ".join(paragraph.split()))]
    records = [param.get_help_record(ctx) for param in command.get_params(ctx)]
    options = [record for record in records if record is not None and record[1]]
    if options:
        lines.append(".SH OPTIONS")
        for flags, meaning in options:
            lines += [".TP", f"\\fB{_text(flags)}\\fR", _text(" ".join(meaning.split()))]
    if isinstance(command, click.Group):
        lines.append(".SH COMMANDS")
        for word, below in _within(command, ctx):
            lines += [".TP", f"\\fB{_text(f'{title}-{word}')}\\fR(1)", _text(below.get_short_help_str(200))]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Text as troff prints it: backslashes and dashes kept, no line taken for a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in {".", "'"} else escaped

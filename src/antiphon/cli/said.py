"""How sentences stand on a terminal: broken between words, never within one, so that a path can still be copied.

In a pipe or a log they stay on one line, for the programs there.
"""

import shutil
import sys
import textwrap
from typing import IO, Final

import click

_LEAST: Final = 40
"""Columns below which a sentence is left to the terminal."""


def width_of(stream: IO[str]) -> int | None:
    """The columns of the terminal that is written to; None: it is none."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def wrapped(text: str, width: int | None, *, hanging: int = 0) -> str:
    """The text in lines of so many columns, those after the first set in by `hanging`; its own lines stay."""
    if width is None or width - hanging < _LEAST:
        return text
    whole = textwrap.TextWrapper(
        width,
        subsequent_indent=" " * hanging,
        replace_whitespace=False,
        drop_whitespace=True,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join("\n".join(whole.wrap(line)) or line for line in text.splitlines())


def say(text: str, *, err: bool = False) -> None:
    """A sentence to the person in front of the terminal."""
    click.echo(wrapped(text, width_of(sys.stderr if err else sys.stdout)), err=err)


def complain(problem: object) -> None:
    """What went wrong, under the program's name."""
    say(f"antiphon: {problem}", err=True)

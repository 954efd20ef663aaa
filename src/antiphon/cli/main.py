"""The program: its commands, and how a failure looks."""

import importlib
import sys
from collections.abc import Mapping
from typing import Final

import click

from antiphon import __version__
from antiphon.cli.said import complain
from antiphon.config import ConfigError

COMMANDS: Final[Mapping[str, str]] = {
    "batches": "batches:batches",
    "chat": "chat:chat",
    "completion": "shells:completion",
    "conformance": "conformance:conformance",
    "doctor": "doctor:doctor",
    "engines": "engines:engines",
    "eval": "eval:evaluate",
    "explain": "explain:explain",
    "keys": "keys:keys",
    "man": "shells:man",
    "models": "models:models",
    "sandbox": "sandbox:sandbox",
    "serve": "serve:serve",
    "skills": "skills:skills",
    "stores": "stores:stores",
    "top": "top:top",
    "usage": "usage:usage",
}
"""The module of `antiphon.cli` that each command is in, and its name there.

A module is imported with the first use of its command: a server would keep all of them, some megabytes, for ever.
"""


class Program(click.Group):
    """A group whose commands may raise ConfigError: one line on stderr, exit code 2, no traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None: there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(f"antiphon.cli.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that the arguments name."""
        try:
            return super().invoke(ctx)
        except ConfigError as wrong:
            complain(wrong)
            ctx.exit(2)


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="antiphon", message="%(prog)s %(version)s")
def program() -> None:
    """The Messages API, self-hosted, on an open-weights model of your choice.

    Every option can also be set by an environment variable or in antiphon.toml: flag, then variable, then file.
    """


def main() -> None:
    """Run the program with the process's arguments and leave the process."""
    sys.exit(program(prog_name="antiphon"))

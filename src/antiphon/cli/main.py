"""The program: its commands, and how a failure looks."""

import sys

import click

from antiphon import __version__
from antiphon.cli.batches import batches
from antiphon.cli.chat import chat
from antiphon.cli.conformance import conformance
from antiphon.cli.doctor import doctor
from antiphon.cli.engines import engines
from antiphon.cli.eval import evaluate
from antiphon.cli.explain import explain
from antiphon.cli.keys import keys
from antiphon.cli.models import models
from antiphon.cli.said import complain
from antiphon.cli.sandbox import sandbox
from antiphon.cli.serve import serve
from antiphon.cli.shells import completion, man
from antiphon.cli.skills import skills
from antiphon.cli.stores import stores
from antiphon.cli.top import top
from antiphon.cli.usage import usage
from antiphon.config import ConfigError


class Program(click.Group):
    """A group whose commands may raise ConfigError: one line on stderr, exit code 2, no traceback."""

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


program.add_command(serve)
program.add_command(models)
program.add_command(doctor)
program.add_command(engines)
program.add_command(evaluate)
program.add_command(explain)
program.add_command(chat)
program.add_command(batches)
program.add_command(conformance)
program.add_command(stores)
program.add_command(sandbox)
program.add_command(keys)
program.add_command(skills)
program.add_command(completion)
program.add_command(man)
program.add_command(usage)
program.add_command(top)


def main() -> None:
    """Run the program with the process's arguments and leave the process."""
    sys.exit(program(prog_name="antiphon"))

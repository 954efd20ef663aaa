"""`antiphon chat`."""

import secrets
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import click
from rich.console import Console

from antiphon.cli.companion import CompanionError, companion
from antiphon.cli.options import MODEL, load_settings, setting_options
from antiphon.cli.said import complain
from antiphon.config import NOWHERE, ConfigError, Settings, StoreSettings

# `--url` is where the server is that is talked to.
_MODEL = MODEL - {"urls"}
_OF_A_START = "describes a model to start; --url talks to a server that runs"
_LEVELS = click.Choice(("off", "on", "low", "medium", "high"))


@click.command(short_help="Talk to a model on a terminal, or ask PROMPT in one go.")
@click.argument("words", metavar="[PROMPT]...", nargs=-1)
@click.option("--url", metavar="URL", help="Talk to the server that answers there; --model is the name to ask for.")
@click.option("--key", envvar="ANTHROPIC_API_KEY", default="any", help="That server's key. [ANTHROPIC_API_KEY]")
@click.option("--system", "-s", default="", metavar="TEXT", help="The system prompt.")
@click.option("--think", type=_LEVELS, help="How to think. [default: as the model does by itself]")
@click.option("--max-tokens", "most", type=click.IntRange(1), metavar="N", help="Tokens of a reply at most.")
@click.option("--attach", "-a", metavar="FILE", multiple=True, help="A picture, a PDF or a text; repeatable.")
@click.option("--tools", metavar="FILE", multiple=True, help="Python functions as tools; repeatable.")
@click.option("--mcp", metavar="COMMAND|URL", multiple=True, help="An MCP server, started or reached; repeatable.")
@click.option("--bash", is_flag=True, help="The bash tool: commands on this machine, each after a question.")
@click.option("--edit", is_flag=True, help="The editor tool: files in this folder, changed after a question.")
@click.option("--memory", metavar="DIR", help="The memory tool, which keeps its files there.")
@click.option("--yes", is_flag=True, help="Ask no questions before tools are run.")
@click.option("--load", metavar="FILE", help="Go on from a conversation that was saved.")
@click.option("--save", metavar="FILE", help="Write the conversation there at the end.")
@click.option("--compact-at", type=click.IntRange(0), metavar="N", help="Summarize at so many tokens; 0: never.")
@click.option("--json", is_flag=True, help="Write each message of the answer as a line of JSON.")
@setting_options(_MODEL)
@click.pass_context
def chat(ctx: click.Context, **given: Any) -> None:
    """Talk to a model: on a terminal until Ctrl-D, or ask PROMPT and print the answer.

    What comes through a pipe goes before PROMPT: git diff | antiphon chat "review this". Without --url a server is
    started for this chat alone. The exit code is 1 where there is no answer.
    """
    try:
        ctx.exit(_chat(given))
    except KeyboardInterrupt:
        ctx.exit(130)


def _chat(given: Mapping[str, Any]) -> int:
    prompt, typed = " ".join(given["words"]), sys.stdin.isatty()
    piped = b"" if typed else sys.stdin.buffer.read()
    if not prompt and not piped.strip() and not (typed and sys.stdout.isatty() and not given["json"]):
        raise ConfigError("there is no question: write it behind `chat`, or send it through a pipe")
    try:
        # Imported late: the SDK takes a second, and need not be there.
        from antiphon.chat.problems import ChatError
        from antiphon.chat.start import Wanted, chat
    except ImportError as missing:
        wanted = f"{sys.executable} -m pip install 'antiphon[chat]'"
        raise ConfigError(f"chat takes the package `{missing.name}`: {wanted}") from missing
    wanted = Wanted(
        prompt=prompt,
        piped=piped if piped.strip() else b"",
        thinking=given["think"] or "",
        **{name: given[name] for name in ("system", "most", "compact_at", "attach", "tools", "mcp")},
        **{name: given[name] for name in ("bash", "edit", "memory", "yes", "load", "save", "json")},
    )
    if given["url"]:
        for name in ("config", *sorted(_MODEL - {"model"})):
            if given[name] is not None:
                raise ConfigError(f"--{name.replace('_', '-')} {_OF_A_START}")
    settings = None if given["url"] else _alone(load_settings(given))

    def place(running: ExitStack) -> tuple[str, str, str]:
        if settings is None:
            return given["url"], given["key"], given["model"] or ""
        url = running.enter_context(companion(settings, Console(stderr=True)))
        return url, settings.api_keys[0], settings.default_model

    try:
        return chat(wanted, place)
    except (ChatError, CompanionError) as problem:
        complain(problem)
        return 1


def _alone(settings: Settings) -> Settings:
    """The settings of a server that nobody else can use, and that takes up no batches and keeps no files."""
    return replace(
        settings,
        host="127.0.0.1",
        port=0,
        api_keys=(secrets.token_urlsafe(),),
        workers=1,
        drain_timeout=1.0,
        stores=StoreSettings(data=NOWHERE),
    )

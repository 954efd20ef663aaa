"""Command-line options made from the table of options, and the settings that a command line amounts to."""

import os
import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from antiphon.config import DEFAULT_MODEL, OPTIONS, ConfigError, Option, Settings, parse_settings
from antiphon.config.kinds import NONE, Keys, Switch
from antiphon.config.option import CONFIG_ENV, CONFIG_FILE
from antiphon.config.remote import Addresses
from antiphon.config.short import SHORT_NAMES

Function = TypeVar("Function", bound=Callable[..., Any])

EVERY = frozenset(option.name for option in OPTIONS)
MODEL = frozenset(option.name for option in OPTIONS if option.of_model or option.name == "model")


def setting_options(names: Collection[str] = EVERY) -> Callable[[Function], Function]:
    """Decorator: the named options and `--config`, for a command that passes its arguments to `load_settings`."""

    def decorate(function: Function) -> Function:
        for option in reversed([option for option in OPTIONS if option.flag and option.name in names]):
            function = _click_option(option)(function)
        path = click.option(
            "--config", metavar="PATH", help=f"The TOML file to read. [{CONFIG_ENV}; default: {CONFIG_FILE} if there]"
        )
        return path(function)

    return decorate


def load_settings(given: Mapping[str, Any]) -> Settings:
    """The settings of this process: its flags (`given`, with `config`), its environment, its file."""
    flags = {name: value for name, value in given.items() if name in EVERY and value not in (None, ())}
    path, toml = _read_file(given.get("config"), os.environ.get(CONFIG_ENV))
    return parse_settings(flags, os.environ, toml, toml_path=path)


def short_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What the Tab key offers where a model is asked for."""
    return [name for name in (DEFAULT_MODEL, *SHORT_NAMES) if name.startswith(incomplete)]


def default_text(option: Option) -> str:
    """The option's default as people read it."""
    if option.default is None:
        return option.unset
    if isinstance(option.default, bool):
        return str(option.default).lower()
    default: object = option.default
    if isinstance(default, tuple):
        return ", ".join(cast("tuple[str, ...]", default)) or "none"
    return f"{option.default:.12g}" if isinstance(option.default, float) else str(option.default)


def _click_option(option: Option) -> Callable[[Function], Function]:
    assert option.flag is not None
    help_text = f"{option.meaning} [{', '.join(option.variables)}; default: {default_text(option)}]"
    if isinstance(option.kind, Switch):
        flags = f"{option.flag}/--no-{option.flag.removeprefix('--')}"
        return click.option(flags, option.name, default=None, help=help_text)
    # The values stay text: they are checked where variables and files are, so that all are refused alike.
    several = isinstance(option.kind, Keys | Addresses)
    metavar = option.kind.metavar
    given = click.option(
        option.flag,
        option.name,
        metavar=metavar,
        multiple=several,
        default=None,
        help=help_text,
        shell_complete=short_names if option.name == "model" else None,
    )
    if option.off_flag is None:
        return given
    off = click.option(
        option.off_flag, option.name, flag_value=NONE, default=None, help=f"The same as {option.flag} none."
    )
    return lambda function: given(off(function))


def _read_file(flag: str | None, variable: str | None) -> tuple[str, dict[str, Any]]:
    path = flag or variable or CONFIG_FILE
    place = "--config" if flag else CONFIG_ENV
    if not (flag or variable) and not Path(path).exists():
        return path, {}
    try:
        return path, tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{place}: there is no file {path}") from None
    except tomllib.TOMLDecodeError as wrong:
        raise ConfigError(f"{path}: this is not TOML: {wrong}") from None
    except (OSError, UnicodeDecodeError) as wrong:
        raise ConfigError(f"{path}: the file cannot be read: {wrong}") from None

"""The program as a whole: help, version, how a wrong setting looks, where settings come from."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import antiphon
from antiphon.cli.main import program
from antiphon.config import OPTIONS
from tests.cli.commands import Composition


def test_the_version_is_the_packages(composition: Composition):
    result = composition.run("--version")
    assert (result.exit_code, result.output) == (0, f"antiphon {antiphon.__version__}\n")


def test_help_lists_the_commands(composition: Composition):
    output = composition.run("--help").output
    assert all(f"\n  {name} " in output for name in ("serve", "models", "doctor"))


@pytest.mark.parametrize("command", ["serve", "models", "doctor"])
def test_every_command_has_help_for_every_option(composition: Composition, command: str):
    result = composition.run(command, "--help")
    assert result.exit_code == 0
    shown = [option for option in OPTIONS if option.flag and option.flag in result.output]
    assert all(option.env in result.output for option in shown)
    assert {"--model", "--config"} <= set(result.output.replace(",", " ").split())


def test_serve_takes_every_option_but_secrets(composition: Composition):
    output = composition.run("serve", "--help").output
    secret = ["metrics_keys", "thinking_keys", "message_threads_store", "stores_database", "limits_store"]
    assert [option.name for option in OPTIONS if (option.flag or f"[{option.env}") not in output] == secret
    for flag in ("--thinking-keys", "--message-threads-store"):
        assert composition.run("serve", flag, "x").exit_code == 2


@pytest.mark.promise("config.precedence")
def test_flags_variables_and_the_file_are_all_read(composition: Composition, tmp_path: Path):
    (tmp_path / "antiphon.toml").write_text('port = 1\nthreads = 1\nlog_level = "error"\n')
    env = {"ANTIPHON_PORT": "2", "ANTIPHON_THREADS": "2", "ANTIPHON_API_KEYS": "a,b"}
    assert composition.run("serve", "--port", "3", "--strict-betas", env=env).exit_code == 0
    (settings,) = composition.settings
    model = settings.models[settings.default_model]
    assert (settings.port, model.threads, settings.log_level) == (3, 2, "error")
    assert (settings.strict_betas, settings.api_keys) == (True, ("a", "b"))


def test_keys_and_switches_can_be_flags(composition: Composition):
    composition.run(
        "serve", "--api-key", "a", "--api-key", "b", "--no-strict-betas", env={"ANTIPHON_STRICT_BETAS": "1"}
    )
    assert composition.settings[0].api_keys == ("a", "b")
    assert not composition.settings[0].strict_betas


@pytest.mark.parametrize("place", ["--config", "ANTIPHON_CONFIG"])
def test_another_file_can_be_named(composition: Composition, tmp_path: Path, place: str):
    (tmp_path / "antiphon.toml").write_text("port = 1\n")
    (tmp_path / "mine.toml").write_text("port = 2\n")
    flags = ["--config", "mine.toml"] if place == "--config" else []
    composition.run("serve", *flags, env={} if flags else {place: "mine.toml"})
    assert composition.settings[0].port == 2


@pytest.mark.promise("config.names-the-wrong-setting")
@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        pytest.param("port = x", [], "antiphon.toml: this is not TOML", id="not TOML"),
        pytest.param("port = 'x'", [], "antiphon.toml, port: 'x' is not a whole number", id="wrong value"),
        pytest.param("", ["--config", "no.toml"], "--config: there is no file no.toml", id="no such file"),
        pytest.param("", ["--config", "."], ".: the file cannot be read", id="a folder"),
        pytest.param("", ["--port", "x"], "--port: 'x' is not a whole number from 0 to 65535", id="wrong flag"),
        pytest.param("", ["--host", "0.0.0.0"], "no API key is set", id="open without a key"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(
    composition: Composition, tmp_path: Path, text: str, arguments: list[str], said: str
):
    if text:
        (tmp_path / "antiphon.toml").write_text(text)
    result = composition.run("serve", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("antiphon: ")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert composition.settings == []


def groups(command: click.Command = program) -> Iterator[click.Group]:
    if isinstance(command, click.Group):
        yield command
        for below in command.commands.values():
            yield from groups(below)


@pytest.mark.parametrize("group", list(groups()), ids=lambda group: group.name)
def test_on_80_columns_no_commands_purpose_is_cut_off(group: click.Group):
    shown = group.get_help(click.Context(group, terminal_width=78))
    listed = shown.partition("Commands:")[2].splitlines()
    assert [line for line in listed if line.endswith("...") or len(line) > 80 or line.startswith("    ")] == []
    assert len(listed) > len(group.commands)

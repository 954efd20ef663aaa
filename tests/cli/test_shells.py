"""What shells and `man` are told of the program."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from antiphon.cli.serve import serve
from antiphon.cli.shells import SHELLS, manual_page
from tests.cli.commands import Composition


def complete(*words: str) -> list[str]:
    """What bash would offer for the last of the words."""
    asked = {"_ANTIPHON_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    command = [sys.executable, "-m", "antiphon"]
    run = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, timeout=60, check=True)
    return [line.partition(",")[2] for line in run.stdout.splitlines()]


@pytest.mark.promise("cli.completion")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("antiphon", "ser"), ["serve"]),
        (("antiphon", "models", "p"), ["pull"]),
        (("antiphon", "models", "pull", "gpt-"), ["gpt-oss-20b", "gpt-oss-120b"]),
        (("antiphon", "serve", "--model", "llama"), ["llama-3.2-3b"]),
        (("antiphon", "serve", "--requi"), ["--require-keys"]),
    ],
)
def test_the_tab_key_completes_commands_options_and_models(words: tuple[str, ...], offered: list[str]):
    assert complete(*words) == offered


@pytest.mark.promise("cli.completion")
@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_a_script_for_this_program(shell: str, composition: Composition):
    script = composition.run("completion", shell).stdout
    assert f"_ANTIPHON_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        checked = subprocess.run(
            [shell, "-n", "/dev/stdin"], input=script, text=True, capture_output=True, timeout=60
        )
        assert (checked.returncode, checked.stderr) == (0, "")


def test_another_shell_is_refused_with_those_that_there_are(composition: Composition):
    result = composition.run("completion", "cmd")
    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr


@pytest.mark.promise("cli.man")
def test_there_is_a_page_for_each_command_with_all_its_options(composition: Composition, tmp_path: Path):
    where = tmp_path / "man1"
    assert composition.run("man", str(where)).exit_code == 0
    names = {page.stem for page in where.iterdir()}
    assert {"antiphon", "antiphon-serve", "antiphon-models-pull", "antiphon-keys-add"} <= names
    page = (where / "antiphon-serve.1").read_text(encoding="utf-8").replace("\\-", "-")
    options = [option for param in serve.params for option in param.opts]
    assert [option for option in options if option not in page] == []
    assert "antiphon-serve\\fR(1)" in (where / "antiphon.1").read_text(encoding="utf-8").replace("\\-", "-")


def test_text_is_no_request_to_troff():
    command = click.Command("x", help="First.\n\n.TH is a \\ request - 'not here'.")
    page = manual_page("x", command)
    assert "\\&.TH is a \\e request \\- 'not here'." in page
    assert [line for line in page.splitlines() if line.startswith((".TH", "'"))] == [page.splitlines()[0]]


def test_a_folder_that_cannot_be_made_is_one_sentence(composition: Composition, tmp_path: Path):
    (tmp_path / "file").write_text("")
    done = composition.run("man", str(tmp_path / "file" / "man1"))
    assert done.exit_code == 1
    assert done.stderr == f"antiphon: {tmp_path / 'file' / 'man1'}: no pages can be written there: Not a directory\n"

"""What an installed package holds: code, and the files that it reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from antiphon.weights.builtin import ADAPTERS
from tests.arch.tree import ROOT, SOURCE, files


@pytest.mark.promise("adapter.default")
def test_the_wheel_holds_every_file_of_the_package():
    held = {included.distribution_path for included in WheelBuilder(str(ROOT)).recurse_included_files()}
    wanted = {path.relative_to(SOURCE.parent).as_posix() for path in files() if SOURCE in path.parents}
    assert {"antiphon/profiles/data.toml", "antiphon/clients/evals/chat.jsonl"} <= wanted
    assert wanted - held == set()


def test_adapters_lie_in_the_package():
    assert SOURCE in ADAPTERS.parents


@pytest.mark.promise("install.wheel")
def test_a_wheel_runs_without_the_source_tree(tmp_path: Path):
    built, installed = tmp_path / "dist", tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    options = ["--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "wheel", *options, "--wheel-dir", built, ROOT], check=True, timeout=120)
    (wheel,) = built.glob("antiphon-*-py3-none-any.whl")
    subprocess.run(
        [*pip, "install", "--no-deps", "--no-compile", "--target", installed, wheel], check=True, timeout=120
    )
    script = tmp_path / "hello.toml"
    script.write_text('[[reply]]\ntext = "Hello."\n', encoding="utf-8")
    program = (
        "import sys, antiphon\n"
        "assert antiphon.__file__.startswith(sys.argv[1]), antiphon.__file__\n"
        "sys.argv[1:2] = []\n"
        "from antiphon.cli.main import main\n"
        "main()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", program, str(installed)]
    for arguments in (["models", "--model", f"script:{script}"], ["doctor", "--port", "0", "--data", "none"]):
        run = subprocess.run(
            [*command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert run.returncode == 0, run.stdout + run.stderr

"""What a person types first: the verbs, and the search for a Python."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.arch.tree import ROOT

VERBS = (
    "help",
    "serve",
    "chat",
    "examples",
    "test",
    "test-vllm",
    "lint",
    "types",
    "contracts",
    "docs",
    "build",
    "train",
    "bench",
    "lock",
    "clean",
)


def test_make_alone_lists_every_verb():
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert listed == list(VERBS)


def test_training_installs_the_package_before_it_asks_for_the_models_file():
    done = subprocess.run(
        ["make", "-n", "-B", "train"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    plan = done.stdout
    assert plan.index('"antiphon itself"') < plan.index("scripts/builtin_model.py") < plan.index("training.train")


def fake_python(folder: Path, name: str, version: str, *, venv: bool = True) -> None:
    """A program that answers the three questions that are asked of a Python."""
    major, minor = version.split(".")
    too_old = (int(major), int(minor)) < (3, 11)
    script = f"""#!/bin/sh
case "$2" in
    *print*) echo {version} ;;
    *exit*) exit {int(too_old)} ;;
    *ensurepip*) exit {int(not venv)} ;;
esac
"""
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)


def find(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", ROOT / "scripts" / "find-python.sh", *arguments],
        env={**os.environ, "PATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_first_python_that_works_is_taken(tmp_path: Path):
    (tmp_path / "python3.13").write_text("#!/bin/sh\necho 'python3.13: command not found' >&2\nexit 127\n")
    (tmp_path / "python3.13").chmod(0o755)
    fake_python(tmp_path, "python3.12", "3.12", venv=False)
    fake_python(tmp_path, "python3", "3.11")
    assert find(tmp_path).stdout.strip() == str(tmp_path / "python3")


@pytest.mark.promise("install.names-what-is-missing")
def test_a_python_that_is_too_old_is_named_with_its_version(tmp_path: Path):
    fake_python(tmp_path, "python3", "3.9")
    done = find(tmp_path)
    assert done.returncode == 1
    assert "python3 is 3.9" in done.stderr
    assert "Python 3.11 or newer" in done.stderr


@pytest.mark.promise("install.names-what-is-missing")
def test_a_python_without_venv_is_named_with_the_package_that_brings_it(tmp_path: Path):
    fake_python(tmp_path, "python3", "3.12", venv=False)
    done = find(tmp_path)
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr


def test_a_python_of_ones_own_choice_is_the_only_one_looked_at(tmp_path: Path):
    fake_python(tmp_path, "python3", "3.12")
    fake_python(tmp_path, "mine", "3.10")
    done = find(tmp_path, "mine")
    assert done.returncode == 1
    assert "mine is 3.10" in done.stderr

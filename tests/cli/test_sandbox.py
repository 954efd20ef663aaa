"""`antiphon sandbox`, and what doctor says of it."""

from pathlib import Path

import pytest

from antiphon.cli import checks
from antiphon.config import SandboxSettings, Settings
from antiphon.sandbox.choosing import Tried
from tests.cli.commands import Composition

NAMED = Settings(sandbox=SandboxSettings(driver="docker"))


@pytest.mark.promise("sandbox.choice")
@pytest.mark.parametrize(
    ("settings", "tried", "libraries", "state", "said"),
    [
        (Settings(), (Tried("bubblewrap", None),), True, "OK", "bubblewrap runs code"),
        (
            Settings(),
            (Tried("bubblewrap", None),),
            False,
            "OK",
            "bubblewrap runs code, with Python's own library alone",
        ),
        (Settings(), (Tried("a", "no a"), Tried("b", "no b")), True, "WARN", "no code can be run: a: no a; b: no b"),
        (NAMED, (Tried("docker", "no daemon"),), True, "FAIL", "no code can be run: docker: no daemon"),
        (Settings(), (), True, "OK", "[sandbox] driver = none: no code is run"),
    ],
)
def test_doctor_says_what_runs_code(
    settings: Settings, tried: tuple[Tried, ...], libraries: bool, state: str, said: str
):
    finding = checks.sandbox(settings, tried, libraries)
    assert (finding.state, finding.detail) == (state, said)


def test_a_command_is_tried_in_a_sandbox(composition: Composition):
    result = composition.run("sandbox", "try", "sh", "-c", "uname -n; exit 7")
    assert (result.exit_code, result.stdout) == (7, "sandbox\n")
    assert composition.run("sandbox", "try", "uname", "--nodename").stdout == "sandbox\n"
    assert composition.run("sandbox", "try", "uname -n | tr a-z A-Z").stdout == "SANDBOX\n"


def test_a_driver_that_is_not_there_is_named(composition: Composition):
    result = composition.run("sandbox", "try", "--sandbox-driver", "nothing")
    assert result.exit_code == 2
    assert "no installed package brings a driver called nothing" in result.stderr


def test_the_status_says_what_works_and_which_libraries_there_are(composition: Composition, tmp_path: Path):
    result = composition.run("sandbox", "status", "--sandbox-python", str(tmp_path / "libraries"))
    assert result.exit_code == 0
    assert result.stdout.startswith(f"bubblewrap: works\nno libraries are in {tmp_path / 'libraries'}: ")
    assert composition.run("sandbox", "status", "--sandbox-driver", "none").exit_code == 1

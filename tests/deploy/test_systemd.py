"""The unit for systemd: what systemd itself says of it, and what the server relies on."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from antiphon.config import Settings
from tests.arch.tree import ROOT

UNIT = ROOT / "deploy" / "systemd" / "antiphon.service"
PROGRAM = "/opt/antiphon/bin/antiphon"


def service() -> dict[str, str]:
    """The section of the service."""
    reader = configparser.RawConfigParser(strict=True)
    reader.optionxform = str  # pyright: ignore[reportAttributeAccessIssue] - a name as it is written
    reader.read_string(UNIT.read_text(encoding="utf-8"))
    return dict(reader["Service"])


@pytest.mark.promise("deploy.systemd")
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd")
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text(encoding="utf-8").replace(PROGRAM, "/bin/true"), encoding="utf-8")
    verified = subprocess.run(
        ["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.promise("deploy.systemd")
def test_streams_get_their_time_and_a_reload_is_a_hangup() -> None:
    said = service()
    assert said["ExecStart"].split()[:2] == [PROGRAM, "serve"]
    assert said["ExecReload"].split()[1:] == ["-HUP", "$MAINPID"]
    assert int(said["TimeoutStopSec"]) > Settings().drain_timeout + 10
    assert said["KillMode"] == "mixed"

"""`antiphon engines`."""

import json
from pathlib import Path

import pytest

from antiphon.cli import engines
from antiphon.stores.drains import Drains
from tests.cli.commands import Composition

ONE = "http://one:1"


@pytest.fixture
def drains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drains:
    """The file of a user who has drained nothing yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(engines, "HEEDED", 0.0)
    return Drains(tmp_path / "antiphon" / "drained")


@pytest.mark.promise("pool.draining")
def test_what_is_drained_is_told_to_servers_and_shown(composition: Composition, drains: Drains):
    assert composition.run("engines", "list").stdout == "no engines at URLs\n"
    assert composition.run("engines", "drain", f"{ONE}/").stdout == f"{ONE}: drained\n"
    assert drains.drained() == {ONE}
    shown = composition.run("engines", "list", "--json", "--url", "http://two:2").stdout
    assert json.loads(shown) == {"http://two:2": "in service", ONE: "drained, nothing to do"}
    assert composition.run("engines", "undrain", ONE).stdout == f"{ONE}: in service\n"
    assert not drains.drained()


@pytest.mark.promise("pool.draining")
def test_who_waits_is_told_whether_somebody_still_works_there(composition: Composition, drains: Drains):
    drains.change(ONE, drain=True)
    let_go = drains.hold(ONE)
    waited = composition.run("engines", "drain", ONE, "--wait", "0.01")
    assert (waited.exit_code, waited.stdout) == (1, f"{ONE}: drained, and still at work\n")
    assert composition.run("engines", "list").stdout == f"{ONE}  drained, and still at work\n"
    let_go()
    waited = composition.run("engines", "drain", ONE, "--wait", "20")
    assert (waited.exit_code, waited.stdout) == (0, f"{ONE}: drained, nothing to do\n")


def test_what_is_no_url_is_refused_in_words(composition: Composition, drains: Drains):
    refused = composition.run("engines", "drain", "gpu1")
    assert refused.exit_code == 2
    assert "is not an address such as" in refused.stderr
    assert not drains.drained()

"""The file that says which engines get nothing new, and the locks that say where somebody still works."""

from pathlib import Path

import pytest

from antiphon.stores.drains import Drains
from antiphon.stores.state import state_folder

ONE, TWO = "http://one:1", "http://two:2"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "antiphon" / "drained"


@pytest.mark.promise("pool.draining")
def test_what_one_says_others_read(path: Path):
    owner, server = Drains(path), Drains(path)
    assert not server.drained()
    assert [owner.change(TWO, drain=True), owner.change(ONE, drain=True), owner.change(ONE, drain=True)] == [
        True,
        True,
        False,
    ]
    assert server.drained() == {ONE, TWO}
    assert [owner.change(ONE, drain=False), owner.change(ONE, drain=False)] == [True, False]
    assert server.drained() == {TWO}
    path.unlink()
    assert not server.drained()


def test_the_file_may_be_written_by_hand(path: Path):
    path.parent.mkdir()
    path.write_text(f"# a remark\n\n  {ONE}  \n")
    assert Drains(path).drained() == {ONE}


def test_a_file_that_cannot_be_read_changes_nothing_and_is_told_once(path: Path, caplog: pytest.LogCaptureFixture):
    drains = Drains(path)
    drains.change(ONE, drain=True)
    assert drains.drained() == {ONE}
    path.write_bytes(b"\xff")
    assert [drains.drained(), drains.drained()] == [{ONE}, {ONE}]
    assert len(caplog.records) == 1


@pytest.mark.promise("pool.draining")
def test_an_engine_is_held_until_the_last_one_lets_go(path: Path):
    owner, servers = Drains(path), [Drains(path), Drains(path)]
    owner.change(ONE, drain=True)
    assert not owner.is_held(ONE)
    let_go = [server.hold(ONE) for server in servers]
    assert (owner.is_held(ONE), owner.is_held(TWO)) == (True, False)
    let_go[0]()
    assert owner.is_held(ONE)
    let_go[1]()
    assert not owner.is_held(ONE)


def test_the_folder_is_the_users(tmp_path: Path):
    assert state_folder({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "antiphon"
    assert state_folder({"XDG_STATE_HOME": "relative"}, "linux") == Path.home() / ".local/state/antiphon"
    assert state_folder({"LOCALAPPDATA": str(tmp_path)}, "win32") == tmp_path / "antiphon"

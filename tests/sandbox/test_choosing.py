"""Which driver is taken, and what is said where none works."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from antiphon.config import SandboxSettings
from antiphon.ports.sandbox import Limits, Mount
from antiphon.sandbox import choosing
from antiphon.sandbox.bubblewrap.driver import BubblewrapDriver
from antiphon.sandbox.choosing import NoSuchDriver, choose
from tests.sandbox.conftest import bubblewrap

SETTINGS = SandboxSettings()


class OwnDriver:
    """An owner's own driver."""

    name = "mine"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def probe(self) -> str | None:
        return None

    async def open(self, id_: str, limits: Limits, mounts: Sequence[Mount] = ()) -> None: ...

    async def exists(self, id_: str) -> bool:
        return False

    async def discard(self, id_: str) -> None: ...

    async def aclose(self) -> None: ...


class HalfADriver:
    """What lacks most of one."""

    def __init__(self, folder: Path) -> None: ...

    async def probe(self) -> str | None:
        return None


def failing(folder: Path) -> None:
    raise LookupError("no licence")


def own(monkeypatch: pytest.MonkeyPatch, made: str) -> None:
    point = EntryPoint("mine", f"{__name__}:{made}", choosing.GROUP)

    def found(group: str) -> list[EntryPoint]:
        assert group == choosing.GROUP
        return [point]

    monkeypatch.setattr(choosing, "entry_points", found)


@pytest.mark.promise("sandbox.choice")
async def test_the_first_that_works_is_taken(tmp_path: Path):
    bubblewrap(tmp_path)
    driver, tried = await choose(SETTINGS, tmp_path, None)
    assert isinstance(driver, BubblewrapDriver)
    assert [(one.name, one.problem) for one in tried] == [("bubblewrap", None)]


@pytest.mark.promise("sandbox.choice")
async def test_where_none_is_there_each_says_what_would_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    driver, tried = await choose(SETTINGS, tmp_path, None)
    assert driver is None
    assert [one.name for one in tried] == ["bubblewrap", "podman", "docker"]
    assert (
        tried[0].problem
        == "the program bwrap is not on this machine; on Debian and Ubuntu, apt-get install bubblewrap helps"
    )
    assert tried[2].problem == "the program docker is not on this machine"


async def test_a_driver_that_says_nothing_of_use_does_not_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho bwrap: No permissions to create a new namespace >&2; exit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    driver, tried = await choose(replace(SETTINGS, driver="bubblewrap"), tmp_path / "sandboxes", None)
    assert driver is None
    assert tried[0].problem == (
        "bwrap: No permissions to create a new namespace; namespaces may be forbidden here: see docs/sandbox.md"
    )


@pytest.mark.promise("sandbox.choice")
async def test_a_driver_of_ones_own_is_named_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own(monkeypatch, "OwnDriver")
    driver, _ = await choose(replace(SETTINGS, driver="mine"), tmp_path, None)
    assert isinstance(driver, OwnDriver)
    assert driver.folder == tmp_path


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("HalfADriver", "it lacks open, exists, discard, aclose"),
        ("failing", "no licence"),
        ("", "no installed package"),
    ],
)
async def test_one_that_cannot_be_made_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, said: str
):
    if made:
        own(monkeypatch, made)
    with pytest.raises(NoSuchDriver, match=said):
        await choose(replace(SETTINGS, driver="mine"), tmp_path, None)

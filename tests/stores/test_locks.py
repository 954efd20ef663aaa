"""Locks that are shared and locks that are not, as this system has them and as Windows does."""

import fcntl
import os
import struct
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest

from antiphon.stores import locks
from antiphon.stores.drains import Drains

_OF_OPEN_FILES = getattr(fcntl, "F_OFD_SETLK", None)

pytestmark = pytest.mark.skipif(_OF_OPEN_FILES is None, reason="what stands in for Windows is Linux's")


def _locking(descriptor: int, mode: int, places: int) -> None:
    """As `msvcrt.locking` does: a stretch of the file from where it is read, for this open file alone."""
    assert mode == 2
    at = os.lseek(descriptor, 0, os.SEEK_CUR)
    wanted = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, at, places, 0)
    try:
        fcntl.fcntl(descriptor, _OF_OPEN_FILES or 0, wanted)
    except BlockingIOError as problem:
        raise PermissionError(13, "Permission denied") from problem


def as_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=_locking, LK_NBLCK=2))


@pytest.fixture(params=["here", "windows"])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[Callable[[], IO[str]]]:
    """Opens the file once more."""
    if request.param == "windows":
        as_on_windows(monkeypatch)
    files: list[IO[str]] = []

    def another() -> IO[str]:
        files.append((tmp_path / "lock").open("a"))
        return files[-1]

    yield another
    for file in files:
        file.close()


@pytest.mark.promise("pool.draining")
def test_many_share_a_file_and_one_has_it_alone_when_all_of_them_have_closed_it(
    opened: Callable[[], IO[str]],
) -> None:
    one, two = opened(), opened()
    locks.share(one)
    locks.share(two)
    assert not locks.is_free(opened())
    one.close()
    assert not locks.is_free(opened())
    two.close()
    alone = opened()
    assert locks.is_free(alone)
    assert not locks.is_free(opened())
    alone.close()
    locks.take(opened())


@pytest.mark.promise("pool.draining")
def test_who_wants_a_file_alone_on_windows_waits_for_those_that_share_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_on_windows(monkeypatch)
    waited: list[float] = []
    with (tmp_path / "lock").open("a") as one, (tmp_path / "lock").open("a") as other:
        locks.share(one)

        def wait(seconds: float) -> None:
            waited.append(seconds)
            one.close()

        monkeypatch.setattr(locks, "time", SimpleNamespace(sleep=wait))
        locks.take(other)
    assert len(waited) == 1


@pytest.mark.promise("pool.draining")
def test_an_engine_is_held_on_windows_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_on_windows(monkeypatch)
    owner, servers = Drains(tmp_path / "drained"), [Drains(tmp_path / "drained") for _ in range(2)]
    assert owner.change("http://one:1", drain=True)
    let_go: list[Any] = [server.hold("http://one:1") for server in servers]
    held = [owner.is_held("http://one:1")]
    for one in let_go:
        one()
        held.append(owner.is_held("http://one:1"))
    assert held == [True, True, False]

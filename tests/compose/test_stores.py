"""What a server keeps, from its settings: opened, tried, refused with what to do."""

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from antiphon.compose.observer import StartError
from antiphon.compose.stores import open_stores, try_stores
from antiphon.config import NOWHERE, Settings, StoreSettings
from antiphon.testing import CountingEntropy, FixedClock


def given(**stores: Any) -> Settings:
    return Settings(stores=StoreSettings(**stores))


async def opened(settings: Settings) -> tuple[str, str] | None:
    """Open and close; where both lie."""
    stores = await open_stores(settings, FixedClock(), CountingEntropy())
    if stores is None:
        return None
    await stores.aclose()
    return stores.database.shown, stores.objects.shown


def is_there(path: Path) -> bool:
    return path.exists()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data directory, not yet there."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "antiphon"


@pytest.mark.promise("stores.by-default")
async def test_without_a_word_all_is_kept_in_the_users_data_directory_and_for_the_user_alone(home: Path) -> None:
    assert await opened(Settings()) == (str(home / "antiphon.db"), str(home / "objects"))
    assert mode(home) == 0o700
    assert mode(home / "antiphon.db") == 0o600


@pytest.mark.promise("stores.by-default")
async def test_a_directory_that_is_named_holds_all_of_it(tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "my data"
    assert await opened(given(data=str(folder))) == (str(folder / "antiphon.db"), str(folder / "objects"))
    assert sorted(os.listdir(folder)) == ["antiphon.db", "objects"]
    assert (mode(folder), mode(folder / "antiphon.db"), mode(folder / "objects")) == (0o700, 0o600, 0o700)
    assert not is_there(home)


async def test_each_store_may_lie_elsewhere(tmp_path: Path, home: Path) -> None:
    settings = given(database=f"sqlite:///{tmp_path}/own.db", objects="memory://")
    assert await opened(settings) == (f"{tmp_path}/own.db", "memory://")
    assert not is_there(home)


@pytest.mark.promise("stores.off")
async def test_who_wants_nothing_kept_gets_no_stores(home: Path) -> None:
    assert await opened(given(data=NOWHERE)) is None
    assert await try_stores(given(data=NOWHERE)) == []
    assert not is_there(home)


@pytest.mark.promise("stores.unfit-is-said")
async def test_a_place_that_was_named_and_cannot_be_had_ends_the_start(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StartError, match=r"^stores: .*file.*Mend that, or name another place \(--data"):
        await opened(given(data=str(blocked)))


@pytest.mark.promise("stores.unfit-is-said")
async def test_a_file_that_is_no_database_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "antiphon.db").write_text("no database at all " * 100)
    with pytest.raises(StartError, match=r"stores: .*antiphon\.db: .*file is not a database"):
        await opened(given(data=str(tmp_path)))


@pytest.mark.promise("stores.by-default")
async def test_a_user_without_a_place_to_write_is_served_without_files_and_told(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home.parent.write_text("not a folder")
    assert await opened(Settings()) is None
    assert "files and batches are not kept, and refused: " in caplog.text


@pytest.mark.promise("stores.doctor")
async def test_what_is_tried_before_the_first_start_is_not_made(home: Path) -> None:
    trials = await try_stores(Settings())
    assert [(trial.what, trial.shown, trial.problem, trial.new) for trial in trials] == [
        ("database", str(home / "antiphon.db"), "", True),
        ("objects", str(home / "objects"), "", True),
    ]
    assert not is_there(home)


@pytest.mark.promise("stores.doctor")
async def test_what_is_there_is_written_to_and_read_and_left_as_it_was(home: Path) -> None:
    await opened(Settings())
    with sqlite3.connect(home / "antiphon.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    before = (home / "antiphon.db").read_bytes()
    trials = await try_stores(Settings())
    assert [(trial.what, trial.problem, trial.new) for trial in trials] == [
        ("database", "", False),
        ("objects", "", False),
    ]
    assert (home / "antiphon.db").read_bytes() == before
    assert [names for _, _, names in os.walk(home / "objects") if names] == []


@pytest.mark.promise("stores.doctor")
async def test_what_is_broken_is_found_out_when_it_is_tried(tmp_path: Path) -> None:
    (tmp_path / "antiphon.db").write_text("no database at all " * 100)
    (tmp_path / "objects").write_text("no folder")
    database, objects = await try_stores(given(data=str(tmp_path)))
    assert "file is not a database" in database.problem
    assert "cannot be opened" in objects.problem

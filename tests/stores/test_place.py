"""Where things lie: folders and URLs."""

from pathlib import Path

import pytest

from antiphon.stores.place import data_folder, database_in, file_of, folder_of, objects_in, shown


def test_what_is_kept_lies_in_the_users_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path.home()
    assert data_folder(None, {"XDG_DATA_HOME": "/data"}, "linux") == Path("/data/antiphon")
    assert data_folder(None, {"XDG_DATA_HOME": "relative"}, "linux") == home / ".local/share/antiphon"
    assert data_folder(None, {}, "darwin") == home / "Library/Application Support/antiphon"
    assert data_folder(None, {"LOCALAPPDATA": "/local"}, "win32") == Path("/local/antiphon")
    assert data_folder("~/kept", {"XDG_DATA_HOME": "/data"}) == home / "kept"
    monkeypatch.chdir("/")
    assert data_folder("kept", {}) == Path("/kept")


def test_a_user_without_a_home_has_no_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("nobody")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(OSError, match="no home directory"):
        data_folder(None, {}, "linux")


@pytest.mark.parametrize("folder", ["/var/lib/antiphon", "/with space/50%/ü#?"])
def test_a_folder_comes_back_out_of_the_urls_made_of_it(folder: str) -> None:
    path = Path(folder)
    assert file_of(database_in(path)) == path / "antiphon.db"
    assert folder_of(objects_in(path)) == path / "objects"
    assert shown(database_in(path)) == str(path / "antiphon.db")
    assert shown(objects_in(path)) == str(path / "objects")


def test_what_is_no_file_has_no_path_and_is_shown_without_its_password() -> None:
    assert file_of("postgresql://user:secret@db.lan:5432/antiphon") is None
    assert (
        shown("postgresql://user:secret@db.lan:5432/antiphon?sslmode=require") == "postgresql://db.lan:5432/antiphon"
    )
    assert folder_of("s3://bucket/prefix") is None
    assert shown("s3://bucket/prefix") == "s3://bucket/prefix"

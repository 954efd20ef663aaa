"""`antiphon stores`: the command line of what is kept."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from antiphon.stores.objects import Objects
from antiphon.stores.place import database_in, objects_in
from antiphon.stores.sql.database import Database
from tests.cli.commands import Composition


async def _put(folder: Path) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"kept"

    await Objects.open(objects_in(folder)).put("files/one", chunks())
    await (await Database.open(database_in(folder))).aclose()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A directory with a database, and an object."""
    asyncio.run(_put(tmp_path / "here"))
    return tmp_path / "here"


def kept(folder: Path) -> bytes:
    return (folder / "objects" / "files" / "one").read_bytes()


@pytest.mark.promise("stores.copied")
@pytest.mark.parametrize("said", ["--from", "--data"])
def test_a_directory_is_copied_to_another(composition: Composition, source: Path, tmp_path: Path, said: str):
    done = composition.run("stores", "copy", said, str(source), "--to", str(tmp_path / "there"))
    assert (done.exit_code, kept(tmp_path / "there")) == (0, b"kept")
    assert "Copied, and counted at the target: 1 objects of 0.0 MB together; " in done.stdout
    assert sorted(os.listdir(tmp_path / "there")) == ["antiphon.db", "objects"]


def test_a_place_may_be_in_a_variable_where_a_command_line_is_open_to_all(
    composition: Composition, source: Path, tmp_path: Path
):
    place = f"file://{tmp_path / 'secret' / 'objects'}"
    done = composition.run("stores", "copy", "--from", str(source), "--to", "env:NEW", env={"NEW": place})
    assert (done.exit_code, kept(tmp_path / "secret")) == (0, b"kept")
    assert not (tmp_path / "secret" / "antiphon.db").exists()


@pytest.mark.parametrize(
    ("places", "problem"),
    [
        (["ftp://host"], "--to: this must be a directory, the URL of a database"),
        (["/a", "/b"], "of a database and an object store one each"),
        (["s3://a", "gs://b"], "of a database and an object store one each"),
        (["env:NOBODY"], "--to: there is no variable NOBODY"),
    ],
)
def test_a_place_that_is_none_is_refused_before_anything_is_made(
    composition: Composition, source: Path, places: list[str], problem: str
):
    arguments = [part for place in places for part in ("--to", place)]
    done = composition.run("stores", "copy", "--from", str(source), *arguments)
    assert done.exit_code == 2
    assert problem in done.stderr


def test_a_copy_that_fails_says_why_in_one_line(composition: Composition, source: Path, tmp_path: Path):
    done = composition.run("stores", "copy", "--from", str(source), "--to", "postgresql://user:secret@127.0.0.1:1/x")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].startswith(
        "antiphon: postgresql://127.0.0.1:1/x: the database does not answer"
    )
    assert "secret" not in done.output

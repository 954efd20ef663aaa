"""Skills as folders of this machine: whole or not there, and gone when nobody has asked for them for a day."""

import asyncio
import os
from pathlib import Path

import pytest

from antiphon.ports.skills import SkillFile
from antiphon.ports.stores import StoreError
from antiphon.stores.skill_folders import KEPT, LocalSkillFolders

ONE, TWO = "1" * 64, "2" * 64
FILES = {"SKILL.md": SkillFile(b"Do it."), "a/b/run.sh": SkillFile(b"#!/bin/sh\n", executable=True)}


def seen(root: Path) -> tuple[dict[str, bytes], dict[str, int]]:
    """What is in the files of a folder, and who may do what."""
    found = (root, *root.rglob("*"))
    data = {str(path.relative_to(root)): path.read_bytes() for path in found if path.is_file()}
    return data, {path.name: path.stat().st_mode & 0o777 for path in found}


async def test_the_files_are_there_for_everybody_to_read_and_found_again(tmp_path: Path) -> None:
    folders = LocalSkillFolders(tmp_path / "skills")
    assert await folders.find(ONE) is None
    before = os.umask(0o077)
    try:
        path = Path(await folders.make(ONE, FILES))
    finally:
        os.umask(before)
    assert await LocalSkillFolders(tmp_path / "skills").find(ONE) == str(path)
    data, modes = seen(path)
    assert data == {name: file.data for name, file in FILES.items()}
    assert modes == {ONE: 0o755, "SKILL.md": 0o644, "a": 0o755, "b": 0o755, "run.sh": 0o755}


async def test_many_may_make_one_at_the_same_time(tmp_path: Path) -> None:
    folders = [LocalSkillFolders(tmp_path) for _ in range(8)]
    made = await asyncio.gather(*(one.make(ONE, FILES) for one in folders))
    assert set(made) == {str(tmp_path / ONE)}
    assert os.listdir(tmp_path) == [ONE]


async def test_what_nobody_has_asked_for_is_removed_and_what_somebody_has_stays(tmp_path: Path) -> None:
    folders = LocalSkillFolders(tmp_path)
    for digest in (ONE, TWO):
        path = await folders.make(digest, FILES)
        os.utime(path, (1, os.stat(path).st_mtime - KEPT - 10))
    (tmp_path / "draft").mkdir()
    os.utime(tmp_path / "draft", (1, 1))
    assert await folders.find(TWO) is not None
    await folders.make("3" * 64, FILES)
    assert sorted(os.listdir(tmp_path)) == [TWO, "3" * 64]


async def test_a_disk_that_takes_nothing_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="a skill cannot be unpacked"):
        await LocalSkillFolders(tmp_path / "file" / "skills").make(ONE, FILES)


async def test_a_digest_is_no_path(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no digest"):
        await LocalSkillFolders(tmp_path).find("../x")

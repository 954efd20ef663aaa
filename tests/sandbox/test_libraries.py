"""The libraries that code finds: pinned, installed whole, or not at all."""

import os
from pathlib import Path

import pytest

from antiphon.ports.sandbox import SandboxDriver
from antiphon.sandbox import libraries
from antiphon.sandbox.bubblewrap.driver import BubblewrapDriver
from antiphon.sandbox.libraries import InstallProblem, cached, install, installed, pinned
from antiphon.sandbox.python import python_for
from tests.sandbox.commands import python
from tests.sandbox.conftest import LIMITS


def test_the_documented_libraries_are_pinned_with_hashes_and_without_an_address():
    assert pinned().keys() >= {"numpy", "pandas", "matplotlib", "scikit-learn", "pillow", "python-pptx", "sympy"}
    text = (Path(libraries.__file__).parent / "libraries.txt").read_text()
    assert "://" not in text
    assert all("--hash=sha256:" in part for part in text.split("\n\n") if "==" in part)


def test_they_lie_in_the_users_cache(tmp_path: Path):
    found = cached({"XDG_CACHE_HOME": str(tmp_path)})
    assert found is not None
    assert found.parent == tmp_path / "antiphon" / "sandbox"


async def test_an_installation_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    folder = tmp_path / "libraries"
    with pytest.raises(InstallProblem, match="No matching distribution"):
        await install(folder, lambda name: None)
    assert os.listdir(tmp_path) == []


async def test_what_is_installed_is_known_until_other_versions_are_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(libraries, "_list", lambda: "# none\n")
    folder = tmp_path / "libraries"
    folder.mkdir()
    await install(folder, lambda name: None)
    assert installed(folder)
    monkeypatch.setattr(libraries, "_list", lambda: "# others\n")
    assert not installed(folder)


async def test_code_finds_them(driver: SandboxDriver, tmp_path: Path):
    (tmp_path / "libraries").mkdir()
    (tmp_path / "libraries" / "documented.py").write_text("answer = 42")
    with_them = BubblewrapDriver(tmp_path / "others", python_for(tmp_path / "libraries"))
    script = python("import documented; print(documented.answer)")
    assert (await (await with_them.open("one", LIMITS)).run(script)).stdout == b"42\n"
    assert b"ModuleNotFoundError" in (await (await driver.open("one", LIMITS)).run(script)).stderr

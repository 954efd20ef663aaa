"""What the tree as a whole must and must not hold."""

import json
import re
import tomllib

import pytest

import antiphon
from tests.arch.tree import ROOT, files

# In pieces, so that this file does not hold what it looks for.
REGISTRIES = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "registry." + "yarnpkg",
    "deb." + "debian",
    "archive." + "ubuntu",
    "files." + "python",
)
WORKPLACE = re.compile(r"(?<![\w.~-])/(?:work|root|opt/pypi|opt/wheels|tmp/probe|tmp/brief)/")
LOCKS = ("serve", "postgres", "otel", "chat", "model", "dev", "sdk0", "deploy", "router", "guidance", "vllm", "lock")


def texts() -> list[tuple[str, str]]:
    """Name and text of every file that is text."""
    found: list[tuple[str, str]] = []
    for path in files():
        try:
            found.append((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


@pytest.mark.promise("install.no-registry-names")
def test_no_file_names_a_registrys_host():
    assert [(name, host) for name, text in texts() for host in REGISTRIES if host in text] == []


def test_no_file_names_a_path_of_somebodys_machine():
    assert [(name, found[0]) for name, text in texts() if (found := WORKPLACE.search(text))] == []


@pytest.mark.promise("install.pinned-by-hash")
@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_carries_hashes_and_no_address(lock: str):
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    pins = re.split(r"\n(?=\S)", text.strip())
    for pin in pins:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+", pin), pin
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", pin), pin
    assert "://" not in text


@pytest.mark.promise("install.pinned-by-hash")
def test_every_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[^A-Za-z0-9_-]", text)[0].replace("_", "-").lower() for text in project["dependencies"]}
    pinned = (ROOT / "requirements" / "serve.txt").read_text(encoding="utf-8")
    assert wanted - set(re.findall(r"^([a-z0-9-]+)==", pinned, re.MULTILINE)) == set()


def test_every_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = (ROOT / "docs" / "project" / "dependencies.md").read_text(encoding="utf-8").lower().replace("_", "-")
    names = [re.split(r"[^A-Za-z0-9_-]", text)[0].replace("_", "-").lower() for text in project["dependencies"]]
    assert [name for name in names if f"`{name}`" not in reasons] == []


@pytest.mark.promise("install.no-registry-names")
def test_the_lock_of_the_typescript_sdk_says_what_but_not_from_where():
    lock = json.loads((ROOT / "tests/referee/ts/package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages, "the lock is empty"
    assert [name for name, package in packages.items() if "resolved" in package or "integrity" not in package] == []


def test_the_changelog_begins_with_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert newest is not None
    assert newest[1] == antiphon.__version__

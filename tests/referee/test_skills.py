"""Both lines of the official Python SDK, and the TypeScript SDK, keep and use skills: on two servers of one store."""

import contextlib
import io
import json
import os
import re
import runpy
import sys
import zipfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.arch.tree import ROOT
from tests.referee.live import live_process, run_client
from tests.referee.node import node

HERE = Path(__file__).parent
PYTHONS: dict[str, Path] = {
    "2.x": Path(sys.executable),
    "0.x": HERE.parents[1] / ".venv-sdk0" / "bin" / "python",
}
FENCED = re.compile(r"^(`{3,4})(?:markdown|python)\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Fronts:
    """Servers of one store, and a folder with the skill that the page of skills shows."""

    urls: tuple[str, str]
    folder: Path
    example: str

    def run(self, *command: str | Path) -> dict[str, Any]:
        """What a program prints that asks them in turn."""
        extra = {"FRONTS": ",".join(self.urls), "FOLDER": str(self.folder)}
        results = json.loads(run_client(command, self.urls[0], extra=extra))
        for name, value in results.items():
            assert "raised" not in value, f"{name}: {value['raised']}"
        return results


@pytest.fixture(scope="module")
def fronts(tmp_path_factory: pytest.TempPathFactory) -> Generator[Fronts]:
    folder = tmp_path_factory.mktemp("skills")
    manifest, script, example = (found[1] for found in FENCED.findall((ROOT / "docs" / "skills.md").read_text()))
    (folder / "roman-numerals").mkdir()
    (folder / "roman-numerals" / "SKILL.md").write_text(manifest + "\n")
    (folder / "roman-numerals" / "to-roman").write_text(script + "\n")
    with zipfile.ZipFile(folder / "roman.zip", "w") as archive:
        archive.writestr("SKILL.md", "---\nname: roman-numerals\ndescription: The second.\n---\n")
    model = ("--model", f"script:{HERE / 'skills.toml'}", "--data", str(folder / "data"))
    with live_process(*model) as one, live_process(*model) as two:
        yield Fronts((one.url, two.url), folder, example)


@pytest.mark.promise("skills.sdk", "skills.told", "skills.beta-shapes", "skills.listed")
@pytest.mark.parametrize("line", PYTHONS)
def test_the_python_sdk_keeps_lists_and_uses_skills_on_two_servers(fronts: Fronts, line: str) -> None:
    results = fronts.run(PYTHONS[line], HERE / "skill_scenarios.py")
    assert results["lives"] == {
        "type": "skill",
        "source": "custom",
        "title": "roman-numerals",
        "newest": True,
        "versions": True,
        "first": ["roman-numerals", "Writes numbers"],
        "second": "The second.",
        "listed": True,
        "gone": ["skill_version_deleted", True, True],
        "deleted": ["skill_deleted"] * 4,
        "after": [404, "not_found_error"],
        "left": [],
    }
    assert results["betas"] == {
        "old": ["roman-numerals", "custom", True],
        "names": ["roman-numerals/SKILL.md", "roman-numerals/to-roman"],
    }
    assert results["used"] == {
        "printed": "MMXXVI\n",
        "text": "2026 is MMXXVI.",
        "again": "2026 is MMXXVI.",
        "same": True,
        "echoed": [["custom", True, True]] * 2,
        "without": "No skill.",
        "deleted": [404, "not_found_error"],
    }


@pytest.mark.promise("skills.sdk", "skills.used", "skills.listed")
def test_the_typescript_sdk_does_the_same(fronts: Fronts) -> None:
    assert (HERE / "ts" / "node_modules").exists(), "`make test` installs the TypeScript SDK"
    assert fronts.run(node(), HERE / "ts" / "skills.mjs") == {
        "lives": {
            "title": "Romans",
            "newest": True,
            "versions": True,
            "listed": True,
            "deleted": ["skill_deleted"] * 3,
            "after": [404, "not_found_error"],
        },
        "used": {"text": "2026 is MMXXVI.", "echoed": [["custom", True, True]]},
    }


@pytest.mark.promise("skills.sdk")
def test_the_example_of_the_page_of_skills_does_what_it_says(fronts: Fronts, monkeypatch: pytest.MonkeyPatch) -> None:
    (fronts.folder / "example.py").write_text(fronts.example)
    monkeypatch.chdir(fronts.folder)
    monkeypatch.setitem(os.environ, "ANTHROPIC_BASE_URL", fronts.urls[0])
    monkeypatch.setitem(os.environ, "ANTHROPIC_API_KEY", "another")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        runpy.run_path("example.py")
    assert printed.getvalue() == "2026 is MMXXVI.\n"

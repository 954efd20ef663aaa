"""`antiphon skills`, against a real server."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from antiphon.cli.main import program
from tests.referee.live import live_server

HEAD = "---\nname: roman\ndescription: {}\n---\nCount.\n"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("kept")
    (folder / "script.toml").write_text("[[reply]]\ntext = 'Yes.'\n")
    with live_server("--model", f"script:{folder / 'script.toml'}", "--data", str(folder / "data")) as found:
        yield found


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(program, ["skills", *arguments, "--url", url])


def told(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def skill(folder: Path, description: str = "Counts.") -> Path:
    (folder / "roman" / "deep").mkdir(parents=True, exist_ok=True)
    (folder / "roman" / "SKILL.md").write_text(HEAD.format(description))
    (folder / "roman" / "deep" / "a.txt").write_text("a")
    (folder / "roman" / ".secret").write_text("s")
    (folder / "roman" / "link").unlink(missing_ok=True)
    (folder / "roman" / "link").symlink_to("/etc/passwd")
    return folder / "roman"


@pytest.mark.promise("skills.program")
def test_a_folder_is_uploaded_listed_shown_given_a_version_and_taken_away(url: str, tmp_path: Path) -> None:
    added = run(url, "add", str(skill(tmp_path)), "--name", "Romans")
    assert added.exit_code == 0, added.stderr
    id_ = added.stdout.strip()
    assert id_.startswith("skill_")
    [row] = told(run(url, "list", "--source", "custom"))
    assert (row["id"], row["display_name"]) == (id_, "Romans")
    with zipfile.ZipFile(tmp_path / "new.zip", "w") as made:
        made.writestr("roman/SKILL.md", HEAD.format("Counts better."))
    version = run(url, "add", str(tmp_path / "new.zip"), "--to", id_).stdout.strip()
    [shown] = told(run(url, "show", id_))
    assert next(each["id"] for each in shown["versions"]) == version == shown["latest_version_id"]
    assert {each["description"] for each in shown["versions"]} == {"Counts.", "Counts better."}
    assert run(url, "rm", id_, "--version", version).stderr == f"{version}: deleted\n"
    assert run(url, "rm", id_).exit_code == 0
    assert told(run(url, "list", "--source", "custom")) == []


@pytest.mark.promise("skills.program")
def test_what_a_server_refuses_is_said_in_a_line(url: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.txt").write_text("a")
    for arguments in (("add", str(tmp_path / "empty")), ("show", "skill_none"), ("rm", "skill_none/../x")):
        refused = run(url, *arguments)
        assert (refused.exit_code, refused.stderr.count("\n"), refused.stderr[:10]) == (1, 1, "antiphon: ")
    away = run("http://127.0.0.1:9", "list")
    assert away.stderr.startswith("antiphon: nothing answers at http://127.0.0.1:9. ")
    both = run(url, "add", str(skill(tmp_path)), "--to", "x", "--name", "y")
    assert both.exit_code == 2

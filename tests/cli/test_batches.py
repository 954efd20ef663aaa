"""`antiphon batches`, against a real server."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from antiphon.cli import batches as command
from antiphon.cli.main import program
from tests.referee.live import live_server

SCRIPT = """
[[reply]]
match = "^slow$"
text = "At last."
delay_ms = 2000

[[reply]]
text = "Hello."
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("kept")
    (folder / "script.toml").write_text(SCRIPT)
    with live_server("--model", f"script:{folder / 'script.toml'}", "--data", str(folder / "data")) as found:
        yield found


def run(url: str, *arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(program, ["batches", *arguments, "--url", url], **options)


def lines(*contents: str, name: str = "id") -> str:
    rows = [
        {
            "custom_id": f"{name}-{number}",
            "params": {
                "model": "claude-opus-4-8",
                "max_tokens": 20,
                "messages": [{"role": "user", "content": content}],
            },
        }
        for number, content in enumerate(contents)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.promise("batches.program")
def test_a_file_is_submitted_watched_and_its_results_are_fetched(url: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(lines("Hi", "Ho") + "\n" + lines("He", name="other"))
    submitted = run(url, "submit", str(tmp_path / "rows.jsonl"))
    assert submitted.exit_code == 0, submitted.output
    id_ = submitted.stdout.strip()
    assert id_.startswith("msgbatch_")
    shown = run(url, "show", id_, "--watch")
    assert json.loads(shown.stdout)["request_counts"]["succeeded"] == 3
    assert f"{id_}: ended, 3 of 3 done" in shown.stderr
    out = tmp_path / "out.jsonl"
    assert run(url, "results", id_, "-o", str(out)).exit_code == 0
    assert {json.loads(line)["custom_id"] for line in out.read_text().splitlines()} == {"id-0", "id-1", "other-0"}
    assert len(run(url, "results", id_).stdout.splitlines()) == 3
    listed = [json.loads(line)["id"] for line in run(url, "list").stdout.splitlines()]
    assert listed[0] == id_
    assert run(url, "delete", id_).exit_code == 0
    gone = run(url, "show", id_)
    assert (gone.exit_code, gone.stderr) == (1, f"antiphon: Message Batch {id_} not found.\n")


@pytest.mark.promise("batches.program")
def test_a_batch_that_runs_is_canceled(url: str) -> None:
    submitted = run(url, "submit", "-", input=lines(*["slow"] * 60))
    id_ = submitted.stdout.strip()
    early = run(url, "results", id_)
    assert (early.exit_code, early.stderr) == (1, f"antiphon: {id_} has no results: it is in_progress\n")
    refused = run(url, "delete", id_)
    assert refused.exit_code == 1
    assert "In progress batches cannot be deleted." in refused.stderr
    assert "canceling" in run(url, "cancel", id_).stderr
    counts = json.loads(run(url, "show", id_, "--watch").stdout)["request_counts"]
    assert counts["canceled"] > 0
    assert counts["canceled"] + counts["succeeded"] == 60


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nope\n", "line 1: this is not JSON"),
        (lines("Hi") + "{}\n", "line 2: a request is an object with custom_id and params"),
        (lines("Hi") + lines("Hi"), "requests: custom_id's must be unique within a batch"),
        ("", "requests: List should have at least 1 item after validation, not 0"),
    ],
    ids=["no JSON", "no request", "twice", "empty"],
)
def test_a_file_with_a_mistake_is_not_submitted(url: str, text: str, message: str) -> None:
    before = run(url, "list").stdout
    refused = run(url, "submit", "-", input=text)
    assert refused.exit_code == 1
    assert message in refused.stderr
    assert run(url, "list").stdout == before


def test_a_server_that_is_not_there_is_said_in_a_line() -> None:
    refused = run("http://127.0.0.1:9", "list")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("antiphon: nothing answers at http://127.0.0.1:9. ")
    assert refused.stderr.count("\n") == 1


def test_on_a_terminal_batches_are_tables(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = io.StringIO()

    def terminal(**_: Any) -> Console:
        return Console(file=seen, force_terminal=True, width=160, color_system=None)

    id_ = run(url, "submit", "-", input=lines("Hi")).stdout.strip()
    monkeypatch.setattr(command, "Console", terminal)
    assert run(url, "show", id_, "--watch").exit_code == 0
    assert run(url, "list").exit_code == 0
    text = seen.getvalue()
    assert "1/1" in text
    assert "1 of 1" in text
    assert "succeeded" in text
    assert id_ in text

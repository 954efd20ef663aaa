"""`antiphon eval`: a scripted model is measured on the whole way, and what is printed is what happened."""

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from antiphon.cli.main import program
from antiphon.cli.report import CaseProgress
from antiphon.clients.evals.cases import Case
from antiphon.clients.evals.scoring import Reply, judge
from antiphon.compose import start
from antiphon.compose.observer import ServerObserver
from antiphon.config import Settings
from antiphon.weights import builtin
from antiphon.weights.builtin import DEFAULT
from tests.weights.adapter_files import adapter_file, random_pairs

CASES = str(Path(__file__).parents[1] / "clients" / "evals" / "cases.jsonl")
SCRIPT = """
[[reply]]
match = "Paris"
text = '''
<function_calls>
<invoke name="get_weather">
<parameter name="city">Paris</parameter>
</invoke>
</function_calls>'''

[[reply]]
match = "Oslo"
text = '''
<function_calls>
<invoke name="get_weather">
<parameter name="city">Oslo</parameter>
</invoke>
</function_calls>'''

[[reply]]
match = "Hello"
%s

[default]
text = "Which city? It is 19 degrees."
"""
WELL = 'text = "I am well."'


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty working directory, without our variables."""
    for name in [name for name in os.environ if name.startswith("ANTIPHON_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def model(hello: str = WELL) -> str:
    Path("replies.toml").write_text(SCRIPT % hello)
    return "script:replies.toml"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program, ["eval", *arguments], prog_name="antiphon", catch_exceptions=False)


def rows(output: str) -> dict[str, list[str]]:
    """The table, by its first column."""
    return {cells[0]: cells[1:] for line in output.splitlines() if (cells := re.split(r"\s{2,}", line.strip()))}


@pytest.mark.promise("eval.tools")
def test_a_model_is_measured_by_category_and_in_all():
    result = run("tools", "--model", model(), "--cases", CASES)
    assert result.exit_code == 0
    table = rows(result.stdout)
    assert table["antiphon eval tools: replies, as it is"] == []
    assert table["Category"] == ["Cases", "Decision", "Tool", "Arguments", "Answer"]
    assert table["single"] == ["2", "100.0%", "100.0%", "50.0%", "–"]
    assert table["several"] == ["1", "0.0%", "0.0%", "0.0%", "–"]
    assert table["none"] == ["1", "100.0%", "–", "–", "–"]
    assert table["result"] == ["1", "100.0%", "–", "–", "100.0%"]
    assert table["total"] == ["6", "83.3%", "66.7%", "33.3%", "100.0%"]
    assert result.stderr.endswith("as it is: 6 of 6 cases, 4 right\n")


@pytest.mark.promise("eval.tools")
def test_failures_are_shown_with_what_was_wanted_and_what_came():
    output = run("tools", "--model", model(), "--cases", CASES, "--failures").stdout
    assert (
        "\nsingle-002 (single), as it is: arguments\n"
        '  wanted: get_weather {"city": "Oslo", "days": 3.0}\n'
        '  called: get_weather {"city": "Oslo"}\n'
    ) in output
    assert "\nseveral-001 (several), as it is: decision, tool, arguments\n" in output
    assert "single-001" not in output


@pytest.mark.promise("eval.honest")
def test_a_case_that_cannot_be_measured_is_wrong_and_fails_the_command():
    result = run("tools", "--model", model('fail = "refused"'), "--cases", CASES, "--failures")
    assert result.exit_code == 1
    assert rows(result.stdout)["none"] == ["1", "0.0%", "–", "–", "–"]
    assert "Not measured, and counted as wrong: 1." in result.stderr
    assert re.search(r"none-001 \(none\), as it is: decision\n  error: 500: ", result.stdout)


def test_everything_goes_into_a_file_for_programs():
    result = run("tools", "--model", model(), "--cases", CASES, "--json", "out.json", "--category", "single")
    assert result.exit_code == 0
    written = json.loads(Path("out.json").read_text("utf-8"))
    (measured,) = written["runs"]
    assert (written["benchmark"], measured["label"], measured["complete"]) == ("tools", "as it is", True)
    assert measured["scores"]["total"]["arguments"] == {"right": 1, "of": 2}
    assert [case["id"] for case in measured["cases"]] == ["single-001", "single-002"]
    assert measured["cases"][0]["calls"] == [{"name": "get_weather", "input": {"city": "Paris"}}]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("--cases", "none.jsonl"), "none.jsonl: the cases cannot be read", id="no file"),
        pytest.param(("--cases", CASES, "--category", "x"), "there is no category 'x'", id="no category"),
        pytest.param(("--cases", CASES, "--parallel", "0"), "--parallel: '0' is not a whole number", id="parallel"),
        pytest.param(
            ("--cases", CASES, "--url", "http://127.0.0.1:9", "--no-adapter"),
            "--adapter describes a model",
            id="both",
        ),
    ],
)
def test_a_wrong_command_is_told_and_leaves_with_2(arguments: tuple[str, ...], words: str):
    result = run("tools", "--model", model(), *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.promise("eval.honest")
def test_a_model_that_cannot_start_leaves_with_1_and_no_table():
    result = run("chat", "--model", "script:none.toml")
    assert result.exit_code == 1
    assert "none.toml cannot be read" in result.stderr
    assert result.stdout == ""


class _Foreign(BaseHTTPRequestHandler):
    """Somebody else's server: one model, one reply. Notes what it is asked for."""

    asked: ClassVar[list[tuple[str, float, str]]] = []

    def do_GET(self) -> None:
        self._send({"data": [{"id": "theirs"}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((asked["model"], asked["temperature"], self.headers["x-api-key"]))
        self._send({"content": [{"type": "text", "text": "It is Paris, or 19 degrees."}]})

    def _send(self, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the name of the base class


@contextmanager
def foreign() -> Generator[str]:
    with HTTPServer(("127.0.0.1", 0), _Foreign) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join(timeout=20)


@pytest.mark.promise("eval.any-server")
def test_any_server_can_be_measured_by_its_url():
    with foreign() as url:
        result = run("tools", "--url", url, "--key", "k", "--cases", CASES, "--parallel", "1")
    assert result.exit_code == 0
    assert _Foreign.asked[-6:] == [("theirs", 0, "k")] * 6
    table = rows(result.stdout)
    assert table["antiphon eval tools: theirs, measured"] == []
    assert table["result"] == ["1", "100.0%", "–", "–", "100.0%"]
    assert table["single"] == ["2", "0.0%", "0.0%", "0.0%", "–"]


@pytest.mark.promise("eval.honest")
@pytest.mark.parametrize("name", [(), ("--model", "theirs")])
def test_a_server_that_is_not_there_leaves_with_1(name: tuple[str, ...]):
    with foreign() as url:
        pass
    result = run("chat", "--url", url, *name)
    assert result.exit_code == 1
    assert f"nothing answers at {url}. " in result.stderr


@pytest.mark.promise("eval.both")
def test_a_model_that_has_an_adapter_is_measured_with_and_without_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    started: list[tuple[str | None, ...]] = []
    monkeypatch.setattr(builtin, "ADAPTERS", tmp_path)
    (tmp_path / DEFAULT.adapter).write_bytes(adapter_file(random_pairs((29,), 2), 2.0))
    with foreign() as url:

        def run_server(settings: Settings, observer: ServerObserver, work: start.Work) -> None:
            started.append(tuple(model.adapter for model in settings.models.values()))
            observer.listening(url, (), keyed=True)
            asyncio.run(asked(work))

        async def asked(work: start.Work) -> None:
            await work(url)

        monkeypatch.setattr(start, "run_server", run_server)
        result = run("chat", "--category", "facts", "--limit", "2")
        alone = run("chat", "--category", "facts", "--limit", "2", "--no-adapter")
    assert result.exit_code == alone.exit_code == 0
    assert started == [(None,), ("none",), ("none",)]
    assert rows(result.stdout)[f"antiphon eval chat: {DEFAULT.id}, with the adapter / without it"] == []
    assert rows(result.stdout)["total"] == ["2", "50.0% / 50.0%"]
    assert rows(alone.stdout)["total"] == ["2", "50.0%"]


@pytest.mark.promise("eval.honest")
def test_an_interrupt_shows_what_there_is_and_leaves_with_130():
    command = [sys.executable, "-m", "antiphon", "eval", "tools", "--model", model("hang = true"), "--cases", CASES]
    with subprocess.Popen(
        [*command, "--parallel", "1", "--json", "out.json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        watchdog = threading.Timer(60, running.kill)
        watchdog.start()
        try:
            assert running.stderr is not None
            for line in running.stderr:
                if line.startswith("as it is: 3 of 6"):  # the fourth case hangs
                    running.send_signal(signal.SIGINT)
                    break
            output, errors = running.communicate(timeout=60)
        finally:
            watchdog.cancel()
    assert running.returncode == 130, errors
    assert "Interrupted" in errors
    assert rows(output)["total"][0] == "3"
    assert json.loads(Path("out.json").read_text("utf-8"))["runs"][0]["complete"] is False


def test_a_terminal_gets_a_bar_with_what_was_right():
    screen = io.StringIO()
    with CaseProgress("with the adapter", 2, Console(file=screen, force_terminal=True, width=100)) as progress:
        progress.begin()
        for text in ("Paris", "Rome"):
            progress.told(judge(Case("a", "c", {}, None, ("Paris",)), Reply(text=text)))
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert "with the adapter" in shown
    assert "2/2" in shown
    assert "1 right" in shown

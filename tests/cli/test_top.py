"""`antiphon top`, on what a server really says."""

import io
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from antiphon.cli.main import program
from antiphon.cli.top import view
from antiphon.clients.metrics import Between, read
from antiphon.ports.engine import EngineHealth
from antiphon.service.measuring import engine_families
from antiphon.service.metrics import Family, Metrics
from antiphon.web.metrics import text_of

URL = "http://gpu:8000"


def counted(metrics: Metrics, replies: int) -> list[Family]:
    """The families of a process after so many more replies."""
    for _ in range(replies):
        metrics.requests.add("messages", "200", "opus", "")
        metrics.replies.add("opus", "end_turn")
        metrics.tokens.add("opus", "input", by=60)
        metrics.tokens.add("opus", "cache_read", by=40)
        metrics.tokens.add("opus", "output", by=10)
        metrics.first.add("opus", 1.5)
        metrics.each.add("opus", 0.02)
    state = EngineHealth(True, "", {URL: "connection refused"}, waiting=3)
    return [*metrics.families(), *engine_families({"opus": state})]


@contextmanager
def serving(text: str, key: str) -> Generator[str]:
    """A server that says this to whoever shows the key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            good = self.headers["authorization"] == f"Bearer {key}" and self.path == "/metrics"
            self.send_response(200 if good else 401)
            self.end_headers()
            self.wfile.write(text.encode() if good else b"")

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the library's name

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program, ["top", *arguments], env={"COLUMNS": "120", "ANTIPHON_METRICS_KEYS": ""})


@pytest.mark.promise("metrics.top")
def test_a_look_says_what_there_was_since_the_start() -> None:
    with serving(text_of({"": counted(Metrics(), 4)}), "watch") as url:
        result = run("--once", "--url", url, "--key", "watch")
    assert result.exit_code == 0, result.output
    assert "0 open, 4 requests, 0 turned away or failed" in result.output
    (row,) = [line.split() for line in result.output.splitlines() if line.startswith("opus")]
    assert row == ["opus", "yes", "3", "4", "400", "40", "40%", "1.50", "s", "20", "ms"]
    assert f"out of service: {URL}" in result.output


@pytest.mark.promise("metrics.top")
def test_what_is_refused_or_not_there_is_said_in_words() -> None:
    with serving("", "watch") as url:
        refused = run("--once", "--url", url)
    gone = run("--once", "--url", url)
    assert refused.exit_code == gone.exit_code == 1
    assert f"antiphon: {url} answers 401 (metrics want a key of ANTIPHON_METRICS_KEYS" in refused.stderr
    assert f"antiphon: nothing answers at {url}. " in gone.stderr


def shown(seen: Between) -> list[str]:
    """The lines on a screen."""
    console = Console(width=120, file=io.StringIO())
    with console.capture() as capture:
        console.print(view(seen))
    return capture.get().splitlines()


@pytest.mark.promise("metrics.top")
def test_rates_are_those_between_two_looks_also_where_a_worker_began_anew() -> None:
    one, two, anew = Metrics(), Metrics(), Metrics()
    before = read(text_of({"1": counted(one, 6), "2": counted(two, 50)}), 10.0)
    after = read(text_of({"1": counted(one, 4), "2": counted(anew, 2)}), 12.0)
    seen = Between(before, after)
    assert seen.rate("antiphon_replies_total", model="opus") == 3.0
    assert seen.mean("antiphon_time_to_first_token_seconds", model="opus") == 1.5
    assert seen.mean("antiphon_time_to_first_token_seconds", model="none") is None
    (row,) = [line.split() for line in shown(seen) if line.startswith("opus")]
    assert row[3:7] == ["3", "300", "30", "40%"]
    assert any(line.startswith("0 open, 3/s requests") for line in shown(seen))


def test_labels_are_read_as_they_were_written() -> None:
    metrics = Metrics()
    metrics.replies.add('a "b" \\ c\nd, e="f"', "end_turn")
    (said,) = read(text_of({"": metrics.families()}), 0.0).series["antiphon_replies_total"]
    assert said == ({"model": 'a "b" \\ c\nd, e="f"', "end": "end_turn"}, 1.0)

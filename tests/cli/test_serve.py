"""`antiphon serve`: what a person sees while it starts, serves and stops."""

import io
import re

import pytest
from rich.console import Console
from rich.progress import Progress

from antiphon.cli.progress import ConsoleObserver, bytes_columns, welcome
from antiphon.cli.sizes import megabytes
from antiphon.compose.observer import StartError
from antiphon.config import Settings
from tests.cli.commands import Composition


class Screen:
    """An observer on two consoles that are kept, with a clock that ticks two seconds a look."""

    def __init__(self, *, terminal: bool, settings: Settings | None = None) -> None:
        self._err, self._out, self._seconds = io.StringIO(), io.StringIO(), 0.0
        err = Console(file=self._err, force_terminal=terminal, width=100)
        out = Console(file=self._out, force_terminal=False, width=100)
        self.observer = ConsoleObserver(settings or Settings(), err, out, now=self._tick)

    def _tick(self) -> float:
        self._seconds += 2.0
        return self._seconds

    @property
    def err(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self._err.getvalue())

    @property
    def out(self) -> str:
        return self._out.getvalue()


@pytest.mark.promise("cli.serve-says-where")
def test_serve_says_what_it_does_and_then_where_it_answers(composition: Composition):
    result = composition.run("serve")
    assert result.exit_code == 0
    assert "Finding the model …\nmodel.gguf: 0.0 MB to fetch; it needs " in result.stderr
    assert "\nmodel.gguf: 0.0 MB of 0.0 MB (0%)\n" in result.stderr
    assert re.search(r"Loading smollm2-135m-instruct: \d+\.\d s\n", result.stderr)
    assert "Antiphon answers at http://127.0.0.1:8484\n" in result.stdout
    assert "Stopping.\n" in result.stderr


@pytest.mark.promise("cli.serve-says-where")
def test_what_is_printed_can_be_pasted(composition: Composition):
    output = composition.run("serve").stdout
    assert "curl http://127.0.0.1:8484/v1/messages" in output
    assert '"model": "claude-opus-4-8"' in output
    start = output.index("from anthropic import")
    compile(output[start:], "pasted", "exec")
    assert 'base_url="http://127.0.0.1:8484", api_key="any"' in output[start:]


@pytest.mark.promise("cli.serve-says-where")
def test_it_says_where_the_console_is_unless_there_is_none(composition: Composition):
    assert "\nIn a browser: http://127.0.0.1:8484/console\n" in composition.run("serve").stdout
    assert "/console" not in composition.run("serve", "--no-console").stdout


def test_without_keys_it_says_once_that_every_key_is_accepted(composition: Composition):
    result = composition.run("serve")
    assert (result.stdout + result.stderr).count("every key is accepted") == 1


@pytest.mark.promise("cli.serve-says-where")
def test_where_keys_were_made_it_says_that_one_is_needed(composition: Composition):
    composition.keyed = True
    output = composition.run("serve").stdout
    assert "every key is accepted" not in output
    assert "Nobody is let in without a key; `antiphon keys add NAME` makes one.\n" in output
    assert "-H 'x-api-key: YOUR_KEY'" in output


@pytest.mark.promise("cli.serve-says-where")
def test_on_a_narrow_terminal_its_sentences_break_between_words():
    tools = ["web_search (wikipedia, by default)", "web_fetch (by default)"]
    text = welcome(Settings(), "http://127.0.0.1:8484", ["claude-haiku-4-5"] * 43, tools, keyed=False, width=80)
    sentences, _, pasted = text.partition("From a shell:")
    assert max(map(len, sentences.splitlines())) <= 80
    assert " ".join(sentences.split()).endswith("web_fetch (by default). [server_tools] sets them.")
    assert "-H 'content-type: application/json' \\\n" in pasted


def test_a_configured_key_is_never_printed(composition: Composition):
    result = composition.run("serve", env={"ANTIPHON_API_KEYS": "hush-hush"})
    assert "hush" not in result.stdout + result.stderr
    assert "every key is accepted" not in result.stdout
    assert "YOUR_KEY" in result.stdout


@pytest.mark.promise("cli.serve-fails-in-words")
def test_a_server_that_cannot_start_says_why_and_leaves_with_1(composition: Composition):
    composition.failure = StartError("port 8484 is in use by another program. Choose another one with --port.")
    result = composition.run("serve")
    assert result.exit_code == 1
    assert result.stderr.endswith(
        "antiphon: port 8484 is in use by another program. Choose another one with --port.\n"
    )
    assert result.stdout == ""


def test_an_interrupted_start_leaves_with_130(composition: Composition):
    composition.failure = KeyboardInterrupt()
    assert composition.run("serve").exit_code == 130


def test_open_requests_are_counted_while_it_stops(composition: Composition):
    composition.open_requests = 2
    text = composition.run("serve", "--drain-timeout", "7").stderr
    assert "Stopping: 2 open requests may finish within 7 s. Press Ctrl-C again to stop at once.\n" in text
    composition.open_requests = 1
    assert "Stopping: 1 open request may" in composition.run("serve").stderr


def test_plain_lines_tell_of_a_download_in_tenths():
    screen = Screen(terminal=False)
    for done in range(0, 1_000_001, 10_000):
        screen.observer.download("model.gguf", done, 1_000_000)
    lines = screen.err.splitlines()
    assert 10 <= len(lines) <= 12
    assert lines[-1] == "model.gguf: 1.0 MB of 1.0 MB (100%)"


def test_a_download_of_unknown_size_is_told_once():
    screen = Screen(terminal=False)
    for done in (0, 5_000_000, 9_000_000):
        screen.observer.download("model.gguf", done, None)
    assert screen.err == "model.gguf: 0.0 MB\n"


def test_on_a_terminal_a_stage_leaves_one_line_with_its_seconds():
    screen = Screen(terminal=True)
    screen.observer.stage("Loading the engine")
    screen.observer.download("model.gguf", 500_000, 1_000_000)
    screen.observer.listening("http://127.0.0.1:1", ["m"], keyed=False)
    assert "model.gguf" in screen.err
    assert screen.err.rstrip().endswith("Loading the engine: 2.0 s")
    assert "1 model name;" in screen.out


def test_what_a_stage_is_called_is_never_read_as_markup():
    screen = Screen(terminal=True)
    screen.observer.stage("Loading [bold]x[/bold]")
    screen.observer.close()
    screen.observer.stage("done")
    screen.observer.close()
    assert "Loading [bold]x[/bold]\n" in screen.err
    assert "Loading [bold]x[/bold]: 2.0 s" in screen.err


def test_closing_takes_the_spinner_off_the_screen_at_any_time():
    screen = Screen(terminal=True)
    screen.observer.close()
    screen.observer.stage("Loading")
    screen.observer.close()
    screen.observer.close()
    assert "\n" not in screen.err.strip()


def test_sizes_are_in_the_unit_that_people_compare():
    assert [megabytes(size) for size in (92_900_000, 999_000_000, 4_680_000_000)] == [
        "92.9 MB",
        "999.0 MB",
        "4.68 GB",
    ]


@pytest.mark.promise("web-tools.default")
@pytest.mark.parametrize(
    ("offered", "told"),
    [
        (["web_search (wikipedia, by default)", "web_fetch (by default)"], None),
        (["dice[bold]"], None),
        ([], "none"),
    ],
)
def test_one_line_says_which_tools_run_inside_the_server(
    offered: list[str], told: str | None, composition: Composition
):
    composition.offered = offered
    lines = composition.run("serve").stdout.splitlines()
    assert [line for line in lines if "[server_tools]" in line] == [
        f"Tools inside the server: {told or ', '.join(offered)}. [server_tools] sets them."
    ]


@pytest.mark.promise("web-tools.default")
def test_defaults_are_switched_off_on_the_command_line(composition: Composition):
    composition.run("serve", "--no-server-tools-defaults")
    assert composition.settings[0].server_tools.by_default == ()


@pytest.mark.parametrize("width", [80, 200])
def test_a_download_takes_one_line(width: int):
    console = Console(file=io.StringIO(), width=width)
    progress = Progress(*bytes_columns(width), console=console)
    progress.add_task("Writing smollm2-135m-instruct with its adapter anew, once", total=144_800_000, completed=10**8)
    with console.capture() as seen:
        console.print(progress.get_renderable())
    [line] = seen.get().splitlines()
    assert "100.0/144.8 MB" in line

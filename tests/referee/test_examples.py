"""`make examples`: every program of the two API documents, on a server as it comes, and what is said of each."""

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import run_examples
from tests.arch.tree import ROOT
from tests.referee.conftest import GREEDY
from tests.referee.live import clean_env
from tests.referee.test_snippets import EXAMPLES
from tests.referee.warm import start

PROGRAM = ROOT / "scripts" / "run_examples.py"
# Replies that can be compared; and no reply fills a window of 8192 tokens, which would take minutes.
SETTINGS = f"context = 2048\n{GREEDY}"
NOWHERE = "http://127.0.0.1:9"


def ran(*arguments: str, server: str | None = None, timeout: float = 1500) -> subprocess.CompletedProcess[str]:
    extra = {} if server is None else {run_examples.RUNNING: server}
    path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, PROGRAM, "--offline", *arguments],
        env=clean_env({**extra, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}),
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What all of them print. Each is a process of its own, which need not import the SDK anew."""
    config = tmp_path_factory.mktemp("examples") / "antiphon.toml"
    config.write_text(SETTINGS, "utf-8")
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(said):
        patched.setattr(run_examples, "start", start)
        patched.setattr(sys, "argv", [str(PROGRAM), "--offline", "--config", str(config)])
        patched.delenv(run_examples.RUNNING, raising=False)
        with pytest.raises(SystemExit) as ended:
            run_examples.main()
    assert not ended.value.code, said.getvalue()
    return said.getvalue()


@pytest.fixture(scope="module")
def said(output: str) -> dict[str, str]:
    """The same, by the example's name."""
    _, *parts = re.split(r"^── (\w+): .*$", output.partition("═" * 20)[0], flags=re.MULTILINE)
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


@pytest.mark.promise("snippets.all")
def test_every_example_ends_without_an_error_and_stand_ins_are_named(output: str) -> None:
    table = re.findall(r"^(\w+) +\d+\.\d  (.*)$", output, re.MULTILINE)
    assert [name for name, _ in table] == [example.name for example in run_examples.examples()]
    told = {name: ended.partition("; ") for name, ended in table}
    assert {ended for ended, _, _ in told.values()} == {"ok"}
    assert {name: remarks for name, (_, _, remarks) in told.items() if remarks} == {
        "prefill": "with the import of the block before it",
        "vision": "with a stand-in for upload.wikimedia.org",
        "input_examples": "with client.beta, where the SDK takes `betas`",
        "pause_turn": "with a stand-in for en.wikipedia.org",
    }
    assert "10 of 10 examples" in output


@pytest.mark.promise("snippets.basic")
def test_the_basic_request(said: dict[str, str]) -> None:
    assert said["basic"].startswith("Message(id='msg_")
    assert "model='claude-opus-4-8'" in said["basic"]
    assert "stop_reason='end_turn'" in said["basic"]


@pytest.mark.promise("snippets.multi-turn")
def test_the_multi_turn_conversation(said: dict[str, str]) -> None:
    assert "TextBlock(" in said["multi_turn"]
    assert "stop_reason='" in said["multi_turn"]


@pytest.mark.promise("snippets.prefill")
def test_the_prefilled_multiple_choice_answer(said: dict[str, str]) -> None:
    assert said["prefill"].splitlines()[-1].strip() in {"A", "B", "C"}


@pytest.mark.promise("snippets.streaming")
def test_the_text_stream(said: dict[str, str]) -> None:
    assert said["streaming"]


@pytest.mark.promise("snippets.vision", "vision.described")
def test_both_pictures_are_told_of(said: dict[str, str]) -> None:
    assert len(said["vision"].splitlines()) >= 2


@pytest.mark.promise("snippets.pause-turn", "web-tools.default")
def test_a_search_takes_place_or_the_model_answers_without(said: dict[str, str]) -> None:
    assert said["pause_turn"].startswith("Message(id='msg_")


@pytest.mark.promise("snippets.all")
def test_what_is_listed_and_what_is_there_are_the_same() -> None:
    there = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.glob("*/*.py")}
    listed = [example.file for example in run_examples.examples()]
    assert (sorted(listed), len({Path(file).stem for file in listed})) == (sorted(there), len(there))
    for example in run_examples.examples():
        assert (example.correction is None) == (example.text == example.corrected), example.name


@pytest.mark.promise("snippets.all")
def test_an_error_is_shown_and_fails_the_run() -> None:
    done = ran("basic", server=NOWHERE, timeout=120)
    assert done.returncode == 1
    assert re.search(
        r"^basic +\d+\.\d  anthropic\.APIConnectionError: Connection error\.$", done.stdout, re.MULTILINE
    )
    assert "0 of 1 examples" in done.stdout


@pytest.mark.promise("snippets.all")
def test_an_example_that_takes_too_long_is_ended() -> None:
    done = ran("basic", "--seconds", "0.01", server=NOWHERE, timeout=120)
    assert done.returncode == 1
    assert "not at its end after 0.01 s" in done.stdout


def test_a_name_that_there_is_not_ends_with_those_that_there_are() -> None:
    done = ran("basics", timeout=60)
    assert done.returncode == 1
    assert "There is no example basics" in done.stderr
    assert "pause_turn" in done.stderr

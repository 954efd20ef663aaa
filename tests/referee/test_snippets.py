"""The examples of the two API documents that need a server of their own; `test_examples` runs all of them."""

import sys
from pathlib import Path

import pytest

from tests.arch.tree import ROOT
from tests.referee.conftest import GREEDY
from tests.referee.live import live_server, run_client

EXAMPLES = ROOT / "examples"
HERE = Path(__file__).parent


def run(file: str, server: str) -> str:
    return run_client([sys.executable, EXAMPLES / file], server)


@pytest.mark.promise("snippets.thinking", "thinking.room-for-the-answer")
def test_the_thinking_example_on_a_model_whose_window_is_smaller_than_the_budget(tmp_path: Path) -> None:
    # `max_tokens` of the example is larger than the model's 8192, too. The small window is for the time that this
    # takes: asked for a proof, the model may repeat itself until its window is full.
    config = tmp_path / "antiphon.toml"
    config.write_text(f"context = 768\n{GREEDY}")
    with live_server("--config", str(config)) as url:
        output = run("primer/thinking.py", url)
    thought, answer = output.split("\nResponse: ")
    assert thought.removeprefix("\nThinking summary: ").strip()
    assert answer.strip()


@pytest.mark.promise("snippets.thinking", "snippets.tools")
def test_the_example_of_thinking_with_tools() -> None:
    # To the letter; `test_default_tools` has it on the default model.
    with live_server("--model", f"script:{HERE / 'thinking.toml'}") as url:
        assert run("primer/thinking_tools.py", url).strip() == "It is 72 degrees in Paris."

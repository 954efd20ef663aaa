"""The text snippets of the two API documents run to their end, unmodified."""

import sys
from pathlib import Path

import pytest

from tests.referee.conftest import GREEDY
from tests.referee.live import live_server, run_client

SNIPPETS = Path(__file__).parent / "snippets"


def run(name: str, server: str) -> str:
    return run_client([sys.executable, SNIPPETS / name], server)


@pytest.mark.promise("snippets.basic")
def test_the_basic_request(server: str) -> None:
    output = run("basic.py", server)
    assert output.startswith("Message(id='msg_")
    assert "model='claude-opus-4-8'" in output
    assert "stop_reason='end_turn'" in output


@pytest.mark.promise("snippets.multi-turn")
def test_the_multi_turn_conversation(server: str) -> None:
    output = run("multi_turn.py", server)
    assert "TextBlock(" in output
    assert "stop_reason='" in output


@pytest.mark.promise("snippets.prefill")
def test_the_prefilled_multiple_choice_answer(server: str) -> None:
    assert run("prefill.py", server).strip() in {"A", "B", "C"}


@pytest.mark.promise("snippets.streaming")
def test_the_text_stream(server: str) -> None:
    assert run("streaming.py", server).strip()


@pytest.mark.promise("snippets.thinking", "thinking.room-for-the-answer")
def test_the_thinking_example_on_a_model_whose_window_is_smaller_than_the_budget(tmp_path: Path) -> None:
    # `max_tokens` of the example is larger than the model's 8192, too. The small window is for the time that this
    # takes: asked for a proof, the model may repeat itself until its window is full.
    config = tmp_path / "antiphon.toml"
    config.write_text(f"context = 768\n{GREEDY}")
    with live_server("--config", str(config)) as url:
        output = run("thinking.py", url)
    thought, answer = output.split("\nResponse: ")
    assert thought.removeprefix("\nThinking summary: ").strip()
    assert answer.strip()


@pytest.mark.promise("snippets.thinking", "snippets.tools")
def test_the_example_of_thinking_with_tools() -> None:
    # To the letter; `test_default_tools` has it on the default model.
    with live_server("--model", f"script:{SNIPPETS.parent / 'thinking.toml'}") as url:
        assert run("thinking_tools.py", url).strip() == "It is 72 degrees in Paris."

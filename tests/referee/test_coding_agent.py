"""A coding agent that we did not write runs headless against the server: its own prompt, its own tools, its own checks."""

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.referee.live import clean_env, live_server

HERE = Path(__file__).parent
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
}


def agent() -> Path:
    """The command-line agent that the wheel `claude-agent-sdk` brings."""
    spec = importlib.util.find_spec("claude_agent_sdk")
    assert spec is not None, "claude-agent-sdk is missing: `make test` installs it"
    assert spec.origin is not None
    return Path(spec.origin).parent / "_bundled" / "claude"


def events(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def work_on_note(tmp_path: Path, script_name: str, *options: str) -> str:
    """What the agent prints when it is asked to read a note, and the model follows this script."""
    note = tmp_path / "note.txt"
    note.write_text("forty-two\n")
    script = tmp_path / "script.toml"
    script.write_text((HERE / script_name).read_text().replace("NOTE_PATH", str(note)))
    with live_server("--model", f"script:{script}") as url:
        env = clean_env({**QUIET, "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "any", "HOME": str(tmp_path)})
        asked = ["-p", f"Read the note at {note}.", "--model", "claude-opus-4-8", "--allowedTools", "Read"]
        done = subprocess.run(
            [str(agent()), *asked, *options],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def blocks(seen: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [block for event in seen if event["type"] == "assistant" for block in event["message"]["content"]]


@pytest.mark.promise("clients.coding-agent")
def test_it_reads_a_file_with_its_own_tool_and_tells_what_it_says(tmp_path: Path) -> None:
    seen = events(work_on_note(tmp_path, "agent.toml", "--output-format", "stream-json", "--verbose"))
    called = [(block["name"], block["input"]["file_path"]) for block in blocks(seen) if block["type"] == "tool_use"]
    assert called == [("Read", str(tmp_path / "note.txt"))]
    assert seen[-1]["result"] == "The note says forty-two."
    # Its prompt is large, and every token of it was counted.
    assert seen[-1]["usage"]["input_tokens"] > 5000


@pytest.mark.promise("clients.coding-agent-thinks", "thinking.preserved")
def test_it_carries_the_model_s_thoughts_through_its_turn(tmp_path: Path) -> None:
    # Where it writes events, it asks for the thoughts to show them. The script goes on only from its own first thought.
    seen = events(work_on_note(tmp_path, "agent_thinking.toml", "--output-format", "stream-json", "--verbose"))
    thoughts = [block for block in blocks(seen) if block["type"] == "thinking"]
    assert [block["thinking"] for block in thoughts] == ["I want to see it myself.", "So it is forty-two."]
    assert all(block["signature"] for block in thoughts)
    assert seen[-1]["result"] == "The note says forty-two."


@pytest.mark.promise("clients.coding-agent-thinks", "thinking.omitted")
def test_it_carries_back_thoughts_that_it_never_saw(tmp_path: Path) -> None:
    # Where it writes one result, it asks for thoughts to be omitted: what the model then knows of them was sealed.
    output = work_on_note(tmp_path, "agent_thinking.toml", "--output-format", "json")
    assert json.loads(output)["result"] == "The note says forty-two."
    assert "I want to see it myself." not in output

"""A coding agent that we did not write runs headless against the server: its own prompt, its own tools, its own checks."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
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


@contextmanager
def recording(url: str, file: Path) -> Generator[str]:
    """A server in front of another, which writes down what it is asked."""
    command = [sys.executable, "-m", "tests.referee.recording", url, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def work_on_note(tmp_path: Path, script_name: str, *options: str, **more: str) -> str:
    """What the agent prints when it is asked to read a note, and the model follows this script. `more`: environment.

    What it asks is written to `asked` in that folder.
    """
    note = tmp_path / "note.txt"
    note.write_text("forty-two\n")
    script = tmp_path / "script.toml"
    script.write_text((HERE / script_name).read_text().replace("NOTE_PATH", str(note)))
    with live_server("--model", f"script:{script}") as server, recording(server, tmp_path / "asked") as url:
        env = clean_env(
            {**QUIET, "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "any", "HOME": str(tmp_path), **more}
        )
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
    usage = seen[-1]["usage"]
    counts = [usage[kind] for kind in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")]
    assert sum(counts) > 5000
    # It marks its prompt, which its second call finds read.
    assert counts[2] > 5000


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


@pytest.mark.promise("threads.coding-agent", "threads.fixed-fields")
@pytest.mark.parametrize("script", ["agent.toml", "agent_thinking.toml"])
def test_it_works_in_a_thread(tmp_path: Path, script: str) -> None:
    # It does so at the vendor's address, and elsewhere where it is told to.
    output = work_on_note(tmp_path, script, "--output-format", "json", CLAUDE_CODE_TETHER_LIVE="1")
    assert json.loads(output)["result"] == "The note says forty-two."
    lines = [json.loads(line) for line in (tmp_path / "asked").read_text().splitlines()]
    asked = [line for line in lines if line["path"] == "/v1/messages" and "thread" in (line["body"] or {})]
    assert [(line["status"], line["body"]["thread"]["type"]) for line in asked] == [
        (200, "create"),
        (200, "continue"),
    ]
    # It says its system prompt and its tools again, and of the conversation only what is new.
    created, continued = (line["body"] for line in asked)
    assert continued["tools"] == created["tools"]
    said = [message["role"] for message in continued["messages"]]
    assert "assistant" not in said


@pytest.mark.promise("clients.coding-agent-mcp")
def test_it_finds_one_of_sixty_tools_that_the_model_was_not_shown(tmp_path: Path) -> None:
    root = HERE.parent.parent
    server = {"command": sys.executable, "args": ["-m", "tests.referee.sixty"], "env": {"PYTHONPATH": str(root)}}
    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": {"sixty": server}}))
    with live_server("--model", f"script:{HERE / 'sixty.toml'}") as live, recording(live, tmp_path / "asked") as url:
        env = {**QUIET, "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "any", "HOME": str(tmp_path)}
        options = ["--mcp-config", "mcp.json", "--allowedTools", "mcp__sixty__thing_17", "--output-format", "json"]
        done = subprocess.run(
            [str(agent()), "-p", "Do thing 17.", "--model", "claude-opus-4-8", *options],
            cwd=tmp_path,
            env=clean_env({**env, "ENABLE_TOOL_SEARCH": "true"}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result["result"] == "Thing 17 ran."
    asked = [json.loads(line) for line in (tmp_path / "asked").read_text().splitlines()]
    assert [(line["path"], line["status"]) for line in asked] == [("/v1/messages", 200)] * 3
    named = [[tool["name"] for tool in line["body"]["tools"] if "sixty" in tool["name"]] for line in asked]
    assert named == [[], ["mcp__sixty__thing_17"], ["mcp__sixty__thing_17"]]
    assert "tool_reference" in json.dumps(asked[1]["body"]["messages"])
    # The tool that was found stands where it was found: what came before stays read.
    usage = result["usage"]
    assert usage["cache_read_input_tokens"] > 1.9 * (usage["cache_creation_input_tokens"] - 2000)

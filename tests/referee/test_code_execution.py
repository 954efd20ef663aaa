"""Code execution as the official SDKs meet it: streams add up, containers and files are carried, a real model runs."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic import beta_tool

from tests.referee.live import live_process, run_client
from tests.referee.node import node

HERE = Path(__file__).parent
CODE = {"type": "code_execution_20250825", "name": "code_execution"}
COUNTED = ["text", "server_tool_use", "bash_code_execution_tool_result", "text"]


@pytest.fixture(scope="module")
def url() -> Generator[str]:
    """A server whose model runs what the script says, in real sandboxes."""
    with live_process("--model", f"script:{HERE / 'code.toml'}") as live:
        yield live.url


@pytest.fixture
def sdk(url: str) -> Generator[Any]:
    with anthropic.Anthropic(base_url=url, api_key="k", max_retries=0) as client:
        yield client


def asked(content: Any, **more: Any) -> Any:
    messages = [{"role": "user", "content": content}]
    return {"model": "claude-opus-4-8", "max_tokens": 1000, "tools": [CODE], "messages": messages, **more}


@pytest.mark.promise("code-execution.sdk", "code-execution.uploads", "code-execution.output-files")
@pytest.mark.parametrize("streamed", [False, True])
def test_the_python_sdk_uploads_runs_downloads_and_carries_the_container_on(sdk: Any, streamed: bool) -> None:
    file = sdk.files.upload(file=("data.csv", b"a\nb\n", "text/csv"))
    request = asked([{"type": "text", "text": "Count the lines."}, {"type": "container_upload", "file_id": file.id}])
    if streamed:
        with sdk.messages.stream(**request) as stream:
            first = stream.get_final_message()
    else:
        first = sdk.messages.create(**request)
    assert [block.type for block in first.content] == COUNTED
    result = first.content[2].content
    assert (result.type, result.stdout, result.return_code) == ("bash_code_execution_result", "counted 2\n", 0)
    [made] = result.content
    assert sdk.files.download(made.file_id).read() == b"made\n"
    assert first.container.expires_at.tzinfo is not None
    told = [{"role": "assistant", "content": first.content}, {"role": "user", "content": "What was mine?"}]
    again = {**request, "messages": [*request["messages"], *told]}
    carried = sdk.messages.create(**again, container=first.container.id)
    assert (carried.content[1].content.stdout, carried.container.id) == ("kept well\n", first.container.id)
    assert carried.content[-1].text == "It was kept."
    fresh = sdk.messages.create(**asked("What was mine?"))
    assert fresh.content[1].content.stdout == "a new machine\n"
    assert fresh.container.id != first.container.id


@beta_tool
def look() -> str:
    """Look out of the window."""
    return "A tree."


@pytest.mark.promise("code-execution.sdk", "code-execution.runner")
def test_the_tool_runner_carries_the_container_on_by_itself(sdk: Any) -> None:
    runner = sdk.beta.messages.tool_runner(**{**asked("Look out, and note it."), "tools": [CODE, look]})
    paused, ended = runner
    assert [block.type for block in paused.content][1:] == ["bash_code_execution_tool_result", "tool_use"]
    assert (ended.content[1].content.stdout, ended.container.id) == ("kept well\n", paused.container.id)
    assert [message.stop_reason for message in (paused, ended)] == ["tool_use", "end_turn"]


AMOUNTS = {"west": "1", "east": "2", "north": "9", "south": "18"}
CELLS = {"type": "code_execution_20260120", "name": "code_execution"}


@beta_tool(allowed_callers=["code_execution_20260120"])
def sales(region: str) -> str:
    """The sales of a region.

    Args:
        region: Its name.
    """
    return AMOUNTS[region]


@pytest.mark.promise("programmatic-calling.prefilled", "programmatic-calling.loop")
@pytest.mark.parametrize("streamed", [False, True])
def test_the_tool_runner_answers_code_over_several_requests(sdk: Any, streamed: bool) -> None:
    request = {**asked("Sum the regions."), "tools": [CELLS, sales]}
    if streamed:
        runner = sdk.beta.messages.tool_runner(**request, stream=True)
        replies = [stream.get_final_message() for stream in runner]
    else:
        replies = list(sdk.beta.messages.tool_runner(**request))
    assert [[block.type for block in reply.content] for reply in replies] == [
        ["server_tool_use", "tool_use"],
        ["tool_use", "tool_use"],
        ["tool_use"],
        ["code_execution_tool_result", "text"],
    ]
    code = replies[0].content[0]
    called = [block for reply in replies[:3] for block in reply.content if block.type == "tool_use"]
    assert [block.input["region"] for block in called] == list(AMOUNTS)
    assert {(block.caller.type, block.caller.tool_id) for block in called} == {("code_execution_20260120", code.id)}
    assert [reply.usage.input_tokens for reply in replies[1:3]] == [0, 0]
    assert replies[3].content[0].content.stdout == "total 30\n"
    assert replies[3].content[1].text == "All in all 30."


@pytest.mark.promise(
    "code-execution.sdk", "code-execution.uploads", "code-execution.output-files",
    "programmatic-calling.prefilled",
)  # fmt: skip
def test_the_typescript_sdk_does_the_same(url: str) -> None:
    assert (HERE / "ts" / "node_modules").exists(), "`make test` installs the TypeScript SDK"
    results = json.loads(run_client([node(), HERE / "ts" / "code.mjs"], url))
    assert results["carried"] == {
        "kinds": COUNTED,
        "stdout": "counted 2\n",
        "expires": True,
        "made": "made\n",
        "kept": "kept well\n",
        "same": True,
        "fresh": "a new machine\n",
        "other": True,
    }
    assert results["called"] == {
        "kinds": ["server_tool_use,tool_use", "tool_use,tool_use", "tool_use", "code_execution_tool_result,text"],
        "regions": list(AMOUNTS),
        "own": True,
        "stdout": "total 30\n",
    }


@pytest.mark.promise("code-execution.bash", "server-tools.forced")
def test_the_real_model_runs_a_command_where_it_must(server: str) -> None:
    request = asked("Print the word hello with echo.", max_tokens=60)
    request["tool_choice"] = {"type": "tool", "name": "code_execution"}
    with anthropic.Anthropic(base_url=server, api_key="k", max_retries=0) as client:
        sdk: Any = client
        message = sdk.messages.create(**request)
    call, result = message.content[:2]
    assert (call.type, call.name) == ("server_tool_use", "bash_code_execution")
    assert isinstance(call.input["command"], str)
    assert (result.type, result.tool_use_id) == ("bash_code_execution_tool_result", call.id)
    # What such a small model writes need not be a good command; that it was run is told all the same.
    assert result.content.type == "bash_code_execution_result"
    assert isinstance(result.content.return_code, int)
    assert message.container.id.startswith("container_")
    assert message.stop_reason in ("end_turn", "max_tokens", "pause_turn")

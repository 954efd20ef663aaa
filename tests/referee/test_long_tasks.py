"""The tool runners of the official SDKs end a long task right: it is compacted on the way, and its tools change."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.referee.live import live_server, run_client
from tests.referee.node import node
from tests.referee.test_python_sdks import INTERPRETERS

HERE = Path(__file__).parent
SCENARIOS = HERE / "long_task_scenarios.py"
DONE = "The long task is done: 3, 7, 42."
CALLED = [["add", 1, 2], ["add", 3, 4], ["add", 40, 2]]
COMPACTED = {
    "messages": [["add"], ["add"], ["compaction"], ["add"], [DONE]],
    "stops": ["tool_use", "tool_use", "compaction", "tool_use", "end_turn"],
    "calls": CALLED,
}
CHANGED = {
    "messages": [["add"], ["multiply"], ["6 times 7 is 42."]],
    "stops": ["tool_use", "tool_use", "end_turn"],
    "calls": [["add", 1, 2], ["multiply", 6, 7]],
}

Results = dict[str, Any]


@pytest.fixture(scope="module")
def script() -> Iterator[str]:
    """A server whose model says what the script says; everything else is real."""
    with live_server("--model", f"script:{HERE / 'long_task.toml'}") as url:
        yield url


@pytest.fixture(scope="module")
def python(script: str) -> Results:
    """Every scenario of the newest Python SDK."""
    return json.loads(run_client([sys.executable, SCENARIOS], script))


@pytest.fixture(scope="module")
def typescript(script: str) -> Results:
    """Every scenario of the TypeScript SDK."""
    return json.loads(run_client([node(), HERE / "ts" / "long_task.mjs"], script))


def result(results: Results, name: str) -> Any:
    value = results[name]
    assert "raised" not in value, value["raised"]
    return value


@pytest.mark.promise("runner.compaction")
@pytest.mark.parametrize("name", ["compacting_runner", "compacting_streaming_runner"])
def test_the_python_runner_compacts_a_long_task(python: Results, name: str) -> None:
    assert result(python, name) == COMPACTED


@pytest.mark.promise("runner.compaction")
@pytest.mark.parametrize("name", ["compacting_runner", "compacting_streaming_runner"])
def test_the_typescript_runner_compacts_a_long_task(typescript: Results, name: str) -> None:
    assert result(typescript, name) == COMPACTED


@pytest.mark.promise("runner.compaction", "compaction.tools")
def test_a_tool_that_was_brought_is_still_there_when_the_task_is_compacted(python: Results) -> None:
    assert result(python, "changing_and_compacting_runner") == COMPACTED


@pytest.mark.promise("runner.tool-changes")
def test_the_python_runner_changes_its_tools_on_the_way(python: Results) -> None:
    assert result(python, "changing_runner") == CHANGED


@pytest.mark.promise("runner.tool-changes")
def test_the_typescript_runner_changes_its_tools_on_the_way(typescript: Results) -> None:
    assert result(typescript, "changing_runner") == CHANGED


@pytest.mark.promise("runner.compaction")
def test_the_old_python_runner_compacts_by_itself(script: str) -> None:
    results = json.loads(run_client([INTERPRETERS["0.x"], SCENARIOS], script, timeout=60))
    run = result(results, "client_side_compaction")
    # This runner drops the call in whose reply the threshold is crossed, and restarts from the summary.
    assert (run["calls"], run["messages"][-1]) == ([CALLED[0], CALLED[2]], [DONE])

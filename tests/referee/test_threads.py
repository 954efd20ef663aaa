"""Both official SDKs work in message threads: in one server, in two that share a store, and across a restart."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.referee.live import clean_env, live_process, live_server, run_client
from tests.referee.node import node
from tests.stores.implementations import store_server

HERE = Path(__file__).parent
MODEL = ("--model", f"script:{HERE / 'threads.toml'}")
PROGRAMS: dict[str, list[str | Path]] = {
    "python": [sys.executable, HERE / "thread_scenarios.py"],
    "typescript": [node(), HERE / "ts" / "threads.mjs"],
}
SAID = [["Let me add.\n", "add"], ["Now double it.\n", "multiply"], ["It is 84."]]
ONCE = ["system", "tools"]
# Of each request: the status of its answer, what it says of its thread, its messages, and what it says only once.
THREADED = [[200, "create", 1, ONCE], [200, "continue", 1, []], [200, "continue", 1, []]]
HELPED = [[200, "create", 1, ["system"]], [200, "continue", 1, []], [200, "create", 3, ["system"]]]

Results = dict[str, Any]


def run(language: str, *fronts: str) -> Results:
    """Every scenario of an SDK against these servers in turn."""
    return json.loads(run_client(PROGRAMS[language], fronts[0], extra={"FRONTS": ",".join(fronts)}))


def run_restarted(language: str) -> Results:
    """The scenarios that start the server anew."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    at = (*MODEL, "--port", str(port))
    with ExitStack() as running:
        url = running.enter_context(live_server(*at))
        env = clean_env({"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "any", "FRONTS": url})
        client = subprocess.Popen(
            [*map(str, PROGRAMS[language]), "restarts"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert client.stdin is not None
        assert client.stdout is not None
        with client:
            for line in client.stdout:
                if line != "restart\n":
                    return json.loads(line)
                running.close()
                running.enter_context(live_server(*at))
                client.stdin.write("go\n")
                client.stdin.flush()
    pytest.fail("the client ended without a result")


@pytest.fixture(scope="module", params=list(PROGRAMS))
def alone(request: pytest.FixtureRequest) -> Iterator[Results]:
    """What an SDK does with one server."""
    with live_server(*MODEL) as url:
        yield run(request.param, url)


def result(results: Results, name: str) -> Any:
    value = results[name]
    assert "raised" not in value, value
    return value


@pytest.mark.promise("threads.runners", "threads.as-if-whole", "threads.usage")
def test_a_runner_does_a_task_of_three_steps_in_a_thread(alone: Results) -> None:
    threaded, whole = result(alone, "runner"), result(alone, "without_a_thread")
    assert (threaded["messages"], threaded["sent"]) == (SAID, THREADED)
    assert (whole["messages"], whole["sent"]) == (SAID, [[200, None, n, ONCE] for n in (1, 3, 5)])
    # The same conversation, to the token.
    assert threaded["input_tokens"] == whole["input_tokens"]


@pytest.mark.promise("threads.runners")
def test_a_runner_does_it_with_streams(alone: Results) -> None:
    streamed = result(alone, "streaming_runner")
    assert (streamed["messages"], streamed["sent"]) == (SAID, THREADED)


@pytest.mark.promise("threads.runners")
def test_the_asynchronous_python_runner_does_it_too(alone: Results) -> None:
    if "asynchronous_runner" in alone:
        run_ = result(alone, "asynchronous_runner")
        assert (run_["messages"], run_["sent"]) == (SAID, THREADED)


@pytest.mark.promise("threads.runners")
def test_the_thread_helper_sends_what_is_new_and_its_fork_sends_all(alone: Results) -> None:
    helped = result(alone, "helper")
    assert (helped["messages"], helped["sent"]) == ([["Hello."], ["Ada."], ["Ada."]], HELPED)


@pytest.mark.promise("threads.restart")
@pytest.mark.parametrize("language", PROGRAMS)
def test_after_a_restart_they_send_the_whole_conversation_and_go_on(language: str) -> None:
    results = run_restarted(language)
    runner = result(results, "restarted_runner")
    assert runner["messages"] == SAID
    lost, replayed = [404, "continue", 1, []], [200, "create", 3, ONCE]
    assert runner["sent"] == [THREADED[0], lost, replayed, THREADED[2]]
    helper = result(results, "restarted_helper")
    assert helper["messages"] == [["Hello."], ["Ada."]]
    assert helper["sent"] == [[200, "create", 1, []], lost, [200, "create", 3, []]]


@pytest.mark.promise("threads.shared-store")
@pytest.mark.parametrize("language", PROGRAMS)
def test_two_servers_over_one_store_do_the_task_together(language: str, tmp_path: Path) -> None:
    with ExitStack() as running:
        store = running.enter_context(store_server(tmp_path))
        shared = {"ANTIPHON_MESSAGE_THREADS_STORE": store.url.replace("redis://", "valkey://")}
        fronts = [running.enter_context(live_process(*MODEL, extra=shared)).url for _ in range(2)]
        results = run(language, *fronts)
    for name in ("runner", "streaming_runner"):
        found = result(results, name)
        assert (found["messages"], found["sent"]) == (SAID, THREADED)
    helped = result(results, "helper")
    assert (helped["messages"], helped["sent"]) == ([["Hello."], ["Ada."], ["Ada."]], HELPED)

"""Tools that run in the server, as the official SDK meets them: streams add up, and what they made goes back."""

import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import anthropic
import pytest

from tests.arch.tree import ROOT
from tests.referee.conftest import GREEDY
from tests.referee.live import live_process, run_client

HERE = Path(__file__).parent
QUESTION = "Search for comprehensive information about quantum computing breakthroughs in 2025"
PAIR = ["server_tool_use", "web_search_tool_result"]
REQUEST: Any = {
    "model": "claude-opus-4-8",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": QUESTION}],
    "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 10}],
}


@pytest.fixture(scope="module")
def searching(tmp_path_factory: pytest.TempPathFactory) -> Generator[Callable[[int], str]]:
    """Servers that search, one for each number of rounds that they give a turn."""
    with ExitStack() as running:

        @cache
        def started(rounds: int) -> str:
            config = tmp_path_factory.mktemp("searching") / "antiphon.toml"
            config.write_text(f'model = "script:{HERE / "searching.toml"}"\n[server_tools]\nrounds = {rounds}\n')
            server = live_process("--config", str(config), program=("tests.referee.searching_server",))
            return running.enter_context(server).url

        yield started


@pytest.mark.promise("snippets.pause-turn", "field.pause-turn")
@pytest.mark.parametrize(
    ("rounds", "told"),
    [
        (1, ["stop_reason='pause_turn'"]),
        (2, ["stop_reason='pause_turn'"]),
        (10, ["stop_reason='end_turn'", "Qubits got better."]),
    ],
)
def test_the_pause_turn_example_runs_to_its_end(
    rounds: int, told: list[str], searching: Callable[[int], str]
) -> None:
    output = run_client([sys.executable, ROOT / "examples" / "tool_use" / "pause_turn.py"], searching(rounds))
    assert output.startswith("Message(id='msg_")
    if rounds == 2:
        # Two rounds are what the question takes: what was left for the continuation is the answer alone.
        told = ["stop_reason='end_turn'", "Qubits got better."]
        assert "ServerToolUseBlock" not in output
    else:
        assert "ServerToolUseBlock(id='srvtoolu_" in output
        assert "WebSearchToolResultBlock(" in output
    assert all(text in output for text in told)


@pytest.mark.promise("server-tools.sdk")
def test_the_sdk_accumulates_what_the_server_says_whole(searching: Callable[[int], str]) -> None:
    with anthropic.Anthropic(base_url=searching(10), api_key="k") as client:
        create: Any = client.messages.create
        whole = create(**REQUEST)
        with client.messages.stream(**REQUEST) as stream:
            streamed = stream.get_final_message()
        assert [block.type for block in whole.content] == ["text", *PAIR, "text", *PAIR, "text"]
        assert plain(streamed) == plain(whole)
        assert whole.usage.server_tool_use is not None
        assert whole.usage.server_tool_use.web_search_requests == 2
        # It goes back as it came.
        again: list[Any] = [
            *REQUEST["messages"],
            {"role": "assistant", "content": streamed.content},
            {"role": "user", "content": "Go on about quantum things."},
        ]
        answer = create(**with_messages(again))
        assert answer.stop_reason == "end_turn"


@pytest.mark.promise("server-tools.sdk", "server-tools.pause-and-resume")
def test_a_paused_turn_goes_back_and_on_until_it_is_over(searching: Callable[[int], str]) -> None:
    with anthropic.Anthropic(base_url=searching(1), api_key="k") as client:
        messages: list[Any] = list(REQUEST["messages"])
        reasons: list[str | None] = []
        for _ in range(3):
            with client.messages.stream(**with_messages(messages)) as stream:
                message = stream.get_final_message()
            reasons.append(message.stop_reason)
            messages.append({"role": "assistant", "content": message.content})
        assert reasons == ["pause_turn", "pause_turn", "end_turn"]


@pytest.mark.promise("server-tools.forced")
def test_the_real_model_searches_where_it_must_and_goes_on(tmp_path: Path) -> None:
    config = tmp_path / "antiphon.toml"
    config.write_text(GREEDY)
    asked: Any = {**REQUEST, "max_tokens": 120}
    asked["tool_choice"] = {"type": "tool", "name": "web_search", "disable_parallel_tool_use": True}
    with (
        live_process("--config", str(config), program=("tests.referee.searching_server",)) as live,
        anthropic.Anthropic(base_url=live.url, api_key="k") as client,
    ):
        with client.messages.stream(**asked) as stream:
            message = stream.get_final_message()
        assert [block.type for block in message.content][:2] == PAIR
        call, result = message.content[:2]
        assert call.type == "server_tool_use"
        assert isinstance(call.input.get("query"), str)
        assert result.type == "web_search_tool_result"
        assert isinstance(result.content, list)
        # What it makes of the result is beyond a model of this size; that it reads on is not.
        assert message.stop_reason in ("end_turn", "max_tokens", "pause_turn")
        assert message.usage.input_tokens > 500
        assert message.usage.output_tokens <= 120


def with_messages(messages: list[Any]) -> Any:
    return {**REQUEST, "messages": messages}


def plain(message: Any) -> Any:
    """A reply without what is new in every reply: ids and seals."""
    told = message.model_dump(exclude={"id"})
    for block in told["content"]:
        block.pop("id", None)
        block.pop("tool_use_id", None)
        for found in block["content"] if isinstance(block.get("content"), list) else ():
            found.pop("encrypted_content", None)
    return told

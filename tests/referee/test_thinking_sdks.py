"""Extended thinking with the official SDKs: streams add up to the whole reply, and what they made of it goes back."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest

from tests.referee.live import live_process, live_server, run_client
from tests.referee.node import node

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLIENTS = {
    "python": [Path(sys.executable), HERE / "thinking_scenarios.py"],
    "python 0.x": [ROOT / ".venv-sdk0" / "bin" / "python", HERE / "thinking_scenarios.py"],
    "typescript": [node(), HERE / "ts" / "thinking.mjs"],
}
Block = dict[str, Any]
Results = dict[str, Any]

THOUGHT = "Let me see: ¿2 + 2? 漢字 🎼\nTwo and two are four."
LOOKS = "I need the thermometer."


def thinking(text: str) -> Block:
    return {"type": "thinking", "thinking": text, "signature": True}


def text(said: str) -> Block:
    return {"type": "text", "text": said}


def call(name: str, **arguments: Any) -> Block:
    return {"type": "tool_use", "name": name, "input": arguments, "id": True}


REDACTED: Block = {"type": "redacted_thinking", "data": True}
FOUR, SURE, WARM = text("It is four."), text("Quite sure."), text("It is 72 degrees in Paris.")
LOOK = [text("I will look.\n"), call("get_weather", location="Paris")]
ROUNDS: dict[str, tuple[list[Block], list[Block]]] = {
    "budget": ([thinking(THOUGHT), FOUR], [thinking("I had thought about it."), SURE]),
    "adaptive": ([thinking(THOUGHT), FOUR], [thinking("I had thought about it."), SURE]),
    "summarized": ([thinking(THOUGHT), FOUR], [thinking("I had thought about it."), SURE]),
    "omitted": ([thinking(""), FOUR], [thinking(""), SURE]),
    "redacted": ([REDACTED, FOUR], [thinking("I had thought about it."), SURE]),
    # Without the header a turn's thoughts come before its first call; with it, and when it is adaptive, also between.
    "tools": ([thinking(LOOKS), *LOOK], [WARM]),
    "omitted_tools": ([thinking(""), *LOOK], [thinking(""), WARM]),
    "interleaved": ([thinking(LOOKS), *LOOK], [thinking("72 is warm."), WARM]),
}


@pytest.fixture(scope="module")
def script() -> Iterator[str]:
    """A server whose model thinks and says what the script says; everything else is real."""
    with live_server("--model", f"script:{HERE / 'thinking.toml'}") as url:
        yield url


@pytest.fixture(scope="module", params=list(CLIENTS))
def results(request: pytest.FixtureRequest, script: str) -> Results:
    """Every scenario's result under one SDK."""
    program, scenarios = CLIENTS[request.param]
    assert program.exists(), f"{program} is missing: `make test` installs it"
    return json.loads(run_client([program, scenarios], script))


def result(results: Results, name: str) -> Any:
    """One scenario's result; a traceback in it fails the test."""
    value = results[name]
    assert "raised" not in value, value["raised"]
    return value


@pytest.mark.promise("sdk.thinking", "thinking.blocks-first", "streaming.thinking-deltas")
@pytest.mark.parametrize("name", ROUNDS)
def test_a_thinking_stream_adds_up_to_the_whole_reply(results: Results, name: str) -> None:
    found = result(results, "rounds")[name]
    expected, _ = ROUNDS[name]
    assert found["whole"]["content"] == expected
    assert found["streamed"] == found["whole"]
    joined = {kind: "".join(block.get(kind, "") for block in expected) for kind in ("thinking", "text")}
    assert found["pieces"] == joined


@pytest.mark.promise("sdk.thinking", "thinking.preserved", "thinking.redacted", "thinking.interleaved")
@pytest.mark.parametrize("name", ROUNDS)
def test_what_the_sdk_made_of_a_reply_goes_back_and_the_model_knows_what_it_thought(
    results: Results, name: str
) -> None:
    _, expected = ROUNDS[name]
    again = result(results, "rounds")[name]["again"]
    assert [message["content"] for message in again] == [expected] * 4
    # Sealed at different times, of one length in the prompt.
    assert len({tuple(message["usage"]) for message in again}) == 1


@pytest.mark.promise("sdk.thinking", "thinking.signatures-verified")
def test_a_changed_signature_is_a_bad_request_wherever_it_was_changed(results: Results) -> None:
    for place, message in result(results, "tampered").items():
        kind = "`data` in `redacted_thinking`" if "redacted" in place else "`signature` in `thinking`"
        assert message == f"messages.1.content.0: Invalid {kind} block", place


@pytest.mark.promise("runner.thinking")
@pytest.mark.parametrize(
    ("mode", "first", "second"),
    [
        ("budget", [thinking("Two calls will do.")], []),
        ("interleaved", [thinking("Two calls will do.")], [thinking("One came back, and one did not.")]),
        ("adaptive", [thinking("")], [thinking("")]),
    ],
)
def test_the_tool_runner_carries_thoughts_through_its_turn(
    results: Results, mode: str, first: list[Block], second: list[Block]
) -> None:
    calls = [text("Let me see.\n"), call("add", a=40, b=2), call("divide", a=1, b=0)]
    turn = [[*first, *calls], [*second, text("The sum is 42; dividing by zero did not work.")]]
    assert result(results, "runner")[mode] == [turn, turn]


@pytest.mark.promise("counting.equals-usage")
def test_what_is_counted_with_thoughts_is_what_is_charged(results: Results) -> None:
    if "count_tokens" in results:
        counts = result(results, "count_tokens")
        assert counts["counted"] == counts["used"]
        assert result(results, "asynchronous")["content"][-1] == SURE


@pytest.mark.promise("thinking.replicas")
def test_a_second_server_goes_on_with_the_conversation_if_it_has_the_key(script: str) -> None:
    def reply(url: str, messages: Any) -> Any:
        client = anthropic.Anthropic(base_url=url, api_key="any")
        asked: Any = {"model": "claude-opus-4-8", "max_tokens": 5000, "thinking": {"type": "adaptive"}}
        create: Any = client.messages.create
        return create(messages=messages, **asked)

    question = {"role": "user", "content": "2 + 2?"}
    told = reply(script, [question])
    history = [question, {"role": "assistant", "content": told.content}, {"role": "user", "content": "Are you sure?"}]
    model = ("--model", f"script:{HERE / 'thinking.toml'}")
    other = {"ANTIPHON_THINKING_KEYS": "o" * 43}
    with live_process(*model) as same, live_process(*model, extra=other) as stranger:
        assert reply(same.url, history).content[-1].text == "Quite sure."
        with pytest.raises(anthropic.BadRequestError, match=r"messages\.1\.content\.0: Invalid `signature` in"):
            reply(stranger.url, history)

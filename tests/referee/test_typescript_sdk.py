"""The official TypeScript SDK cannot tell this server from the real one."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.referee.cached import check_caching
from tests.referee.live import run_client
from tests.referee.node import node

HERE = Path(__file__).parent
MODEL = "claude-opus-4-5-20251101"

Results = dict[str, Any]


@pytest.fixture(scope="module")
def results(server: str) -> Results:
    """Every scenario's result."""
    assert (HERE / "ts" / "node_modules").exists(), "`make test` installs the TypeScript SDK"
    return json.loads(run_client([node(), HERE / "ts" / "scenarios.mjs"], server))


def result(results: Results, name: str) -> Any:
    value = results[name]
    assert "raised" not in value, value["raised"]
    return value


@pytest.mark.promise("sdk.typescript", "basic.message-object")
def test_a_basic_call_returns_a_whole_message(results: Results) -> None:
    message = result(results, "basic")
    assert "colors" in message["text"].lower()
    assert (message["type"], message["role"], message["model"]) == ("message", "assistant", MODEL)
    assert message["request_id"].startswith("req_")
    assert min(message["usage"]) > 0


@pytest.mark.promise("sdk.typescript", "basic.stateless-multi-turn")
def test_a_conversation_goes_on(results: Results) -> None:
    talk = result(results, "multi_turn")
    assert all(text.strip() for text in talk["texts"])
    assert talk["grew"]


@pytest.mark.promise("sdk.typescript", "text.prefill")
def test_a_prefill_is_continued(results: Results) -> None:
    reply = result(results, "prefill")
    assert (reply["stop_reason"], reply["output"], len(reply["text"].strip())) == ("max_tokens", 1, 1)


@pytest.mark.promise("sdk.typescript", "streaming.sdk-helpers")
def test_a_stream_accumulates_to_the_same_message(results: Results) -> None:
    stream = result(results, "stream")
    assert stream["joined"]
    assert stream["same_as_whole"]
    assert stream["usage"][0] == stream["usage"][1]
    types = [kind for kind in result(results, "raw_events")["types"] if kind != "ping"]
    assert (types[0], types[-2:]) == ("message_start", ["message_delta", "message_stop"])


@pytest.mark.promise("sdk.typescript", "counting.equals-usage")
def test_counted_tokens_are_the_tokens_charged(results: Results) -> None:
    counts = result(results, "count_tokens")
    assert counts["counted"] == counts["used"] > 10


@pytest.mark.promise("sdk.typescript", "models.list")
def test_the_model_list_can_be_walked_and_asked(results: Results) -> None:
    models = result(results, "models")
    assert models["unique"]
    assert MODEL in models["ids"]
    assert models["resolved"] == MODEL


@pytest.mark.promise("sdk.typescript", "errors.sdk-classes")
def test_errors_arrive_as_the_sdks_own_classes(results: Results) -> None:
    seen = result(results, "errors")
    assert seen["unknown model"] == ["NotFoundError", 404, "model: no-such-model"]
    assert seen["empty text"][:2] == ["BadRequestError", 400]


@pytest.mark.promise("sdk.typescript")
def test_a_stream_can_be_aborted(results: Results) -> None:
    assert result(results, "abort")["aborted"]


@pytest.mark.promise("sdk.typescript", "cache.writes-then-reads", "cache.in-streams", "cache.automatic")
def test_a_marked_prefix_is_read_by_whatever_asks_for_it_again(results: Results) -> None:
    check_caching(result(results, "caching"))

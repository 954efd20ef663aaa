"""The official Python SDK, newest and 0.x, cannot tell this server from the real one."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.referee.cached import check_caching
from tests.referee.live import run_client

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
INTERPRETERS = {"newest": Path(sys.executable), "0.x": ROOT / ".venv-sdk0" / "bin" / "python"}
MODEL = "claude-opus-4-5-20251101"

Results = dict[str, Any]


@pytest.fixture(scope="module", params=list(INTERPRETERS))
def results(request: pytest.FixtureRequest, server: str) -> Results:
    """Every scenario's result under one SDK line."""
    interpreter = INTERPRETERS[request.param]
    assert interpreter.exists(), f"{interpreter} is missing: `make test` installs the SDK lines"
    output = json.loads(run_client([interpreter, HERE / "scenarios.py"], server))
    assert output["version"].startswith("0.") == (request.param == "0.x")
    return output


def result(results: Results, name: str) -> Any:
    """One scenario's result; a traceback in it fails the test."""
    value = results[name]
    assert "raised" not in value, value["raised"]
    return value


@pytest.mark.promise("sdk.python", "basic.message-object", "basic.request-id")
def test_a_basic_call_returns_a_whole_message(results: Results) -> None:
    message = result(results, "basic")
    assert "colors" in message["text"].lower()
    assert (message["type"], message["role"], message["model"]) == ("message", "assistant", MODEL)
    assert (message["stop_reason"], message["stop_sequence"]) in [("end_turn", None), ("max_tokens", None)]
    assert message["id"].startswith("msg_")
    assert message["request_id"].startswith("req_")
    assert message["cache"] == [0, 0]
    assert message["usage"][0] > 10
    assert 1 <= message["usage"][1] <= 12


@pytest.mark.promise("basic.stateless-multi-turn")
def test_a_conversation_goes_on_with_replies_sent_back_as_they_came(results: Results) -> None:
    talk = result(results, "multi_turn")
    assert talk["texts"][0].strip()
    assert talk["texts"][1].strip()
    assert talk["grew"]


@pytest.mark.promise("text.prefill")
def test_a_prefill_is_continued_and_not_repeated(results: Results) -> None:
    reply = result(results, "prefill")
    assert reply["stop_reason"] == "max_tokens"
    assert reply["output"] == 1
    assert "answer" not in reply["text"]
    assert len(reply["text"].strip()) == 1


@pytest.mark.promise("stops.matched-and-cut", "stops.truthful-reason")
def test_the_matched_stop_sequence_is_reported_and_cut(results: Results) -> None:
    reply = result(results, "stop_sequence")
    assert (reply["stop_reason"], reply["stop_sequence"]) == ("stop_sequence", "colors")
    assert "primary" in reply["text"]
    assert "colors" not in reply["text"]


@pytest.mark.promise("streaming.sdk-helpers", "streaming.fold-is-the-body")
def test_a_stream_accumulates_to_the_same_message(results: Results) -> None:
    stream = result(results, "stream")
    assert stream["joined"]
    assert stream["same_as_whole"]
    assert stream["pieces"] > 3
    assert stream["stop"][0] == stream["stop"][1]
    assert stream["usage"][0] == stream["usage"][1]
    assert stream["first_and_last"] == ["message_start", "message_stop"]
    assert "colors" in result(results, "text_stream")["text"].lower()


@pytest.mark.promise("streaming.event-order")
def test_raw_events_come_in_the_documented_order(results: Results) -> None:
    types = [kind for kind in result(results, "raw_events")["types"] if kind != "ping"]
    assert types[:2] == ["message_start", "content_block_start"]
    assert set(types[2:-3]) == {"content_block_delta"}
    assert types[-3:] == ["content_block_stop", "message_delta", "message_stop"]


@pytest.mark.promise("sdk.python")
def test_the_asynchronous_client_works_with_requests_at_once(results: Results) -> None:
    told = result(results, "asynchronous")
    assert all("colors" in text.lower() for text in told["texts"])
    assert len(set(told["ids"])) == 2


@pytest.mark.promise("counting.equals-usage")
def test_counted_tokens_are_the_tokens_charged(results: Results) -> None:
    counts = result(results, "count_tokens")
    assert counts["counted"] == counts["used"] == counts["beta"] > 20


@pytest.mark.promise("models.list", "models.aliases")
def test_the_model_list_can_be_walked_and_asked(results: Results) -> None:
    models = result(results, "models")
    assert models["unique"]
    assert {MODEL, "claude-opus-4-8", "claude-sonnet-4-6", "smollm2-135m-instruct"} <= set(models["ids"])
    assert models["resolved"] == MODEL


@pytest.mark.promise("headers.unknown-betas-ignored")
def test_unknown_beta_values_are_accepted(results: Results) -> None:
    assert result(results, "beta_create")["text"].strip()


@pytest.mark.promise("basic.request-id")
def test_raw_responses_carry_the_request_id(results: Results) -> None:
    reply = result(results, "raw_response")
    assert reply["status"] == 200
    assert reply["request_id"].startswith("req_")


@pytest.mark.promise("errors.sdk-classes")
def test_errors_arrive_as_the_sdks_own_classes(results: Results) -> None:
    seen = result(results, "error_classes")
    assert seen["unknown model"] == ["NotFoundError", 404, "model: no-such-model", True]
    assert seen["empty text"][:2] == ["BadRequestError", 400]
    assert seen["too many tokens"] == [
        "BadRequestError",
        400,
        f"max_tokens: 1000000 > 64000, which is the maximum allowed number of output tokens for {MODEL}",
        True,
    ]
    assert seen["unknown page"] == ["NotFoundError", 404, "The requested resource could not be found.", True]
    assert result(results, "stream_error")["message"] == "model: no-such-model"


@pytest.mark.promise("sdk.python", "cache.writes-then-reads", "cache.in-streams", "cache.automatic")
def test_a_marked_prefix_is_read_by_whatever_asks_for_it_again(results: Results) -> None:
    check_caching(result(results, "caching"))

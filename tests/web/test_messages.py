"""`POST /v1/messages` as a client meets it."""

import asyncio
import gzip
import json
from typing import Any

import pytest

from antiphon.testing.bridge import WAIT, Bridge, parse_events
from tests.web.conftest import Starter

MODEL = "claude-opus-4-5-20251101"
SMALL = "[model]\nwindow = 1000\n"


def ask(text: str = "hello", **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}


@pytest.mark.promise("basic.message-object")
async def test_a_reply_has_every_documented_key(bridge: Bridge) -> None:
    answer = await bridge.post(ask())
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    message = answer.json
    assert message.pop("id").startswith("msg_01")
    assert message.pop("usage") == {
        "input_tokens": (await bridge.ask("POST", "/v1/messages/count_tokens", count_of(ask()))).json["input_tokens"],
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 3,
        "service_tier": "standard",
        "inference_geo": "not_available",
    }
    assert message == {
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{"type": "text", "text": "Hello there!"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "container": None,
        "diagnostics": None,
    }


def count_of(request: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in request.items() if key not in ("max_tokens", "stream", "stop_sequences")}


@pytest.mark.promise("basic.request-id")
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/messages", ask(), 200),
        ("POST", "/v1/messages", ask(stream=True), 200),
        ("POST", "/v1/messages", b"{", 400),
        ("GET", "/v1/models", None, 200),
        ("GET", "/v1/nowhere", None, 404),
        ("DELETE", "/v1/messages", None, 405),
        ("GET", "/health", None, 200),
        ("HEAD", "/", None, 200),
    ],
)
async def test_every_reply_carries_a_request_id(
    bridge: Bridge, method: str, path: str, body: object, status: int
) -> None:
    answer = await bridge.ask(method, path, body)
    assert answer.status == status
    assert answer.headers["request-id"].startswith("req_01")
    if status >= 400:
        assert answer.json["request_id"] == answer.headers["request-id"]
        assert answer.json["type"] == "error"


@pytest.mark.promise("streaming.event-order", "streaming.fold-is-the-body")
async def test_a_stream_says_the_same_as_the_body(bridge: Bridge) -> None:
    whole = (await bridge.post(ask())).json
    answer = await bridge.post(ask(stream=True))
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    events = answer.events
    start = events[0]["message"]
    assert (start["content"], start["stop_reason"], start["usage"]["input_tokens"]) == (
        [],
        None,
        whole["usage"]["input_tokens"],
    )
    assert events[1] == {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    assert events[2] == {"type": "ping"}
    assert "".join(event["delta"]["text"] for event in events[3:-3]) == whole["content"][0]["text"]
    assert events[-3] == {"type": "content_block_stop", "index": 0}
    ending = {"stop_reason": "end_turn", "stop_sequence": None, "stop_details": None, "container": None}
    assert events[-2]["delta"] == ending
    served = {"cache_creation", "service_tier", "inference_geo"}
    assert events[-2]["usage"] == {key: value for key, value in whole["usage"].items() if key not in served}
    assert start["usage"] == {**whole["usage"], "output_tokens": 0}
    assert events[-1] == {"type": "message_stop"}


@pytest.mark.promise("basic.usage-keys")
@pytest.mark.parametrize(
    ("model", "place", "tells"),
    [
        ("claude-opus-4-5", "not_available", False),
        ("claude-3-haiku-20240307", "not_available", False),
        ("claude-opus-4-6", "global", True),
        ("claude-opus-4-8", "global", True),
        ("scripted", "not_available", True),
    ],
)
async def test_a_name_decides_which_keys_its_usage_has(bridge: Bridge, model: str, place: str, tells: bool) -> None:
    usage = (await bridge.post({**ask(), "model": model})).json["usage"]
    assert usage["inference_geo"] == place
    assert ("output_tokens_details" in usage) == tells
    assert "server_tool_use" not in usage


@pytest.mark.promise("context.follows-the-header")
@pytest.mark.parametrize("edits", [None, {"edits": []}])
async def test_context_management_is_told_wherever_its_header_is_there(bridge: Bridge, edits: Any) -> None:
    headers = {"anthropic-beta": "context-management-2025-06-27"}
    more = {} if edits is None else {"context_management": edits}
    whole = (await bridge.post(ask(**more), headers=headers)).json
    assert whole["context_management"] == {"applied_edits": []}
    events = (await bridge.post(ask(stream=True, **more), headers=headers)).events
    assert events[0]["message"]["context_management"] is None
    assert events[-2]["context_management"] == {"applied_edits": []}
    without = (await bridge.post(ask(stream=True))).events
    assert "context_management" not in without[0]["message"]
    assert "context_management" not in without[-2]


@pytest.mark.promise("basic.iterations")
@pytest.mark.parametrize("header", ["compact-2026-01-12", "advisor-tool-2026-03-01", None])
async def test_iterations_are_told_under_the_headers_that_have_them(bridge: Bridge, header: str | None) -> None:
    message = (await bridge.post(ask(), headers={"anthropic-beta": header})).json
    assert ("iterations" in message["usage"]) == (header is not None)
    if header is not None:
        [one] = message["usage"]["iterations"]
        assert (one["type"], one["output_tokens"]) == ("message", message["usage"]["output_tokens"])


@pytest.mark.promise("streaming.ping")
async def test_pings_fill_a_silent_wait_before_the_first_token(start: Starter) -> None:
    bridge = await start('[[reply]]\ntext = "late"\nhang = true\n', commit_after=0.01, ping_after=0.02)
    async with bridge.open("POST", "/v1/messages", ask(stream=True)) as exchange:
        await exchange.begin()
        seen: list[str] = []
        async for chunk in exchange.chunks():
            seen += [event["type"] for event in parse_events(chunk)]
            if seen.count("ping") >= 3:
                break
    assert seen[0] == "message_start"
    assert set(seen[1:]) == {"ping"}


@pytest.mark.promise("errors.late-commit")
@pytest.mark.parametrize(
    ("failure", "status", "kind"),
    [("unavailable", 529, "overloaded_error"), ("died", 500, "api_error"), ("refused", 500, "api_error")],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_before_the_first_event_has_a_true_status(
    start: Starter, failure: str, status: int, kind: str, stream: bool
) -> None:
    bridge = await start(f'[[reply]]\ntext = "x"\nfail = "{failure}"\n')
    answer = await bridge.post(ask(stream=stream))
    assert (answer.status, answer.json["error"]["type"]) == (status, kind)
    assert ("retry-after" in answer.headers) == (status == 529)


@pytest.mark.promise("streaming.errors-in-band")
async def test_a_failure_after_the_first_event_is_an_error_event(start: Starter) -> None:
    bridge = await start('[[reply]]\nchunks = ["one ", "two ", "three"]\nfail = "died"\nafter_chunks = 2\n')
    answer = await bridge.post(ask(stream=True))
    assert answer.status == 200
    *before, error = answer.events
    assert [event["type"] for event in before] == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
    ]
    assert error["error"]["type"] == "api_error"
    assert error["request_id"] == answer.headers["request-id"]
    whole = await bridge.post(ask())
    assert (whole.status, whole.json["error"]["type"]) == (500, "api_error")


@pytest.mark.promise("stops.matched-and-cut", "stops.truthful-reason")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_stop_sequence_across_chunks_is_cut_and_named(start: Starter, stream: bool) -> None:
    bridge = await start('[[reply]]\nchunks = ["one S", "T", "OP two", " three"]\n')
    answer = await bridge.post(ask(stream=stream, stop_sequences=["never", "STOP"]))
    if stream:
        text = "".join(e["delta"]["text"] for e in answer.events if e["type"] == "content_block_delta")
        end = answer.events[-2]["delta"]
    else:
        text, end = answer.json["content"][0]["text"], answer.json
    assert text == "one "
    assert (end["stop_reason"], end["stop_sequence"]) == ("stop_sequence", "STOP")


@pytest.mark.promise("stops.truthful-reason", "text.max-tokens")
async def test_max_tokens_cuts_exactly(bridge: Bridge) -> None:
    message = (await bridge.post(ask(max_tokens=1))).json
    assert (message["stop_reason"], message["usage"]["output_tokens"]) == ("max_tokens", 1)


@pytest.mark.promise("text.max-tokens-zero")
async def test_max_tokens_zero_reads_the_prompt_and_writes_nothing(bridge: Bridge) -> None:
    message = (await bridge.post(ask(max_tokens=0))).json
    assert (message["content"], message["stop_reason"], message["usage"]["output_tokens"]) == ([], "max_tokens", 0)
    assert message["usage"]["input_tokens"] > 0


@pytest.mark.promise("text.window")
async def test_a_full_window_ends_the_reply_truthfully(start: Starter) -> None:
    bridge = await start(SMALL + '[[reply]]\ntext = "' + "word " * 2000 + '"\n')
    message = (await bridge.post(ask(max_tokens=64000))).json
    window = (await bridge.ask("GET", f"/v1/models/{MODEL}")).json["max_input_tokens"]
    assert message["stop_reason"] == "model_context_window_exceeded"
    assert message["usage"]["input_tokens"] + message["usage"]["output_tokens"] == window


@pytest.mark.promise("text.prompt-too-long")
async def test_a_prompt_over_the_window_is_refused_with_both_numbers(start: Starter) -> None:
    bridge = await start(SMALL)
    request = ask("word " * 4000)
    count = (await bridge.ask("POST", "/v1/messages/count_tokens", count_of(request))).json["input_tokens"]
    window = (await bridge.ask("GET", f"/v1/models/{MODEL}")).json["max_input_tokens"]
    answer = await bridge.post(request)
    assert answer.status == 400
    assert answer.json["error"]["message"] == f"prompt is too long: {count} tokens > {window} maximum"


@pytest.mark.promise("streaming.disconnect-cancels")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_goes_away_cancels_its_work(start: Starter, stream: bool) -> None:
    bridge = await start('[[reply]]\nchunks = ["one ", "two "]\nhang = true\n', commit_after=0.01)
    async with bridge.open("POST", "/v1/messages", ask(stream=stream)) as exchange:
        if stream:
            await exchange.begin()
        async with asyncio.timeout(WAIT):
            await exchange.disconnect()
        assert exchange.task.done()


@pytest.mark.promise("errors.json-body")
async def test_broken_json_is_told_where_it_breaks(bridge: Bridge) -> None:
    answer = await bridge.post(b'{"model": ')
    assert answer.status == 400
    assert answer.json["error"] == {
        "type": "invalid_request_error",
        "message": "The request body is not valid JSON: unexpected end of data: line 1 column 11 (char 10)",
    }


@pytest.mark.promise("errors.unknown-model")
async def test_an_unknown_model_is_a_404_that_names_it(bridge: Bridge) -> None:
    answer = await bridge.post({**ask(), "model": "gpt-2"})
    assert (answer.status, answer.json["error"]) == (404, {"type": "not_found_error", "message": "model: gpt-2"})


@pytest.mark.promise("headers.version")
@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, "anthropic-version: header is required"),
        ("2025-04-14", 'anthropic-version: "2025-04-14" is not a valid version'),
    ],
)
async def test_the_version_header_is_checked(bridge: Bridge, version: str | None, message: str) -> None:
    answer = await bridge.post(ask(), headers={"anthropic-version": version})
    assert (answer.status, answer.json["error"]["message"]) == (400, message)


@pytest.mark.promise("headers.version")
async def test_both_wire_versions_are_served(bridge: Bridge) -> None:
    for version in ("2023-06-01", "2026-10-21"):
        assert (await bridge.post(ask(), headers={"anthropic-version": version})).status == 200
    sampled = await bridge.post(ask(temperature=0.5), headers={"anthropic-version": "2026-10-21"})
    assert sampled.json["error"]["message"] == "temperature: Extra inputs are not permitted"


@pytest.mark.promise("headers.unknown-betas-ignored")
async def test_unknown_betas_are_refused_only_when_the_owner_says_so(start: Starter) -> None:
    headers = {"anthropic-beta": "token-counting-2024-11-01,made-up-2031-01-01"}
    assert (await (await start()).post(ask(), headers=headers)).status == 200
    answer = await (await start(strict_betas=True)).post(ask(), headers=headers)
    assert answer.status == 400
    assert (
        "Unexpected value(s) `made-up-2031-01-01` for the `anthropic-beta` header." in answer.json["error"]["message"]
    )


@pytest.mark.promise("headers.empty-beta")
async def test_an_empty_beta_header_is_refused_only_when_the_owner_says_so(start: Starter) -> None:
    headers = {"anthropic-beta": ""}
    assert (await (await start()).post(ask(), headers=headers)).status == 200
    answer = await (await start(strict_betas=True)).post(ask(), headers=headers)
    assert answer.status == 400
    assert answer.json["error"]["message"].startswith("Unexpected value(s) `` for the `anthropic-beta` header.")


@pytest.mark.promise("headers.beta-query")
async def test_the_beta_query_is_ignored(bridge: Bridge) -> None:
    assert (await bridge.post(ask(), query="beta=true")).status == 200


@pytest.mark.promise("auth.keys")
@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"x-api-key": "right"}, None),
        ({"x-api-key": None, "authorization": "Bearer right"}, None),
        ({"x-api-key": "wrong", "authorization": "Bearer right"}, None),
        ({"x-api-key": "right", "authorization": "Bearer wrong"}, None),
        ({"x-api-key": None}, "x-api-key header is required"),
        ({"x-api-key": ""}, "x-api-key header is required"),
        ({"x-api-key": "wrong"}, "invalid x-api-key"),
        ({"x-api-key": None, "authorization": "Bearer wrong"}, "invalid x-api-key"),
        ({"x-api-key": None, "authorization": "Basic right"}, "x-api-key header is required"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens", "/v1/models", "/v1/models/x"])
async def test_keys_are_checked_on_every_resource(
    start: Starter, headers: dict[str, str | None], message: str | None, path: str
) -> None:
    bridge = await start(api_keys=("other", "right"))
    method = "POST" if "messages" in path else "GET"
    answer = await bridge.ask(method, path, ask() if method == "POST" else None, headers=headers)
    if message is None:
        assert answer.status in (200, 400, 404)
    else:
        assert (answer.status, answer.json["error"]) == (401, {"type": "authentication_error", "message": message})


@pytest.mark.promise("auth.keys")
async def test_without_configured_keys_any_key_or_none_is_accepted(bridge: Bridge) -> None:
    assert (await bridge.post(ask(), headers={"x-api-key": None})).status == 200


@pytest.mark.promise("limits.body-size")
async def test_a_body_over_the_limit_is_a_413_before_and_after_decoding(start: Starter) -> None:
    bridge = await start(max_body=1000)
    big = json.dumps(ask("x" * 2000)).encode()
    answer = await bridge.post(big)
    assert (answer.status, answer.json["error"]["type"]) == (413, "request_too_large")
    packed = await bridge.post(gzip.compress(big), headers={"content-encoding": "gzip"})
    assert packed.status == 413
    assert packed.json["error"]["details"] == {"error_code": "request_body_too_large_after_decoding"}


@pytest.mark.promise("headers.content-encoding")
async def test_compressed_bodies_are_read_and_broken_ones_refused(bridge: Bridge) -> None:
    body = json.dumps(ask()).encode()
    assert (await bridge.post(gzip.compress(body), headers={"content-encoding": "gzip"})).status == 200
    for data, encoding, code in [
        (body, "gzip", "request_body_encoding_invalid"),
        (gzip.compress(body)[:-9], "gzip", "request_body_encoding_invalid"),
        (body, "br", "request_body_encoding_unsupported"),
    ]:
        answer = await bridge.post(data, headers={"content-encoding": encoding})
        assert (answer.status, answer.json["error"]["details"]["error_code"]) == (400, code)


async def test_a_wrong_content_type_or_charset_is_refused(bridge: Bridge) -> None:
    wrong = await bridge.post(ask(), headers={"content-type": "text/plain"})
    assert (wrong.status, "application/json" in wrong.json["error"]["message"]) == (400, True)
    charset = await bridge.post(ask(), headers={"content-type": "application/json; charset=latin-1"})
    assert charset.json["error"]["details"] == {"error_code": "unsupported_charset"}


@pytest.mark.promise("errors.unknown-path")
async def test_unknown_paths_and_methods_use_the_envelope(bridge: Bridge) -> None:
    lost = await bridge.ask("GET", "/v1/nowhere")
    assert (lost.status, lost.json["error"]) == (
        404,
        {"type": "not_found_error", "message": "The requested resource could not be found."},
    )
    wrong = await bridge.ask("GET", "/v1/messages")
    assert (wrong.status, wrong.json["error"]["type"]) == (405, "invalid_request_error")


@pytest.mark.promise("clients.context-management-harmless")
async def test_context_management_has_nothing_to_clear_in_a_text_conversation(bridge: Bridge) -> None:
    headers = {"anthropic-beta": "context-management-2025-06-27"}
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    thinking = {"type": "enabled", "budget_tokens": 1024}
    request = ask(context_management=edits, thinking=thinking, max_tokens=2000)
    answer = await bridge.post(request, headers=headers)
    assert answer.json["context_management"] == {"applied_edits": []}
    events = (await bridge.post({**request, "stream": True}, headers=headers)).events
    assert events[-2]["context_management"] == {"applied_edits": []}


@pytest.mark.promise("limits.large-bodies-aside")
async def test_a_large_request_does_not_hold_up_others(start: Starter) -> None:
    bridge = await start("[model]\nwindow = 10000000\n" + '[[reply]]\ntext = "read"\n')
    big = {**ask(), "messages": [{"role": "user", "content": [{"type": "text", "text": "x"}] * 60_000}]}
    async with bridge.open("POST", "/v1/messages", big) as exchange:
        small = await bridge.post(ask())
        assert small.status == 200
        assert not exchange.answered  # the small one came first, though it was sent later
        await exchange.begin()
        assert exchange.status == 200

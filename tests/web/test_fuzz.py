"""Whatever a client sends, it gets a reply or a 4xx in the API's envelope; never a 5xx.

Some thousand mutations of ten valid requests, the same in every run. For more of them, or for others:

    FUZZ_REQUESTS=60000 FUZZ_SEED=7 python -m pytest tests/web/test_fuzz.py

A failure names the request, the seed and the number, which `mutation` of `tests.web.fuzzing` makes again.
"""

import logging
import os
from collections.abc import AsyncGenerator
from typing import Any

import orjson
import pytest

from antiphon.config.settings import ThinkingSettings
from antiphon.testing import Answer, Bridge
from tests.web.conftest import Starter
from tests.web.fuzz_requests import OWN, REQUESTS
from tests.web.fuzzing import mutation
from tests.web.searching_app import app, says, search

SEED = int(os.environ.get("FUZZ_SEED", "1"))
EACH = int(os.environ.get("FUZZ_REQUESTS", "2000")) // len(REQUESTS)
# Nobody can forge a signature; what stands behind one is to be tried all the same.
FOREIGN = ThinkingSettings(foreign="drop")
ERRORS = {400: "invalid_request_error", 404: "not_found_error", 413: "request_too_large"}


@pytest.fixture
async def bridge() -> AsyncGenerator[Bridge]:
    """An app whose server runs a search, and whose model searches once."""
    # What is refused is not the point here, and thousands of refusals are a long log.
    logging.disable(logging.WARNING)
    try:
        async with app(says(search(), times=1), says("It is four."), max_body=2_000_000, thinking=FOREIGN) as running:
            yield running.bridge
    finally:
        logging.disable(logging.NOTSET)


def wrong(answer: Answer) -> str | None:
    """What no client may be sent; None where the answer is a reply, a count or an error as the API writes it."""
    if answer.status == 200:
        if answer.headers["content-type"].startswith("text/event-stream"):
            events = answer.events
            if events[0]["type"] != "message_start" or events[-1]["type"] != "message_stop":
                return f"a stream that does not end well: {events[-1]}"
            return None
        body = answer.json
        return None if body.get("type") == "message" or "input_tokens" in body else f"no reply: {body}"
    if answer.status not in ERRORS:
        return f"status {answer.status}: {answer.body[:300]!r}"
    body = answer.json
    error = body.get("error", {})
    if body.keys() != {"type", "error", "request_id"} or body["type"] != "error":
        return f"no envelope: {body}"
    if body["request_id"] != answer.headers["request-id"] or error.get("type") != ERRORS[answer.status]:
        return f"not the status's error: {body}"
    message = error.get("message")
    return None if isinstance(message, str) and message.strip() and len(message) < 6000 else f"no message: {body}"


@pytest.mark.promise("errors.no-request-is-a-500")
@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_that_is_mutated_is_answered_or_refused(bridge: Bridge, name: str) -> None:
    for number in range(EACH):
        sent = mutation(name, SEED, number)
        answer = await bridge.ask("POST", sent.path, sent.body, headers=sent.headers)
        problem = wrong(answer)
        assert problem is None, f"{name}, seed {SEED}, number {number}: {problem}"


BETAS = (
    "context-management-2025-06-27,compact-2026-09-04,mid-conversation-tool-changes-2026-07-01,"
    "mid-conversation-output-config-2026-07-01,message-threads-2026-08-12,server-side-fallback-2026-07-01"
)


@pytest.mark.promise("errors.no-request-is-a-500", "threads.given-back")
@pytest.mark.parametrize("name", REQUESTS)
async def test_a_mutated_request_goes_on_with_a_thread_or_is_refused(bridge: Bridge, name: str) -> None:
    headers = {"anthropic-beta": BETAS}
    kept, tried = "", list[int]()
    for number in range(EACH // 4):
        if not kept:
            created = {**REQUESTS[name], "thread": {"type": "create"}, "stream": False}
            kept = (await bridge.post(created, headers=headers)).json["id"]
        try:
            broken: dict[str, Any] = orjson.loads(mutation(name, SEED, number).body)
        except orjson.JSONDecodeError:
            continue
        again = {**broken, "thread": {"type": "continue", "previous_message_id": kept}}
        if number % 2:
            again = {key: value for key, value in again.items() if key not in ("system", "tools")}
        try:
            body = orjson.dumps(again)
        except TypeError:  # deeper than can be written
            continue
        answer = await bridge.post(body, headers=headers)
        tried.append(answer.status)
        problem = wrong(answer)
        assert problem is None, f"{name}, seed {SEED}, number {number}: {problem}"
        if answer.status == 200:
            kept = ""
        else:
            # Whatever was wrong, nothing stays behind of it.
            assert b"thread_continue_in_flight" not in answer.body
            assert b"thread_not_found" not in answer.body
    assert len(tried) > EACH // 8


@pytest.mark.parametrize("name", REQUESTS)
async def test_the_requests_that_are_mutated_are_valid(bridge: Bridge, name: str) -> None:
    sent = {
        "anthropic-beta": "context-management-2025-06-27,compact-2026-09-04,mid-conversation-tool-changes-2026-07-01"
    }
    sent["anthropic-beta"] += ",mid-conversation-output-config-2026-07-01,server-side-fallback-2026-07-01"
    answer = await bridge.post(REQUESTS[name], headers=sent)
    assert answer.status == 200, answer.body


@pytest.mark.promise("errors.no-request-is-a-500")
@pytest.mark.parametrize("path", ["/v1/models", f"/v1/models/{OWN}", "/v1/models/%00", "/v1/nothing", "/", "/health"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS", "X"])
async def test_no_other_endpoint_answers_a_strange_request_with_a_500(bridge: Bridge, method: str, path: str) -> None:
    for query in (
        "",
        "limit=1",
        "limit=0",
        "limit=x",
        "limit=" + "9" * 5000,
        "limit=²",
        "after_id=%ff",
        "lifecycle=x",
    ):
        for version in ("2023-06-01", "", "\x00", None):
            answer = await bridge.ask(
                method, path, b"\x00[", query=query, headers={"anthropic-version": version, "content-type": "a/b;c"}
            )
            assert answer.status < 500, (query, version, answer.body)
            if answer.status >= 400 and method != "HEAD":
                assert answer.json["type"] == "error"
                assert answer.json["request_id"] == answer.headers["request-id"]


STRANGE: dict[str, list[str]] = {
    "content-length": ["9" * 5000, "-1", "x", "1, 1", "٣", ""],
    "content-encoding": ["gzip", "deflate", "br", "gzip, gzip", "", "x" * 5000],
    "content-type": ["", ";", "application/json; charset=\xff", "application/json;charset", "text/plain", "é"],
    "anthropic-version": ["", "\x00", "2023-06-01, 2023-06-01", "9" * 5000],
    "anthropic-beta": ["", ",", "\x00", "x" * 5000, ",".join("abcdef" * 500)],
    "x-api-key": ["", "\xff", "x" * 5000],
    "authorization": ["", "Bearer", "Bearer ", "Basic \xff", "bearer " + "x" * 5000],
    "user-agent": ["", "\xff", "claude-cli/", "claude-cli/1.1.1.1.1.1.1", "claude-cli/" + "1." * 5000],
}


@pytest.mark.promise("errors.no-request-is-a-500")
@pytest.mark.parametrize("header", STRANGE)
@pytest.mark.parametrize("options", [{}, {"strict_betas": True}, {"api_keys": ("key",)}], ids=["", "strict", "keys"])
async def test_no_header_ends_in_a_500(start: Starter, header: str, options: dict[str, Any]) -> None:
    bridge = await start(**options)
    for value in STRANGE[header]:
        for path in ("/v1/messages", "/v1/messages/count_tokens", "/v1/models"):
            method = "GET" if path == "/v1/models" else "POST"
            answer = await bridge.ask(method, path, REQUESTS["plain"], headers={header: value})
            assert answer.status < 500, (value, path, answer.body)
            if answer.status >= 400:
                assert answer.json["type"] == "error"

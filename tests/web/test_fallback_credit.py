"""Tokens that refusals leave, and what comes of them."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from anthropic import AsyncAnthropic, BetaRefusalFallbackMiddleware

from antiphon.config import GuardRule
from antiphon.engines.scripted import ScriptedEngine
from antiphon.testing import FixedClock, engine_app, scripted_app
from antiphon.testing.app import MODEL
from antiphon.testing.bridge import Answer, Bridge
from tests.service.server_tools import ScriptedTool
from tests.web.batches import Client, request
from tests.web.searching_app import SEARCH, says, search
from tests.web.test_keys import app

Json = dict[str, Any]

CREDIT = "fallback-credit-2026-07-01"
OPUS, HAIKU = "claude-opus-4-8", "claude-haiku-4-5-20251001"
SCRIPT = """
[[reply]]
match = "poem"
chunks = ["Here ", "is a ", "sec", "ret", " poem."]

[[reply]]
text = "Fine."
"""
LYNX = GuardRule("lynx", ("lynx",), "request", "cyber", models=(OPUS, "claude-sonnet-4-5*"))
SECRET = GuardRule("secret", ("secret",), "reply", "bio", models=(OPUS,))


def body(content: Any = "lynx", model: str = OPUS, **more: Any) -> Json:
    return {"model": model, "max_tokens": 60, "messages": [{"role": "user", "content": content}], **more}


async def post(bridge: Bridge, asked: Json, beta: str | None = CREDIT, key: str = "test") -> Answer:
    return await bridge.post(asked, headers={"anthropic-beta": beta, "x-api-key": key})


async def refusal(bridge: Bridge, asked: Json, beta: str = CREDIT) -> Json:
    reply = (await post(bridge, asked, beta)).json
    assert reply["stop_reason"] == "refusal"
    return reply


def retry(asked: Json, token: Any, *more: Json, **other: Any) -> Json:
    """The request again, for another model, with the token."""
    messages = [*asked["messages"], *more]
    return {**asked, "model": HAIKU, "messages": messages, "fallback_credit_token": token, **other}


def best(token: str) -> Json:
    return {"token": token, "mode": "best_effort"}


@pytest.mark.promise("fallbacks.credit")
@pytest.mark.parametrize(
    "beta",
    [CREDIT, "fallback-credit-2026-06-01", "server-side-fallback-2026-06-01", "server-side-fallback-2026-07-01"],
)
async def test_a_refusal_leaves_a_token_under_its_headers_alone(beta: str) -> None:
    async with scripted_app(SCRIPT, guard=(LYNX, SECRET)) as bridge:
        told = (await refusal(bridge, body(), beta))["stop_details"]
        streamed = (await post(bridge, body(stream=True), beta)).events[-2]["delta"]["stop_details"]
        plain = (await post(bridge, body(), None)).json["stop_details"]
        midway = (await refusal(bridge, body("A poem."), beta))["stop_details"]
    assert told["fallback_credit_token"]
    assert streamed["fallback_credit_token"]
    assert [each["fallback_has_prefill_claim"] for each in (told, streamed, midway)] == [False, False, True]
    assert plain == {"type": "refusal", "category": "cyber", "explanation": None}


@pytest.mark.promise("fallbacks.credit")
async def test_what_the_first_model_had_in_its_cache_is_charged_as_read() -> None:
    long = [{"type": "text", "text": "word " * 5000, "cache_control": {"type": "ephemeral"}}]
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        warm = await post(bridge, body("Hi", system=long))
        assert warm.json["usage"]["cache_creation_input_tokens"] > 4500
        asked = body("lynx", system=long)
        token = (await refusal(bridge, asked))["stop_details"]["fallback_credit_token"]
        paid = (await post(bridge, retry(asked, token))).json["usage"]
        started = (await post(bridge, retry(asked, token, stream=True))).events[0]["message"]["usage"]
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        unpaid = (await post(bridge, {**asked, "model": HAIKU})).json["usage"]
    assert paid["fallback_credit"] == {"status": {"type": "redeemed"}} == started["fallback_credit"]
    assert "fallback_credit" not in unpaid
    created, read = "cache_creation_input_tokens", "cache_read_input_tokens"
    assert unpaid[created] > 4500
    assert (paid[created], paid[read]) == (0, unpaid[created])
    assert paid["input_tokens"] == unpaid["input_tokens"]


@pytest.mark.promise("fallbacks.credit")
async def test_a_prefix_that_was_not_in_the_cache_is_paid_for() -> None:
    long = [{"type": "text", "text": "word " * 5000, "cache_control": {"type": "ephemeral"}}]
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        asked = body("lynx", system=long)
        token = (await refusal(bridge, asked))["stop_details"]["fallback_credit_token"]
        usage = (await post(bridge, retry(asked, token))).json["usage"]
    assert usage["fallback_credit"] == {"status": {"type": "redeemed"}}
    assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"] > 4500) == (0, True)


@pytest.mark.promise("fallbacks.credit")
async def test_a_model_that_takes_no_prefill_goes_on_from_a_refused_reply() -> None:
    async with scripted_app(SCRIPT, guard=(SECRET,)) as bridge:
        asked = body("A poem.")
        first = await refusal(bridge, asked)
        said = {"role": "assistant", "content": first["content"]}
        token = first["stop_details"]["fallback_credit_token"]
        target = {"model": "claude-opus-4-7", "thinking": {"type": "adaptive"}}
        assert (await post(bridge, {**asked, **target, "messages": [*asked["messages"], said]})).status == 400
        mismatched = await post(bridge, retry(asked, token, said, **target))
        assert "does not match" in mismatched.json["error"]["message"]
        del target["thinking"]
        reply = (await post(bridge, retry(asked, token, said, **target))).json
        exact = (await post(bridge, retry(asked, token))).json
    assert reply["stop_reason"] == "end_turn"
    assert reply["usage"]["fallback_credit"] == {"status": {"type": "redeemed"}} == exact["usage"]["fallback_credit"]


@pytest.mark.promise("fallbacks.credit")
async def test_a_refusal_behind_tools_of_the_server_is_redeemed_by_going_on_alone() -> None:
    script = says(search("cats"), "^find$", times=1) + says("A secret.", times=1) + says("Done.")
    async with engine_app(ScriptedEngine(MODEL, script), runs=[ScriptedTool()], guard=(SECRET,)) as bridge:
        asked = body("find", max_tokens=200, tools=[SEARCH])
        first = await refusal(bridge, asked)
        token = first["stop_details"]["fallback_credit_token"]
        exact = await post(bridge, retry(asked, token))
        gone_on = await post(bridge, retry(asked, token, {"role": "assistant", "content": first["content"]}))
    message = "fallback_credit_token: must be redeemed by continuing the partial response"
    assert (exact.status, exact.json["error"]["message"]) == (400, message)
    assert gone_on.json["usage"]["fallback_credit"] == {"status": {"type": "redeemed"}}


@pytest.mark.promise("fallbacks.credit-refused")
@pytest.mark.parametrize(
    ("change", "later", "reason", "message"),
    [
        ({"system": "Other."}, 0, "body_mismatch", "the request body of the retry does not match"),
        ({"model": OPUS}, 0, "invalid_target_model", f"is not valid for model '{OPUS}'"),
        ({}, 300, "expired", "has expired"),
    ],
)
async def test_a_token_that_does_not_hold_is_refused_or_told(
    change: Json, later: float, reason: str, message: str
) -> None:
    clock = FixedClock()
    async with scripted_app(SCRIPT, clock, guard=(LYNX,)) as bridge:
        token = (await refusal(bridge, body()))["stop_details"]["fallback_credit_token"]
        clock.time += later
        strict = await post(bridge, retry(body(), token, **change))
        object_ = await post(bridge, retry(body(), {"token": token}, **change))
        lenient = await post(bridge, retry(body(), best(token), **change))
    assert strict.status == 400
    assert strict.json["error"]["message"].startswith("fallback_credit_token: ")
    assert message in strict.json["error"]["message"] == object_.json["error"]["message"]
    assert lenient.json["usage"]["fallback_credit"] == {"status": {"type": "not_applied", "reason": reason}}


@pytest.mark.promise("fallbacks.credit-refused")
@pytest.mark.parametrize(
    ("change", "beta", "message"),
    [
        ({"fallback_credit_token": best("abc")}, CREDIT, "fallback_credit_token: invalid or malformed"),
        (
            {"fallbacks": [{"model": "claude-opus-4-7"}]},
            f"{CREDIT},server-side-fallback-2026-07-01",
            "fallback_credit_token: cannot be combined with `fallbacks`",
        ),
        ({}, None, "fallback_credit_token: Extra inputs are not permitted"),
        (
            {"fallback_credit_token": best("abc")},
            "fallback-credit-2026-06-01",
            "fallback_credit_token: Input should be a valid string",
        ),
    ],
)
async def test_what_is_wrong_with_a_token_itself_is_refused_in_any_mode(
    change: Json, beta: str | None, message: str
) -> None:
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        token = (await refusal(bridge, body()))["stop_details"]["fallback_credit_token"]
        answer = await post(bridge, retry(body(), best(token), **change), beta)
    assert (answer.status, answer.json["error"]["message"]) == (400, message)


@pytest.mark.promise("fallbacks.credit-refused")
async def test_headers_are_part_of_the_request_but_for_those_of_fallbacks() -> None:
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        token = await refusal(bridge, body(), f"{CREDIT},server-side-fallback-2026-07-01,context-1m-2025-08-07")
        token = token["stop_details"]["fallback_credit_token"]
        assert (await post(bridge, retry(body(), token), f"{CREDIT},context-1m-2025-08-07")).status == 200
        assert (await post(bridge, retry(body(), token))).status == 400


async def read_by_the_sdk(bridge: Bridge, asked: Json, *middleware: Any) -> list[Json]:
    """The reply as the official SDK reads it, in one piece and streamed."""
    transport = httpx2.ASGITransport(app=bridge.app)
    async with httpx2.AsyncClient(transport=transport) as http:
        client: Any = AsyncAnthropic(
            api_key="any", base_url="http://localhost", http_client=http, middleware=[*middleware]
        )
        whole = await client.beta.messages.create(**asked)
        async with client.beta.messages.stream(**asked) as stream:
            return [whole.to_dict(), (await stream.get_final_message()).to_dict()]


@pytest.mark.promise("fallbacks.middleware")
@pytest.mark.parametrize(("said", "before"), [("lynx", []), ("A poem.", ["text"])])
async def test_the_sdks_own_fallbacks_end_with_one_message(said: str, before: list[str]) -> None:
    async with scripted_app(SCRIPT, guard=(LYNX, SECRET)) as bridge:
        whole, streamed = await read_by_the_sdk(bridge, body(said), BetaRefusalFallbackMiddleware([{"model": HAIKU}]))
    for message, kinds in ((whole, []), (streamed, before)):
        assert (message["model"], message["stop_reason"]) == (HAIKU, "end_turn")
        assert [block["type"] for block in message["content"]] == [*kinds, "fallback", "text"]
    assert [one["type"] for one in streamed["usage"]["iterations"]] == ["message", "fallback_message"]


@pytest.mark.promise("fallbacks.before-output", "fallbacks.mid-output")
@pytest.mark.parametrize("said", ["lynx", "A poem."])
async def test_the_sdk_reads_replies_with_fallbacks(said: str) -> None:
    asked = {**body(said), "fallbacks": [{"model": HAIKU}], "betas": ["server-side-fallback-2026-07-01"]}
    async with scripted_app(SCRIPT, guard=(LYNX, SECRET)) as bridge:
        messages = await read_by_the_sdk(bridge, asked)
    for message in messages:
        assert (message["model"], message["stop_reason"]) == (HAIKU, "end_turn")
        [hop] = [block for block in message["content"] if block["type"] == "fallback"]
        assert (hop["from"]["model"], hop["to"]["model"], hop["trigger"]["type"]) == (OPUS, HAIKU, "refusal")
        entries = [(one["type"], one["model"]) for one in message["usage"]["iterations"]]
        assert entries == [("message", OPUS), ("fallback_message", HAIKU)]


@pytest.mark.promise("fallbacks.credit")
async def test_a_refusal_in_a_batch_leaves_no_token(tmp_path: Path) -> None:
    async with app(tmp_path, SCRIPT, guard=(LYNX,)) as server:
        client = Client(server.bridge)
        row = request("a", messages=body()["messages"], model=OPUS)
        batch = await client.create(row, headers={"anthropic-beta": CREDIT})
        result = (await client.results(batch))["a"]
    assert result["message"]["stop_details"] == {"type": "refusal", "category": "cyber", "explanation": None}

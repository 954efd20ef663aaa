"""`antiphon-debug: explain`: a running server says what a request comes to, and no model runs."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from antiphon.config import LimitRule
from antiphon.testing import Bridge, engine_app
from antiphon.testing.bridge import WAIT
from tests.web.thinking_app import WatchedEngine
from tests.web.threads import CREATE, THREADS, go_on, user

SCRIPT = '[[reply]]\ntext = "Hello."\n'
EXPLAIN = {"antiphon-debug": "explain"}
REQUEST: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 100,
    "system": "You are brief.",
    "messages": [{"role": "user", "content": "Hi"}],
}
CURIOUS = {
    "name": "tell",
    "input_schema": {"type": "object", "properties": {"a": {"type": "string", "pattern": r"(a)\1"}}},
}


@asynccontextmanager
async def serving(**options: Any) -> AsyncGenerator[tuple[Bridge, WatchedEngine]]:
    engine = WatchedEngine("script", SCRIPT)
    async with engine_app(engine, **options) as bridge:
        yield bridge, engine


def seen_from(bridge: Bridge, host: str | None) -> Bridge:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await bridge.app({**scope, "client": None if host is None else (host, 1)}, receive, send)

    return Bridge(app)


@pytest.mark.promise("explain.header")
async def test_a_request_with_the_header_is_explained_and_no_model_runs() -> None:
    async with serving() as (bridge, engine):
        explained = await bridge.post({**REQUEST, "stream": True}, headers=EXPLAIN)
        assert engine.asked == []
        await bridge.post(REQUEST)
    [generation] = engine.asked
    assert (explained.status, explained.headers["content-type"]) == (200, "application/json")
    assert explained.json["answered"]
    found = explained.json["explanation"]
    assert "".join(stretch["text"] for stretch in found["stretches"]) == generation.prompt.text
    assert found["by_block"]["system"] == 4


@pytest.mark.promise("explain.header-refusals")
async def test_what_would_be_refused_is_refused_with_the_header_too() -> None:
    wrong = {**REQUEST, "max_tokens": 0.5}
    async with serving(api_keys=("sk-1",)) as (bridge, _):
        for body, key in ((REQUEST, "sk-2"), (wrong, "sk-1"), ({**REQUEST, "model": "none"}, "sk-1")):
            plain = await bridge.post(body, headers={"x-api-key": key})
            explained = await bridge.post(body, headers={"x-api-key": key, **EXPLAIN})
            assert plain.status in (400, 401, 404)
            assert (explained.status, explained.json["error"]) == (plain.status, plain.json["error"])


@pytest.mark.promise("explain.header-refusals")
async def test_another_value_is_a_400_that_names_what_there_is() -> None:
    async with serving() as (bridge, engine):
        answer = await bridge.post(REQUEST, headers={"antiphon-debug": "trace"})
    assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error")
    assert answer.json["error"]["message"] == "antiphon-debug: there is 'explain', and not 'trace'"
    assert engine.asked == []


@pytest.mark.promise("explain.header-here-alone")
@pytest.mark.parametrize(
    ("peer", "forwarded", "status"),
    [
        ("::1", None, 200),
        ("127.0.0.1", "127.0.0.1", 200),
        ("192.0.2.7", None, 403),
        ("192.0.2.7", "127.0.0.1", 403),
        ("127.0.0.1", "192.0.2.7", 403),
        ("10.1.0.9", "127.0.0.1", 403),
        (None, None, 403),
    ],
    ids=["here", "a proxy for here", "elsewhere", "a lie", "a proxy's", "a trusted proxy elsewhere", "nobody knows"],
)
async def test_only_callers_on_the_machine_itself_are_told(
    peer: str | None, forwarded: str | None, status: int
) -> None:
    async with serving(trusted_proxies=("127.0.0.0/8", "10.1.0.0/16")) as (bridge, _):
        said = {"x-forwarded-for": forwarded} if forwarded else {}
        answer = await seen_from(bridge, peer).post(REQUEST, headers={**EXPLAIN, **said})
    assert answer.status == status
    if status == 403:
        assert answer.json["error"]["type"] == "permission_error"


@pytest.mark.promise("explain.header")
async def test_what_is_explained_counts_against_no_limit() -> None:
    async with serving(limits=(LimitRule("all", requests_per_minute=1),)) as (bridge, _):
        statuses = [(await bridge.post(REQUEST, headers=EXPLAIN)).status for _ in range(3)]
        statuses += [(await bridge.post(REQUEST)).status for _ in range(2)]
    assert statuses == [200, 200, 200, 200, 429]


@pytest.mark.promise("explain.header")
async def test_a_thread_that_was_explained_can_be_gone_on_with() -> None:
    beta = {"anthropic-beta": THREADS}
    async with serving() as (bridge, engine):
        first = {**REQUEST, **CREATE}
        reply = (await bridge.post(first, headers=beta)).json
        second = go_on(reply, first, user("And now?"))
        explained = await bridge.post(second, headers={**beta, **EXPLAIN})
        answered = await bridge.post(second, headers=beta)
    assert answered.status == 200
    assert explained.json["explanation"]["tokens"] == len(engine.asked[-1].prompt.tokens)


@pytest.mark.promise("explain.refusals")
async def test_warnings_are_those_of_the_request_itself() -> None:
    async with serving() as (bridge, _):
        asking = asyncio.create_task(bridge.post({**REQUEST, "tools": [CURIOUS]}, headers=EXPLAIN))
        async with asyncio.timeout(WAIT):
            while not asking.done():
                logging.getLogger("antiphon.other").warning("Something else.")
                await asyncio.sleep(0.001)
        explained = asking.result()
        [warning] = explained.json["warnings"]
        strange = await bridge.post(REQUEST, headers={**EXPLAIN, "anthropic-beta": "no-such-beta-2030-01-01"})
    assert warning.startswith("tools: calls of tell are not kept to all of its schema")
    assert strange.json["error_at_the_api"]["type"] == "invalid_request_error"

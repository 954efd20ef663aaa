"""Attempts of several models at one reply: what each of them takes, and where none is made."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from antiphon.config import LimitRule
from antiphon.engines.scripted import ScriptedEngine
from antiphon.errors import EngineFull
from antiphon.ports.engine import EngineOutput, Generation
from antiphon.testing import engine_app, scripted_app
from antiphon.testing.app import MODEL
from tests.service.server_tools import ScriptedTool
from tests.web.falling_back import HAIKU, HEADER, LYNX, OPUS, SCRIPT, SECRET, SONNET, ask, body
from tests.web.searching_app import SEARCH, says, search
from tests.web.test_keys import app
from tests.web.usage_app import DAY, report, reported, results


@pytest.mark.promise("fallbacks.limits")
async def test_a_limit_of_the_first_model_is_no_reason_to_ask_another() -> None:
    rule = LimitRule("all", models=(OPUS,), requests_per_minute=1)
    async with scripted_app(SCRIPT, guard=(LYNX,), limits=(rule,)) as bridge:
        await ask(bridge, body("Hi"))
        assert (await bridge.post(body("lynx"), headers={"anthropic-beta": HEADER})).status == 429


@pytest.mark.promise("fallbacks.limits")
@pytest.mark.parametrize("stream", [False, True])
async def test_where_a_limit_stops_the_next_model_the_refusal_recommends_it(stream: bool) -> None:
    rule = LimitRule("all", models=(HAIKU,), requests_per_minute=1)
    async with scripted_app(SCRIPT, guard=(LYNX,), limits=(rule,)) as bridge:
        assert (await ask(bridge, body("lynx"))).json["stop_reason"] == "end_turn"
        answer = await ask(bridge, body("lynx", stream=stream))
    said = answer.events[-2]["delta"] if stream else answer.json
    model = answer.events[0]["message"]["model"] if stream else answer.json["model"]
    assert (said["stop_reason"], said["stop_details"]["recommended_model"], model) == ("refusal", HAIKU, OPUS)
    assert said["stop_details"]["category"] == "cyber"


@pytest.mark.promise("fallbacks.limits", "guard.free")
async def test_what_is_declined_before_a_word_takes_nothing_from_the_limits_of_its_model() -> None:
    rules = (LimitRule("all", models=(OPUS,), requests_per_minute=1, input_tokens_per_minute=50),)
    async with scripted_app(SCRIPT, guard=(LYNX,), limits=rules) as bridge:
        for _ in range(3):
            assert (await ask(bridge, body("lynx"))).json["model"] == HAIKU
        plain = body("lynx")
        del plain["fallbacks"]
        assert (await bridge.post(plain)).json["stop_reason"] == "refusal"
        assert (await ask(bridge, body("Hi"))).json["model"] == OPUS
        assert (await bridge.post(body("Hi"), headers={"anthropic-beta": HEADER})).status == 429


class FullEngine(ScriptedEngine):
    """It has no room."""

    async def generate(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        if self.card.id:
            raise EngineFull("no slot", retry_after=1.0)
        async for output in super().generate(work):
            yield output


@pytest.mark.promise("fallbacks.limits")
@pytest.mark.parametrize("stream", [False, True])
async def test_an_engine_without_room_leaves_the_refusal_as_it_was(stream: bool) -> None:
    engines = ScriptedEngine(MODEL, SCRIPT), FullEngine("full", SCRIPT)
    async with engine_app(*engines, guard=(LYNX,), routes={HAIKU: ("full",)}) as bridge:
        answer = await ask(bridge, body("lynx", stream=stream))
        direct = await bridge.post(body("lynx", model=HAIKU, fallbacks=None), headers={"anthropic-beta": HEADER})
    assert direct.status == 529
    said = answer.events[-2]["delta"] if stream else answer.json
    model = answer.events[0]["message"]["model"] if stream else answer.json["model"]
    assert (said["stop_reason"], said["stop_details"]["recommended_model"], model) == ("refusal", HAIKU, OPUS)
    assert (answer.events[-2]["usage"] if stream else answer.json["usage"])["output_tokens"] == 0
    # Nobody went on: no block says so.
    assert len(answer.events) == 3 if stream else answer.json["content"] == []


@pytest.mark.promise("fallbacks.tools")
@pytest.mark.parametrize("stream", [False, True])
async def test_where_the_servers_tools_have_run_the_refusal_stands(stream: bool) -> None:
    script = says(search("cats"), "^find$", times=1) + says("A secret.")
    async with engine_app(ScriptedEngine(MODEL, script), runs=[ScriptedTool()], guard=(SECRET,)) as bridge:
        asked = body("find", stream=stream, max_tokens=200, tools=[SEARCH])
        answer = await ask(bridge, asked)
    message = answer.events[-2]["delta"] if stream else answer.json
    assert message["stop_reason"] == "refusal"
    assert "recommended_model" in message["stop_details"]
    blocks = (
        [event["content_block"] for event in answer.events if event["type"] == "content_block_start"]
        if stream
        else answer.json["content"]
    )
    assert "fallback" not in {block["type"] for block in blocks}
    assert "web_search_tool_result" in {block["type"] for block in blocks}


@pytest.mark.promise("fallbacks.threads")
async def test_a_turn_that_another_model_wrote_is_not_kept() -> None:
    beta = f"{HEADER},message-threads-2026-08-12"
    async with scripted_app(SCRIPT, guard=(LYNX,)) as bridge:
        for said, status in (("Hi", 200), ("lynx", 404)):
            first = (await ask(bridge, body(said, thread={"type": "create"}), beta)).json
            more = body("Hi", thread={"type": "continue", "previous_message_id": first["id"]})
            assert (await bridge.post(more, headers={"anthropic-beta": beta})).status == status


@pytest.mark.promise("fallbacks.usage", "guard.free")
async def test_each_attempt_that_says_something_is_written_down_for_its_model(tmp_path: Path) -> None:
    async with app(tmp_path, SCRIPT, guard=(LYNX, SECRET)) as server:
        admin = await server.key("admin", admin=True)
        key = await server.key("one")
        headers = {"x-api-key": key, "anthropic-beta": HEADER}
        declined = (await server.bridge.post(body("lynx"), headers=headers)).json
        midway = (await server.bridge.post(body("A poem."), headers=headers)).json
        found = await report(server, admin, f"{DAY}&group_by[]=model")
    told = {result["model"]: reported(result) for result in results(found)}
    wrote = midway["usage"]["iterations"]
    assert told[OPUS].output == wrote[0]["output_tokens"]
    assert told[OPUS].uncached == wrote[0]["input_tokens"]
    served = declined["usage"], midway["usage"]
    assert told[HAIKU].output == sum(one["output_tokens"] for one in served)
    assert told[HAIKU].uncached == sum(one["input_tokens"] for one in served)


@pytest.mark.promise("fallbacks.limits")
async def test_where_one_request_may_be_open_at_once_its_attempts_are_one() -> None:
    rule = LimitRule("all", concurrency=1)
    async with scripted_app(SCRIPT, guard=(LYNX,), limits=(rule,)) as bridge:
        for _ in range(2):
            assert (await ask(bridge, body("lynx"))).json["model"] == HAIKU


@pytest.mark.promise("fallbacks.refused")
async def test_a_key_names_only_models_that_it_may_ask_for(tmp_path: Path) -> None:
    async with app(tmp_path, SCRIPT, guard=(LYNX,)) as server:
        key = await server.key("one", models=("claude-opus-*", "claude-sonnet-*"))
        headers = {"x-api-key": key, "anthropic-beta": HEADER}
        refused = await server.bridge.post(body("lynx"), headers=headers)
        assert "is not a valid fallback target" in refused.json["error"]["message"]
        assert (await server.bridge.post(body("lynx", SONNET), headers=headers)).json["model"] == SONNET
        listed = (await server.bridge.ask("GET", f"/v1/models/{OPUS}", headers=headers)).json
    assert SONNET in listed["allowed_fallback_models"]
    assert HAIKU not in listed["allowed_fallback_models"]

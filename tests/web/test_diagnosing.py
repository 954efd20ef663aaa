"""Why a prompt is not the earlier one's with more behind it, as clients that ask are told."""

from typing import Any, Final

import pytest

from antiphon.testing import Bridge
from tests.web.conftest import Starter

Json = dict[str, Any]

OPUS: Final = "claude-opus-4-8"
HISTORY: Final[list[Json]] = [
    {"role": "user", "content": "First words. " * 50},
    {"role": "assistant", "content": "An answer."},
    {"role": "user", "content": "More words. " * 50},
]
TOOL: Final[Json] = {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}


def request(before: str | None, **more: Any) -> Json:
    asked: Json = {
        "model": OPUS,
        "max_tokens": 10,
        "system": "Be brief.",
        "messages": HISTORY,
        "tools": [TOOL],
        "diagnostics": {"previous_message_id": before},
        **more,
    }
    return {key: value for key, value in asked.items() if value is not None}


async def first(bridge: Bridge, **more: Any) -> str:
    message = (await bridge.post(request(None, **more))).json
    assert message["diagnostics"] is None
    return message["id"]


async def reason(bridge: Bridge, asked: Json, **options: Any) -> Any:
    message = (await bridge.post(asked, **options)).json
    return None if message["diagnostics"] is None else message["diagnostics"]["cache_miss_reason"]


@pytest.mark.promise("cache.diagnostics")
async def test_nothing_is_amiss_with_a_conversation_that_goes_on(bridge: Bridge) -> None:
    earlier = await first(bridge)
    more = [*HISTORY, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "On."}]
    assert await reason(bridge, request(earlier)) is None
    assert await reason(bridge, request(earlier, messages=more)) is None


@pytest.mark.promise("cache.diagnostics")
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"model": "claude-opus-5"}, "model_changed"),
        ({"system": "Be long."}, "system_changed"),
        ({"tools": [{**TOOL, "description": "Sees."}]}, "tools_changed"),
        ({"tools": None}, "tools_changed"),
        ({"messages": [{"role": "user", "content": "Other words."}]}, "messages_changed"),
        ({"messages": HISTORY[:1]}, "messages_changed"),
        ({"model": "claude-opus-5", "system": "Be long.", "tools": None}, "model_changed"),
        ({"system": "Be long.", "messages": HISTORY[:1]}, "system_changed"),
    ],
    ids=str,
)
async def test_the_first_thing_that_changed_is_named(bridge: Bridge, change: Json, kind: str) -> None:
    earlier = await first(bridge)
    found = await reason(bridge, request(earlier, **change))
    assert found["type"] == kind
    assert found["cache_missed_input_tokens"] >= 0


@pytest.mark.promise("cache.diagnostics")
async def test_what_it_cost_is_what_stands_behind_the_change(bridge: Bridge) -> None:
    earlier = await first(bridge)
    changed = [*HISTORY[:2], {"role": "user", "content": "Other words. " * 50}]
    found = await reason(bridge, request(earlier, messages=changed))
    counted = {
        key: value
        for key, value in request(None, messages=changed).items()
        if key not in ("max_tokens", "diagnostics")
    }
    total = (await bridge.ask("POST", "/v1/messages/count_tokens", counted)).json["input_tokens"]
    assert 100 < found["cache_missed_input_tokens"] < 220
    whole = await reason(bridge, request(earlier, model="claude-opus-5"))
    assert whole["cache_missed_input_tokens"] >= total - 10


@pytest.mark.promise("cache.diagnostics")
@pytest.mark.parametrize(
    ("change", "headers"),
    [
        ({"tool_choice": {"type": "any"}}, {}),
        ({"thinking": {"type": "adaptive"}}, {}),
        ({"output_config": {"effort": "low"}}, {}),
        ({}, {"anthropic-beta": "context-management-2025-06-27"}),
    ],
    ids=str,
)
async def test_settings_that_differ_make_the_comparison_unavailable(
    bridge: Bridge, change: Json, headers: dict[str, str]
) -> None:
    earlier = await first(bridge)
    assert await reason(bridge, request(earlier, **change), headers=headers) == {"type": "unavailable"}


@pytest.mark.promise("cache.diagnostics")
async def test_a_reply_that_nobody_knows_is_not_found(start: Starter) -> None:
    bridge = await start(api_keys=("one", "two"))
    one, two = {"x-api-key": "one"}, {"x-api-key": "two"}
    message = (await bridge.post(request(None), headers=one)).json
    assert await reason(bridge, request(message["id"]), headers=two) == {"type": "previous_message_not_found"}
    assert await reason(bridge, request("msg_0"), headers=one) == {"type": "previous_message_not_found"}
    unasked = (await bridge.post({**request(None), "diagnostics": None}, headers=one)).json
    assert await reason(bridge, request(unasked["id"]), headers=one) == {"type": "previous_message_not_found"}


@pytest.mark.promise("cache.diagnostics")
async def test_a_stream_says_it_when_it_opens(bridge: Bridge) -> None:
    earlier = await first(bridge)
    events = (await bridge.post(request(earlier, system="Be long.", stream=True))).events
    assert events[0]["message"]["diagnostics"]["cache_miss_reason"]["type"] == "system_changed"

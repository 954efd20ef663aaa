"""What is accepted from a known client that cannot do better, and what a model's own name opens."""

from typing import Any

import pytest

from antiphon.request.accommodations import ACCOMMODATIONS
from antiphon.testing import Answer
from tests.web.conftest import Starter
from tests.web.test_thinking import CALLS, LOOK, with_result
from tests.web.thinking_app import MODEL, ThinkingApp, ask

AGENT = "claude-cli/2.1.197 (external, sdk-cli)"
EXPECTED = "Expected `thinking` or `redacted_thinking`, but found `tool_use`"
NEWER = {"anthropic-version": "2026-10-21"}


async def tool_loop(app: ThinkingApp, agent: str | None) -> Answer:
    """The second request of a tool loop, as it comes from a client that drops the thought."""
    asked: list[dict[str, Any]] = [{"role": "user", "content": "Look."}]
    message = await app.reply(ask(asked, tools=[LOOK]))
    assert [block["type"] for block in message["content"]] == ["thinking", "tool_use"]
    history = [*asked, {"role": "assistant", "content": message["content"][1:]}]
    return await app.bridge.post(ask(with_result(history), tools=[LOOK]), headers={"user-agent": agent})


@pytest.mark.promise("clients.accommodations")
@pytest.mark.parametrize("agent", [AGENT, "claude-cli/1.0.0", "claude-cli/2.1.329 (external, cli)", "claude-cli/2.1"])
async def test_a_coding_agent_that_drops_the_thought_of_its_tool_loop_goes_on(agent: str) -> None:
    async with ThinkingApp(CALLS) as app:
        answer = await tool_loop(app, agent)
        assert answer.status == 200, answer.body
        assert answer.json["content"]


@pytest.mark.promise("clients.accommodations")
@pytest.mark.parametrize(
    "agent",
    [
        *(None, "", "Anthropic/Python 2.12.0", "curl/8.0", "x claude-cli/2.1.197", "claude-cli"),
        *("claude-cli/2.1.330 (external, sdk-cli)", "claude-cli/3.0.0", "claude-cli/x", f"claude-cli/{'1' * 5000}"),
    ],
)
async def test_the_documented_400_stands_for_everybody_else(agent: str | None) -> None:
    async with ThinkingApp(CALLS) as app:
        answer = await tool_loop(app, agent)
        assert answer.status == 400
        assert EXPECTED in answer.json["error"]["message"]


@pytest.mark.promise("clients.accommodations")
async def test_the_owner_can_switch_all_accommodations_off() -> None:
    async with ThinkingApp(CALLS, accommodations=False) as app:
        answer = await tool_loop(app, AGENT)
        assert answer.status == 400
        assert EXPECTED in answer.json["error"]["message"]


def test_every_row_of_the_table_says_what_why_and_until_when() -> None:
    for row in ACCOMMODATIONS:
        assert row.client
        assert row.agent == row.agent.lower()
        assert row.accepted.endswith(".")
        assert row.why.endswith(".")
        assert row.before


@pytest.mark.promise("versions.own-models-sample")
async def test_sampling_of_a_models_own_name_is_taken_in_both_versions(start: Starter) -> None:
    bridge = await start(aliases={"mine": "scripted"})
    for model in ("scripted", "mine"):
        for key, value in {"temperature": 0.5, "top_p": 0.5, "top_k": 3}.items():
            request = {
                "model": model,
                "max_tokens": 9,
                "messages": [{"role": "user", "content": "hello"}],
                key: value,
            }
            assert (await bridge.post(request)).status == 200
            assert (await bridge.post(request, headers=NEWER)).status == 200
            answer = await bridge.post({**request, key: -1}, headers=NEWER)
            assert answer.json["error"]["message"].startswith(f"{key}: ")
            assert "Extra inputs" not in answer.json["error"]["message"]


@pytest.mark.promise("versions.own-models-sample")
@pytest.mark.parametrize("model", [MODEL, "nobody", 5])
async def test_the_newer_version_has_no_sampling_under_any_other_name(start: Starter, model: Any) -> None:
    request = {"max_tokens": 9, "messages": [{"role": "user", "content": "hello"}], "temperature": 1, "model": model}
    answer = await (await start()).post(request, headers=NEWER)
    text = "model: Input should be a valid string" if model == 5 else "temperature: Extra inputs are not permitted"
    assert answer.json["error"]["message"] == text


@pytest.mark.promise("strict.refused-as-the-api-refuses", "strict.more-than-the-documented-subset")
async def test_the_owner_can_have_the_wider_guarantee_of_strict_schemas(start: Starter) -> None:
    schema = {
        "type": "object",
        "properties": {"days": {"type": "integer", "minimum": 1}},
        "required": ["days"],
        "additionalProperties": False,
    }
    tool = {"name": "plan", "strict": True, "input_schema": schema}
    request = {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}], "tools": [tool]}
    answer = await (await start()).post(request)
    text = "tools.0.custom: For 'integer' type, property 'minimum' is not supported"
    assert (answer.status, answer.json["error"]["message"]) == (400, text)
    assert (await (await start()).post({**request, "model": "scripted"})).status == 200
    assert (await (await start(extended_schemas=True)).post(request)).status == 200

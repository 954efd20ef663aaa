"""Everything that a request may hold is let through, and comes out as it went in."""

from itertools import chain
from typing import Any

import orjson
import pytest

from antiphon.request.intake import parse_count
from antiphon.wire.base import WireModel
from antiphon.wire.content.blocks import Block, ResultContent, ToolUseBlock
from antiphon.wire.request import CountTokens, CreateMessage
from antiphon.wire.tools.definitions import CustomTool, Tool
from tests.wire.requests import accepted, body, headers, holding
from tests.wire.samples import BETA_BLOCKS, BLOCKS, Json
from tests.wire.tool_samples import BETA_FIELDS, BETA_TOOLS, FIELDS, TOOLS

EVERY_BLOCK = {name: (block, "") for name, block in BLOCKS.items()} | BETA_BLOCKS

EVERY_TOOL = {name: (tool, "") for name, tool in TOOLS.items()} | BETA_TOOLS

EVERY_FIELD = [(key, value, "") for key, values in FIELDS.items() for value in values] + BETA_FIELDS


def back(model: WireModel) -> Any:
    """The value as JSON, with the keys that were given."""
    return model.model_dump(exclude_unset=True, by_alias=True)


@pytest.mark.promise("intake.every-block")
@pytest.mark.parametrize(("block", "betas"), EVERY_BLOCK.values(), ids=EVERY_BLOCK.keys())
def test_every_kind_of_block_is_accepted_and_kept(block: Json, betas: str):
    request = accepted(body(messages=holding(block)), headers(betas))
    assert back(request)["messages"] == holding(block)


@pytest.mark.promise("intake.every-tool")
@pytest.mark.parametrize(("tool", "betas"), EVERY_TOOL.values(), ids=EVERY_TOOL.keys())
def test_every_type_of_tool_is_accepted_and_kept(tool: Json, betas: str):
    request = accepted(body(tools=[tool]), headers(betas))
    assert back(request)["tools"] == [{**tool, "type": tool.get("type") or "custom"}]


@pytest.mark.promise("intake.every-field")
@pytest.mark.parametrize(("key", "value", "betas"), EVERY_FIELD)
def test_every_key_of_the_top_level_is_accepted_and_kept(key: str, value: Any, betas: str):
    request = accepted(body(**{key: value}), headers(betas))
    assert back(request)[key] == value


@pytest.mark.promise("intake.every-block", "intake.every-tool", "intake.every-field")
def test_no_kind_is_without_a_sample():
    def tags(union: Any) -> set[str]:
        members: tuple[type[WireModel], ...] = union.__args__[0].__args__
        types: list[Any] = [member.model_fields["type"].annotation for member in members]
        # What an owner has added is of any type.
        return set(chain(*(kind.__args__ for kind in types if kind is not str)))

    blocks = {block["type"] for block, _ in EVERY_BLOCK.values()}
    results = (BLOCKS["tool_result"], BLOCKS["tool_result of hits"])
    inner = {block["type"] for result in results for block in result["content"]}
    assert tags(Block) == blocks
    assert tags(ResultContent) == inner
    assert len(blocks | inner) == 26
    assert tags(Tool) == {tool.get("type") or "custom" for tool, _ in EVERY_TOOL.values()}
    assert len(tags(Tool)) == 30
    assert set(CreateMessage.model_fields) == {key for key, _, _ in EVERY_FIELD}


@pytest.mark.promise("intake.json-kept")
def test_the_clients_own_json_keeps_its_keys_and_their_order():
    value = {"z": 1, "a": {"y": [None, True, {"x": 1.5}], "b": "é"}, "m": {}}
    schema = {"type": "object", "properties": {"z": {"default": value}, "a": {}}, "x-own": value, "required": ["z"]}
    request = accepted(
        body(
            messages=holding({"type": "tool_use", "id": "a", "name": "a", "input": value}),
            tools=[{"name": "a", "input_schema": schema, "input_examples": [value]}],
        )
    )
    call = request.messages[0].content[0]
    assert isinstance(call, ToolUseBlock)
    assert orjson.dumps(call.input) == orjson.dumps(value)
    assert request.tools is not None
    tool = request.tools[0]
    assert isinstance(tool, CustomTool)
    assert orjson.dumps(tool.input_schema) == orjson.dumps(schema)
    assert orjson.dumps(tool.input_examples) == orjson.dumps([value])


@pytest.mark.promise("intake.count-tokens")
@pytest.mark.parametrize(
    ("key", "value", "betas"), [field for field in EVERY_FIELD if field[0] in CountTokens.model_fields]
)
def test_counting_takes_the_keys_that_make_up_a_prompt(key: str, value: Any, betas: str):
    request = {**body(**{key: value}), "max_tokens": None}
    del request["max_tokens"]
    counted = parse_count(orjson.dumps(request), headers(betas))
    assert key in counted.model_fields_set


CODING_AGENT = {
    "model": "claude-opus-4-8",
    "max_tokens": 32_000,
    "stream": True,
    "system": [
        {"type": "text", "text": "x-nonce: 1"},
        {"type": "text", "text": "You are an agent.", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "Rules.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ],
    "metadata": {"user_id": '{"device_id":"d","account_uuid":"","session_id":"s"}'},
    "thinking": {"type": "adaptive", "display": "updates"},
    "output_config": {"effort": "high"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "tools": [{"name": "Read", "description": "d", "input_schema": {"type": "object"}, "defer_loading": True}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Go"}]},
        {"role": "system", "content": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "", "signature": "s"},
                {"type": "text", "text": "a", "citations": None},
                {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {}, "caller": {"type": "direct"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "content": [{"type": "tool_reference", "tool_name": "Read"}],
                    "cache_control": {"type": "ephemeral"},
                }
            ],
        },
        {"role": "system", "content": "s", "output_config": {"effort": "medium"}},
    ],
}

CODING_AGENT_BETAS = (
    "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,"
    "thinking-token-count-2026-05-13,effort-2025-11-24,token-counting-2024-11-01,"
    "mid-conversation-tool-changes-2026-07-01,advanced-tool-use-2025-11-20,thinking-display-updates-2026-08-18,"
    "per-turn-control-2026-07-01"
)

CLIENTS = {
    "a coding agent": (CODING_AGENT, headers(CODING_AGENT_BETAS)),
    "a tool runner's first request": (
        body(thread={"type": "create"}, tools=[{"name": "a", "input_schema": {"type": "object"}, "strict": True}]),
        headers("message-threads-2026-08-12", version="2026-10-21"),
    ),
    "a tool runner's next request": (
        body(
            messages=holding({"type": "tool_result", "tool_use_id": "toolu_1", "content": "a", "is_error": True}),
            thread={"type": "continue", "previous_message_id": "msg_1"},
        ),
        headers("message-threads-2026-08-12", version="2026-10-21"),
    ),
    "an older SDK's structured output": (
        body(output_format={"type": "json_schema", "schema": {"type": "object"}}, temperature=0.0),
        headers("structured-outputs-2025-12-15"),
    ),
    "a header that nobody knows": (body(), headers("no-such-beta-2031-01-01")),
    "a replayed search": (
        body(
            messages=holding(
                {
                    "type": "server_tool_use",
                    "id": "srvtoolu_1",
                    "name": "web_search",
                    "input": {"query": "a"},
                    "caller": {"type": "direct"},
                },
                {
                    "type": "web_search_tool_result",
                    "tool_use_id": "srvtoolu_1",
                    "content": [
                        {
                            "type": "web_search_result",
                            "url": "https://example.com",
                            "title": "T",
                            "encrypted_content": "e",
                            "page_age": None,
                        }
                    ],
                    "caller": {"type": "direct"},
                },
                role="assistant",
            )
        ),
        headers(),
    ),
}


@pytest.mark.promise("intake.client-shapes")
@pytest.mark.parametrize("name", CLIENTS)
def test_what_real_clients_send_is_accepted(name: str):
    request, context = CLIENTS[name]
    assert accepted(request, context).model == request["model"]

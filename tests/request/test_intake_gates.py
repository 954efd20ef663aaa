"""What the headers of a request unlock, each thing with its header and without."""

from typing import Any

import orjson
import pytest

from antiphon.request.intake import parse_count
from tests.wire.requests import accepted, body, headers, holding, refused
from tests.wire.samples import BETA_BLOCKS, Json
from tests.wire.tool_samples import BETA_FIELDS, BETA_TOOLS

NAMES_ITS_HEADER = {"compaction": "`compaction` requires anthropic-beta: compact-2026-09-04"}

NONE_MATCHES = "does not match any of the expected tags: "


@pytest.mark.promise("intake.gates")
@pytest.mark.parametrize(("block", "betas"), BETA_BLOCKS.values(), ids=BETA_BLOCKS.keys())
def test_a_block_in_beta_is_an_unknown_tag_without_its_header(block: Json, betas: str):
    request = body(messages=holding(block))
    accepted(request, headers(betas))
    message = refused(request)
    assert message.startswith(f"messages.0.content.0: Input tag '{block['type']}' found using 'type' {NONE_MATCHES}")
    assert f"'{block['type']}'" not in message.partition(NONE_MATCHES)[2]


@pytest.mark.promise("intake.gates")
@pytest.mark.parametrize(("tool", "betas"), BETA_TOOLS.values(), ids=BETA_TOOLS.keys())
def test_a_tool_in_beta_is_an_unknown_tag_without_its_header(tool: Json, betas: str):
    request = body(tools=[tool])
    accepted(request, headers(betas))
    message = refused(request)
    assert message.startswith(f"tools.0: Input tag '{tool['type']}' found using 'type' {NONE_MATCHES}")
    assert f"'{tool['type']}'" not in message.partition(NONE_MATCHES)[2]
    assert f"'{tool['type']}'" in refused(body(tools=[{"type": "x"}]), headers(betas))


@pytest.mark.promise("intake.gates")
@pytest.mark.parametrize(("key", "value", "betas"), BETA_FIELDS)
def test_a_key_in_beta_is_an_unknown_key_without_its_header(key: str, value: Any, betas: str):
    accepted(body(**{key: value}), headers(betas))
    unknown = f"{key}: Extra inputs are not permitted"
    assert refused(body(**{key: value})) == NAMES_ITS_HEADER.get(key, unknown)


INNER: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "output_config.task_budget",
        {"output_config": {"task_budget": {"type": "tokens", "total": 20_000, "remaining": None}}},
        "task-budgets-2026-03-13",
        "output_config.task_budget: Extra inputs are not permitted",
    ),
    (
        "thinking.enabled.block_binding",
        {"thinking": {"type": "enabled", "budget_tokens": 1024, "block_binding": None}},
        "thinking-binding-controls-2026-08-01",
        "thinking.enabled.block_binding: Extra inputs are not permitted",
    ),
    (
        "thinking.adaptive.block_binding",
        {"thinking": {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}},
        "thinking-binding-controls-2026-08-01",
        "thinking.adaptive.block_binding: Extra inputs are not permitted",
    ),
    (
        "display updates",
        {"thinking": {"type": "enabled", "budget_tokens": 1024, "display": "updates"}},
        "thinking-display-updates-2026-08-18",
        "thinking.enabled.display: Input should be 'summarized' or 'omitted'",
    ),
    (
        "clear_at",
        {"messages": [{"role": "system", "content": "a", "clear_at": "never"}]},
        "mid-conversation-system-clear-at-2026-08-21",
        "messages.0.clear_at: Extra inputs are not permitted",
    ),
    *(
        (
            f"a message's output_config, {header}",
            {"messages": [{"role": "system", "content": [], "output_config": {"effort": "low"}}]},
            header,
            "messages.0.output_config: Extra inputs are not permitted",
        )
        for header in ("mid-conversation-output-config-2026-07-01", "per-turn-control-2026-07-01")
    ),
    (
        "the advisor's calls",
        {
            "messages": holding(
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "advisor", "input": {}}, role="assistant"
            )
        },
        "advisor-tool-2026-03-01",
        "messages.0.content.0.server_tool_use.name: Input should be 'web_search', 'web_fetch', 'code_execution', "
        "'bash_code_execution', 'text_editor_code_execution', 'tool_search_tool_regex' or 'tool_search_tool_bm25'",
    ),
    (
        "the scope of a cache marker",
        {"cache_control": {"type": "ephemeral", "scope": "global"}},
        "prompt-caching-scope-2026-01-05",
        "cache_control.ephemeral.scope: Extra inputs are not permitted",
    ),
]


@pytest.mark.promise("intake.gates")
@pytest.mark.parametrize(("changes", "betas", "message"), [pytest.param(*row[1:], id=row[0]) for row in INNER])
def test_what_is_in_beta_inside_an_object_needs_its_header_too(changes: dict[str, Any], betas: str, message: str):
    accepted(body(**changes), headers(betas))
    assert refused(body(**changes)) == message


ACROSS: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "inline definitions under the header of tool changes",
        {"messages": holding(BETA_BLOCKS["tool_addition of a definition"][0], role="system")},
        "mid-conversation-tool-changes-2026-07-01",
        "messages.0.content.0.tool_addition.tool: Input tag 'tool_definition' found using 'type' "
        f"{NONE_MATCHES}'mcp_tool_reference', 'mcp_toolset_reference', 'tool_reference'",
    ),
    (
        "a definition in a removal",
        {"messages": holding({**BETA_BLOCKS["tool_addition of a definition"][0], "type": "tool_removal"})},
        "inline-tools-2026-09-15",
        "messages.0.content.0.tool_removal.tool: Input tag 'tool_definition' found using 'type' "
        f"{NONE_MATCHES}'mcp_tool_reference', 'mcp_toolset_reference', 'tool_reference'",
    ),
    (
        "tool_configuration under a later header",
        {"mcp_servers": [{"type": "url", "name": "s", "url": "https://example.com", "tool_configuration": None}]},
        "mcp-client-2025-11-20",
        "mcp_servers.0.tool_configuration: Extra inputs are not permitted",
    ),
    (
        "toolsets under the first header",
        {"tools": [{"type": "mcp_toolset", "mcp_server_name": "s"}]},
        "mcp-client-2025-04-04",
        f"tools.0: Input tag 'mcp_toolset' found using 'type' {NONE_MATCHES}",
    ),
    (
        "default fallbacks under the first header",
        {"fallbacks": "default"},
        "server-side-fallback-2026-06-01",
        "fallbacks: Input should be a valid array",
    ),
    (
        "a toolset beside fine-grained streaming",
        {"tools": [{"type": "computer_toolset_20260801"}]},
        "fine-grained-tool-streaming-2025-05-14",
        "tools.0.computer_toolset_20260801: a toolset entry cannot be combined with anthropic-beta: "
        "fine-grained-tool-streaming-2025-05-14",
    ),
]


@pytest.mark.promise("intake.gates")
@pytest.mark.parametrize(("changes", "betas", "start"), [pytest.param(*row[1:], id=row[0]) for row in ACROSS])
def test_each_header_unlocks_its_own_things_only(changes: dict[str, Any], betas: str, start: str):
    assert refused(body(**changes), headers(betas)).startswith(start)


NO_LONGER_IN_BETA: list[dict[str, Any]] = [
    {"output_config": {"format": {"type": "json_schema", "schema": {}}, "effort": "low"}},
    {"messages": [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]},
    {"messages": holding({"type": "document", "source": {"type": "file", "file_id": "file_1"}})},
    {"tools": [{"name": "a", "input_schema": {"type": "object"}, "defer_loading": True, "input_examples": [{}]}]},
    {"tools": [{"type": "memory_20250818", "name": "memory"}]},
    {"tools": [{"type": "code_execution_20250522", "name": "code_execution"}]},
    {"cache_control": {"type": "ephemeral", "ttl": "1h"}},
    {"container": {"skills": [{"type": "anthropic", "skill_id": "pptx"}]}},
    {"speed": "fast", "diagnostics": {"previous_message_id": None}},
]


@pytest.mark.promise("intake.gates")
@pytest.mark.parametrize("changes", NO_LONGER_IN_BETA)
def test_what_left_beta_needs_no_header(changes: dict[str, Any]):
    accepted(body(**changes))


@pytest.mark.promise("intake.newer-version")
@pytest.mark.parametrize(("key", "value"), [("temperature", 1), ("top_p", 0.9), ("top_k", 5), ("temperature", None)])
def test_the_newer_version_knows_no_sampling_keys(key: str, value: Any):
    assert refused(body(**{key: value}), headers(version="2026-10-21")) == f"{key}: Extra inputs are not permitted"


@pytest.mark.promise("intake.count-tokens")
@pytest.mark.parametrize("key", ["max_tokens", "stream", "metadata", "temperature", "thread", "stop_sequences"])
def test_counting_knows_no_keys_of_the_reply(key: str):
    request: Json = {"model": "m", "messages": [], key: None}
    with pytest.raises(Exception, match=f"^{key}: Extra inputs are not permitted$"):
        parse_count(orjson.dumps(request), headers("message-threads-2026-08-12"))


@pytest.mark.promise("intake.gates")
def test_a_system_message_that_only_changes_settings_may_leave_out_its_content():
    directive: Json = {"role": "system", "output_config": {"effort": "low"}}
    unlocked = headers("mid-conversation-output-config-2026-07-01")
    assert accepted(body(messages=[directive]), unlocked).messages[0].content == []
    assert refused(body(messages=[directive])) == "messages.0.content: Field required"
    incomplete: list[Json] = [
        {**directive, "role": "user"},
        {"role": "system", "output_config": {}},
        {"role": "system"},
    ]
    for message in incomplete:
        assert refused(body(messages=[message]), unlocked) == "messages.0.content: Field required"

"""The recorded error texts about the shape of a request, word for word.

The letter of a row is the section of the error list that it comes from: A unknown keys, B top level, C messages,
D thinking, E tools, F tool calls, G caching and context management, H images and documents.
"""

from typing import Any

import pytest

from antiphon.wire.headers import Version
from tests.wire.requests import LEAVE_OUT, accepted, body, headers, holding, refused
from tests.wire.samples import TEXT

# A row: its name, the keys of the request that differ from a valid one, the message.
Table = list[tuple[str, dict[str, Any], str]]

OBJECT = {"type": "object"}

EDITS = "context-management-2025-06-27"

THINK = {"type": "thinking", "thinking": "a", "signature": "s"}

CALL: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "a", "input": {}}

COMPACTION = {"type": "compaction", "content": "a"}

BLOCK_TAGS = (
    "'bash_code_execution_tool_result', 'code_execution_tool_result', 'container_upload', 'document', 'image', "
    "'redacted_thinking', 'search_result', 'server_tool_use', 'text', 'text_editor_code_execution_tool_result', "
    "'thinking', 'tool_result', 'tool_search_tool_result', 'tool_use', 'web_fetch_tool_result', "
    "'web_search_tool_result'"
)

TOOL_TAGS = (
    "'bash_20250124', 'browser_toolset_20260801', 'code_execution_20250522', 'code_execution_20250825', "
    "'code_execution_20260120', 'code_execution_20260521', 'computer_toolset_20260801', 'custom', "
    "'memory_20250818', 'text_editor_20250124', 'text_editor_20250429', 'text_editor_20250728', "
    "'tool_search_tool_bm25', 'tool_search_tool_bm25_20251119', 'tool_search_tool_regex', "
    "'tool_search_tool_regex_20251119', 'web_fetch_20250910', 'web_fetch_20260209', 'web_fetch_20260309', "
    "'web_fetch_20260318', 'web_search_20250305', 'web_search_20260209', 'web_search_20260318'"
)

EXPECTED = "does not match any of the expected tags:"

INVALID_SCHEMA = (
    "JSON schema is invalid. It must match JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12). "
    "Learn more about tool use at https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview."
)

NO_PROPERTIES: dict[str, Any] = {
    "of PHP": [],
    "that are a list": [{}],
    "that are a text": "a",
    "that are true": True,
}


def second(*blocks: Any) -> dict[str, Any]:
    """Blocks in a second message, an assistant's."""
    return {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": list(blocks)}]}


def tool(**changes: Any) -> dict[str, Any]:
    whole = {"name": "a", "input_schema": OBJECT, **changes}
    return {"tools": [{key: value for key, value in whole.items() if value is not LEAVE_OUT}]}


def schema(**keywords: Any) -> dict[str, Any]:
    return tool(input_schema={"type": "object", **keywords})


def image(source: Any) -> dict[str, Any]:
    return {"messages": holding({"type": "image", "source": source})}


TOP_LEVEL: Table = [
    ("A unknown key", {"campo_inventato_xyz": 1}, "campo_inventato_xyz: Extra inputs are not permitted"),
    ("A key of a locked beta", {"context_management": {}}, "context_management: Extra inputs are not permitted"),
    ("A fallbacks, locked", {"fallbacks": "default"}, "fallbacks: Extra inputs are not permitted"),
    ("B model missing", {"model": LEAVE_OUT}, "model: Field required"),
    ("B messages missing", {"messages": LEAVE_OUT}, "messages: Field required"),
    ("B max_tokens missing", {"max_tokens": LEAVE_OUT}, "max_tokens: Field required"),
    ("B model no string", {"model": 5}, "model: Input should be a valid string"),
    ("B model empty", {"model": ""}, "model: String should have at least 1 character"),
    ("B max_tokens no integer", {"max_tokens": "5"}, "max_tokens: Input should be a valid integer"),
    ("B max_tokens negative", {"max_tokens": -1}, "max_tokens: must be greater than or equal to 0"),
    ("B temperature no number", {"temperature": "1"}, "temperature: Input should be a valid number"),
    ("B temperature out of range", {"temperature": 1.5}, "temperature: range: 0..1"),
    ("B temperature below its range", {"temperature": -0.1}, "temperature: range: 0..1"),
    ("B top_p out of range", {"top_p": 2}, "top_p: range: 0..1"),
    ("B top_k no integer", {"top_k": 1.5}, "top_k: Input should be a valid integer"),
    ("B top_k negative", {"top_k": -1}, "top_k: must be greater than or equal to 0"),
    ("B stream no boolean", {"stream": "yes"}, "stream: Input should be a valid boolean"),
    ("B service_tier", {"service_tier": "batch"}, "service_tier: Input should be 'auto' or 'standard_only'"),
    ("B stop_sequences no list", {"stop_sequences": "a"}, "stop_sequences: Input should be a valid array"),
    ("B stop sequence no string", {"stop_sequences": [1]}, "stop_sequences.0: Input should be a valid string"),
    (
        "B blank stop sequence",
        {"stop_sequences": ["a", " \n"]},
        "stop_sequences: each stop sequence must contain non-whitespace",
    ),
    ("B metadata no object", {"metadata": "a"}, "metadata: Input does not match the expected shape."),
    ("B metadata unknown key", {"metadata": {"key": 1}}, "metadata.key: Extra inputs are not permitted"),
    ("B user_id no string", {"metadata": {"user_id": 1}}, "metadata.user_id: Input should be a valid string"),
    (
        "B user_id an address",
        {"metadata": {"user_id": "me@example.com"}},
        "metadata.user_id: user_id appears to contain an email address",
    ),
    ("B inference_geo no string", {"inference_geo": 5}, "inference_geo: Input should be a valid string"),
    ("B inference_geo unknown", {"inference_geo": "eu"}, "inference_geo: must be one of ['global', 'us']"),
    (
        "B container of another kind",
        {"container": 5},
        "container.ContainerParams: Input does not match the expected shape.",
    ),
    (
        "B container unknown key",
        {"container": {"x": 1}},
        "container.ContainerParams.x: Extra inputs are not permitted",
    ),
    ("B system no list", {"system": 5}, "system: Input should be a valid array"),
    ("B system item no object", {"system": [5]}, "system.0: Input does not match the expected shape."),
    ("B cache_control no object", {"cache_control": "x"}, "cache_control: Input should be an object"),
    ("B output_config no object", {"output_config": 5}, "output_config: Input does not match the expected shape."),
]

MESSAGES: Table = [
    ("C messages no list", {"messages": {}}, "messages: Input should be a valid array"),
    ("C item no object", {"messages": ["a"]}, "messages.0: Input should be an object"),
    ("C role missing", {"messages": [{"content": "a"}]}, "messages.0.role: Field required"),
    ("C content missing", {"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
    (
        "C content of another kind",
        {"messages": [{"role": "user", "content": 5}]},
        "messages.0.content: Input should be a valid array",
    ),
    ("C block no object", {"messages": holding("a")}, "messages.0.content.0: Input should be an object"),
    (
        "C block without type",
        {"messages": holding({"text": "a"})},
        "messages.0.content.0.type: Field required",
    ),
    (
        "C unknown key in a message",
        {"messages": [{"role": "user", "content": "a", "key": 1}]},
        "messages.0.key: Extra inputs are not permitted",
    ),
    (
        "C unknown block type",
        {"messages": holding(TEXT, {"type": "image_url"})},
        f"messages.0.content.1: Input tag 'image_url' found using 'type' {EXPECTED} {BLOCK_TAGS}",
    ),
    (
        "C block of a locked beta",
        {"messages": holding({"type": "fallback"}, role="assistant")},
        f"messages.0.content.0: Input tag 'fallback' found using 'type' {EXPECTED} {BLOCK_TAGS}",
    ),
    (
        "C clear_at, locked",
        {"messages": [{"role": "system", "content": "a", "clear_at": "never"}]},
        "messages.0.clear_at: Extra inputs are not permitted",
    ),
]

THINKING: Table = [
    ("D thinking no object", {"thinking": "on"}, "thinking: Input should be an object"),
    ("D thinking without type", {"thinking": {}}, "thinking.type: Field required"),
    (
        "D budget too small",
        {"thinking": {"type": "enabled", "budget_tokens": 1023}},
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ),
    (
        "D adaptive with a budget",
        {"thinking": {"type": "adaptive", "budget_tokens": 2000}},
        "thinking.adaptive.budget_tokens: Extra inputs are not permitted",
    ),
    (
        "D block_binding, locked",
        {"thinking": {"type": "adaptive", "block_binding": {}}},
        "thinking.adaptive.block_binding: Extra inputs are not permitted",
    ),
    (
        "D signature missing",
        second({"type": "thinking", "thinking": "a"}),
        "messages.1.content.0.thinking.signature: Field required",
    ),
    (
        "D thinking text missing",
        second({"type": "thinking", "signature": "s"}),
        "messages.1.content.0.thinking.thinking: Field required",
    ),
]

TOOLS: Table = [
    ("E tools no list", {"tools": {}}, "tools: Input should be a valid array"),
    ("E tool no object", {"tools": ["a"]}, "tools.0: Input should be an object"),
    ("E tool_choice no object", {"tool_choice": "auto"}, "tool_choice: Input should be an object"),
    ("E tool_choice without type", {"tool_choice": {}}, "tool_choice.type: Field required"),
    (
        "E tool_choice type",
        {"tool_choice": {"type": "x"}},
        f"tool_choice: Input tag 'x' found using 'type' {EXPECTED} 'any', 'auto', 'none', 'tool'",
    ),
    (
        "E bad name",
        tool(name="get weather"),
        "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    ),
    ("E name too long", tool(name="a" * 129), "tools.0.custom.name: String should have at most 128 characters"),
    ("E name empty", tool(name=""), "tools.0.custom.name: String should have at least 1 character"),
    (
        "E name with a line break",
        tool(name="a\n"),
        "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    ),
    (
        "E schema of an older draft",
        schema(properties={"pair": {"type": "array", "items": [{"type": "string"}]}}),
        f"tools.0.custom.input_schema: {INVALID_SCHEMA}",
    ),
    (
        "E schema type",
        tool(input_schema={"type": "string"}),
        "tools.0.custom.input_schema.type: Input should be 'object'",
    ),
    ("E schema without type", tool(input_schema={}), "tools.0.custom.input_schema.type: Field required"),
    ("E schema missing", tool(input_schema=LEAVE_OUT), "tools.0.custom.input_schema: Field required"),
    *(
        (
            f"E top-level {keyword}",
            schema(**{keyword: [OBJECT]}),
            "tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level",
        )
        for keyword in ("oneOf", "allOf", "anyOf")
    ),
    *(
        (
            f"E properties {name}",
            schema(properties=value),
            "tools.0.custom.input_schema.properties: Input should be an object",
        )
        for name, value in NO_PROPERTIES.items()
    ),
    (
        "E property key",
        schema(properties={"a key": {}}),
        "tools.0.custom.input_schema.properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'",
    ),
    (
        "E property key too long",
        schema(properties={"a" * 65: {}}),
        "tools.0.custom.input_schema.properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'",
    ),
    (
        "E a tool of another vendor's form",
        {"tools": [{"type": "function", "function": {"name": "a"}}]},
        f"tools.0: Input tag 'function' found using 'type' {EXPECTED} {TOOL_TAGS}",
    ),
    (
        "E typed tool's name",
        {"tools": [{"type": "text_editor_20250124", "name": "editor"}]},
        "tools.0.text_editor_20250124.name: Input should be 'str_replace_editor'",
    ),
    (
        "E toolset with a name",
        {"tools": [{"type": "browser_toolset_20260801", "name": "browser"}]},
        "tools.0.browser_toolset_20260801: name is not accepted on a toolset entry: the member names are fixed by "
        "the dated type, and the served tool keeps the family's bare name",
    ),
]

CALLS: Table = [
    (
        "F tool_use id",
        second({**CALL, "id": "call:1"}),
        "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    ),
    (
        "F server_tool_use id",
        second({**CALL, "type": "server_tool_use", "name": "web_search", "id": "toolu_1"}),
        "messages.1.content.0.server_tool_use.id: String should match pattern '^srvtoolu_[a-zA-Z0-9_]+$'",
    ),
    (
        "F input no object",
        second(TEXT, {**CALL, "input": "{}"}),
        "messages.1.content.1.tool_use.input: Input should be a valid dictionary",
    ),
    (
        "F input missing",
        second(TEXT, {"type": "tool_use", "id": "toolu_1", "name": "a"}),
        "messages.1.content.1.tool_use.input: Field required",
    ),
    (
        "F tool_use_id missing",
        {"messages": holding(TEXT, {"type": "tool_result", "content": "a"})},
        "messages.0.content.1.tool_result.tool_use_id: Field required",
    ),
    (
        "F unknown key in a call",
        second({**CALL, "text": "a"}),
        "messages.1.content.0.tool_use.text: Extra inputs are not permitted",
    ),
]

CACHING: Table = [
    (
        "G marker on thinking",
        second({**THINK, "cache_control": {"type": "ephemeral"}}),
        "messages.1.content.0.thinking.cache_control: Extra inputs are not permitted",
    ),
    (
        "G marker on redacted thinking",
        second({"type": "redacted_thinking", "data": "d", "cache_control": {"type": "ephemeral"}}),
        "messages.1.content.0.redacted_thinking.cache_control: Extra inputs are not permitted",
    ),
    (
        "G unknown key in a marker",
        {"system": [TEXT, {**TEXT, "cache_control": {"type": "ephemeral", "scope": "global"}}]},
        "system.1.cache_control.ephemeral.scope: Extra inputs are not permitted",
    ),
]

UNDER_A_HEADER: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "C clear_at value",
        "mid-conversation-system-clear-at-2026-08-21",
        {"messages": [{"role": "system", "content": "a", "clear_at": "now"}]},
        "messages.0.clear_at: Input should be 'next_user_message' or 'never'",
    ),
    (
        "G compact trigger too small",
        "compact-2026-01-12",
        {
            "context_management": {
                "edits": [{"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 49_999}}]
            }
        },
        "context_management.edits.0.compact_20260112: trigger.value must be at least 50000",
    ),
    (
        "G compact edit, locked",
        EDITS,
        {"context_management": {"edits": [{"type": "compact_20260112"}]}},
        f"context_management.edits.0: Input tag 'compact_20260112' found using 'type' {EXPECTED} "
        "'clear_thinking_20251015', 'clear_tool_uses_20250919'",
    ),
    (
        "G clear edit, locked",
        "compact-2026-01-12",
        {"context_management": {"edits": [{"type": "clear_thinking_20251015"}]}},
        f"context_management.edits.0: Input tag 'clear_thinking_20251015' found using 'type' {EXPECTED} "
        "'compact_20260112'",
    ),
    (
        "G compaction block, locked",
        EDITS,
        {"messages": holding(COMPACTION, role="assistant")},
        f"messages.0.content.0: Input tag 'compaction' found using 'type' {EXPECTED} {BLOCK_TAGS}",
    ),
    (
        "G signature of another compaction",
        "compact-2026-01-12",
        {"messages": holding({**COMPACTION, "signature": "s"}, role="assistant")},
        "`signature` requires anthropic-beta: compact-2026-09-04",
    ),
    (
        "G unknown key on a compaction",
        "compact-2026-09-04",
        {"messages": holding({**COMPACTION, "citations": None}, role="assistant")},
        "messages.0.content.0.compaction.citations: Extra inputs are not permitted",
    ),
]

MEDIA: Table = [
    (
        "H media type",
        image({"type": "base64", "media_type": "image/bmp", "data": ""}),
        "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', "
        "'image/gif' or 'image/webp'",
    ),
    ("H image over http", image({"type": "url", "url": "http://example.com/a"}), "Only HTTPS URLs are supported."),
    (
        "H PDF over http",
        {"messages": holding({"type": "document", "source": {"type": "url", "url": "ftp://example.com/a"}})},
        "Only HTTPS URLs are supported.",
    ),
]


def rows(table: Table) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("changes", "message"), [pytest.param(c, m, id=name) for name, c, m in table])


@pytest.mark.promise("intake.field-errors", "intake.unknown-keys")
@rows(TOP_LEVEL)
def test_a_wrong_key_of_the_top_level_has_its_recorded_text(changes: dict[str, Any], message: str):
    assert refused(body(**changes)) == message


@pytest.mark.promise("intake.message-errors")
@rows(MESSAGES)
def test_a_wrong_message_has_its_recorded_text(changes: dict[str, Any], message: str):
    assert refused(body(**changes)) == message


@pytest.mark.promise("intake.thinking-errors")
@rows(THINKING)
def test_wrong_thinking_has_its_recorded_text(changes: dict[str, Any], message: str):
    assert refused(body(**changes)) == message


@pytest.mark.promise("intake.tool-errors")
@rows(TOOLS)
def test_a_wrong_tool_has_its_recorded_text(changes: dict[str, Any], message: str):
    assert refused(body(**changes)) == message


@pytest.mark.promise("intake.call-errors")
@rows(CALLS)
def test_a_wrong_call_or_result_has_its_recorded_text(changes: dict[str, Any], message: str):
    assert refused(body(**changes)) == message


@pytest.mark.promise("intake.caching-errors")
@rows(CACHING)
def test_a_misplaced_cache_marker_has_its_recorded_text(changes: dict[str, Any], message: str):
    assert refused(body(**changes)) == message


@pytest.mark.promise("intake.beta-errors")
@pytest.mark.parametrize(
    ("betas", "changes", "message"), [pytest.param(*row[1:], id=row[0]) for row in UNDER_A_HEADER]
)
def test_a_wrong_key_under_a_beta_header_has_its_recorded_text(betas: str, changes: dict[str, Any], message: str):
    assert refused(body(**changes), headers(betas)) == message


@pytest.mark.promise("intake.media-errors")
@rows(MEDIA)
def test_a_wrong_source_has_its_recorded_text(changes: dict[str, Any], message: str):
    assert refused(body(**changes)) == message


@pytest.mark.promise("tools.long-names")
@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
def test_a_tool_may_have_a_name_of_128_characters_in_both_versions(version: Version):
    for length in (65, 128):
        accepted(body(**tool(name="a" * length)), headers(version=version))
    message = refused(body(**tool(name="a" * 129)), headers(version=version))
    assert message == "tools.0.custom.name: String should have at most 128 characters"

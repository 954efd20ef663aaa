"""One full sample of every tool type and of every key of the top level."""

from typing import Any

from tests.wire.samples import MARKER, TEXT, Json

OPTIONS: Json = {
    "cache_control": MARKER,
    "strict": True,
    "defer_loading": False,
    "allowed_callers": [
        "direct",
        "code_execution_20250825",
        "code_execution_20260120",
        "code_execution_20260521",
    ],
}
CLIENT: Json = {**OPTIONS, "input_examples": [{"a": 1}]}
DOMAINS: Json = {**OPTIONS, "max_uses": 5, "allowed_domains": ["example.com"], "blocked_domains": None}
SEARCH: Json = {
    **DOMAINS,
    "name": "web_search",
    "user_location": {
        "type": "approximate",
        "city": "Turin",
        "region": None,
        "country": "IT",
        "timezone": None,
    },
}
FETCH: Json = {
    **DOMAINS,
    "name": "web_fetch",
    "citations": {"enabled": True},
    "max_content_tokens": 1000,
    "url_sources": {
        "client_tool_results": {"type": "only", "tools": [{"type": "tool_reference", "name": "a"}]},
        "server_tool_results": {"type": "except", "tools": []},
        "user_input": {"type": "none"},
    },
}
SCREEN: Json = {**CLIENT, "name": "computer", "display_width_px": 1024, "display_height_px": 768}
MEMBER: Json = {"enabled": True, "defer_loading": None}

CUSTOM: Json = {
    "type": "custom",
    "name": "get_weather",
    "description": "The weather.",
    "input_schema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"z": {"type": "string"}, "a": {"type": ["integer", "null"], "minimum": 0}},
        "required": ["z"],
        "additionalProperties": False,
    },
    **CLIENT,
    "eager_input_streaming": None,
}

TOOLS: dict[str, Json] = {
    "custom": CUSTOM,
    "custom without a type": {"name": "a", "input_schema": {"type": "object"}},
    "custom with a null type": {"type": None, "name": "a", "input_schema": {"type": "object"}},
    **{
        kind: {"type": kind, "name": name, **CLIENT}
        for kind, name in {
            "bash_20250124": "bash",
            "text_editor_20250124": "str_replace_editor",
            "text_editor_20250429": "str_replace_based_edit_tool",
            "text_editor_20250728": "str_replace_based_edit_tool",
            "memory_20250818": "memory",
        }.items()
    },
    "text_editor_20250728 with a limit": {
        "type": "text_editor_20250728",
        "name": "str_replace_based_edit_tool",
        "max_characters": 10_000,
    },
    "computer_toolset_20260801": {
        "type": "computer_toolset_20260801",
        "cache_control": MARKER,
        "configs": {"zoom": MEMBER, "type": None, "wait": {"enabled": False}},
    },
    "browser_toolset_20260801": {
        "type": "browser_toolset_20260801",
        "cache_control": None,
        "configs": {"file_upload": MEMBER},
    },
    "web_search_20250305": {"type": "web_search_20250305", **SEARCH},
    "web_search_20260209": {"type": "web_search_20260209", **SEARCH},
    "web_search_20260318": {"type": "web_search_20260318", **SEARCH, "response_inclusion": "excluded"},
    "web_fetch_20250910": {"type": "web_fetch_20250910", **FETCH},
    "web_fetch_20260209": {"type": "web_fetch_20260209", **FETCH},
    "web_fetch_20260309": {"type": "web_fetch_20260309", **FETCH, "use_cache": True},
    "web_fetch_20260318": {"type": "web_fetch_20260318", **FETCH, "use_cache": False, "response_inclusion": "full"},
    **{
        f"code_execution_{date}": {"type": f"code_execution_{date}", "name": "code_execution", **OPTIONS}
        for date in ("20250522", "20250825", "20260120", "20260521")
    },
    **{
        f"tool_search_tool_{kind}{date}": {
            "type": f"tool_search_tool_{kind}{date}",
            "name": f"tool_search_tool_{kind}",
            **OPTIONS,
        }
        for kind in ("regex", "bm25")
        for date in ("", "_20251119")
    },
}

BETA_TOOLS: dict[str, tuple[Json, str]] = {
    "bash_20241022": ({"type": "bash_20241022", "name": "bash", **CLIENT}, "computer-use-2024-10-22"),
    "text_editor_20241022": (
        {"type": "text_editor_20241022", "name": "str_replace_editor", **CLIENT},
        "computer-use-2024-10-22",
    ),
    "computer_20241022": (
        {"type": "computer_20241022", **SCREEN, "display_number": None},
        "computer-use-2024-10-22",
    ),
    "computer_20250124": (
        {"type": "computer_20250124", **SCREEN, "display_number": 1},
        "computer-use-2025-01-24",
    ),
    "computer_20251124": (
        {"type": "computer_20251124", **SCREEN, "enable_zoom": True},
        "computer-use-2025-11-24",
    ),
    "advisor_20260301": (
        {
            "type": "advisor_20260301",
            "name": "advisor",
            "model": "a",
            "max_uses": 1,
            "max_tokens": 1024,
            "caching": MARKER,
            **OPTIONS,
        },
        "advisor-tool-2026-03-01",
    ),
    "mcp_toolset": (
        {
            "type": "mcp_toolset",
            "mcp_server_name": "s",
            "default_config": {"enabled": True, "defer_loading": False},
            "configs": {"a": {"enabled": False}},
            "cache_control": MARKER,
        },
        "mcp-client-2025-11-20",
    ),
    "mcp_toolset that pins": (
        {
            "type": "mcp_toolset",
            "mcp_server_name": "s",
            "tools": [{"name": "a", "description": "d", "input_schema": {"type": "object"}}],
        },
        "mcp-client-2026-09-15",
    ),
}

SCHEMA: Json = {"type": "json_schema", "schema": {"type": "object", "additionalProperties": False}}

FIELDS: dict[str, list[Any]] = {
    "model": ["claude-sonnet-4-5"],
    "tool_choice": [
        {"type": "auto"},
        {"type": "auto", "disable_parallel_tool_use": True},
        {"type": "any", "disable_parallel_tool_use": False},
        {"type": "tool", "name": "a", "disable_parallel_tool_use": True},
        {"type": "none"},
    ],
    "tools": [[], [CUSTOM]],
    "messages": [[{"role": "user", "content": "a"}], [{"role": "user", "content": []}]],
    "system": ["", "a", [], [TEXT]],
    "thinking": [
        {"type": "enabled", "budget_tokens": 1024, "display": "summarized"},
        {"type": "enabled", "budget_tokens": 1024, "display": None},
        {"type": "disabled"},
        {"type": "adaptive", "display": "omitted"},
        {"type": "between_tools"},
    ],
    "output_config": [
        {},
        {"effort": None, "format": None},
        {"effort": "xhigh", "format": SCHEMA},
    ],
    "cache_control": [None, {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "5m"}],
    "max_tokens": [0, 128_000],
    "metadata": [{}, {"user_id": None}, {"user_id": "user_1"}],
    "stop_sequences": [[], ["a", "\n\nb"]],
    "temperature": [0, 0.5, 1, 1.0],
    "service_tier": ["auto", "standard_only"],
    "top_k": [0, 40],
    "top_p": [0, 0.95],
    "stream": [True, False],
    "container": [
        None,
        "container_1",
        {"id": None, "skills": [{"type": "anthropic", "skill_id": "pptx", "version": "latest"}]},
        {"id": "container_1", "skills": None},
        {"skills": [{"type": "custom", "skill_id": "s"}]},
    ],
    "inference_geo": [None, "global", "us"],
    "speed": [None, "standard", "fast"],
    "diagnostics": [None, {"previous_message_id": None}, {"previous_message_id": "msg_1"}],
}

TOKENS: Json = {"type": "input_tokens", "value": 100_000}
CLEAR_TOOLS: Json = {
    "type": "clear_tool_uses_20250919",
    "trigger": TOKENS,
    "keep": {"type": "tool_uses", "value": 3},
    "clear_at_least": TOKENS,
    "exclude_tools": ["a"],
    "clear_tool_inputs": True,
}

BETA_FIELDS: list[tuple[str, Any, str]] = [
    ("context_management", None, "compact-2026-01-12"),
    (
        "context_management",
        {
            "edits": [
                {"type": "clear_thinking_20251015", "keep": "all"},
                {"type": "clear_thinking_20251015", "keep": {"type": "all"}},
                {"type": "clear_thinking_20251015", "keep": {"type": "thinking_turns", "value": 1}},
                {"type": "clear_tool_uses_20250919"},
                CLEAR_TOOLS,
                {**CLEAR_TOOLS, "trigger": {"type": "tool_uses", "value": 5}, "clear_tool_inputs": ["a"]},
                {"type": "clear_tool_uses_20250919", "clear_tool_inputs": None, "exclude_tools": None},
            ]
        },
        "context-management-2025-06-27",
    ),
    (
        "context_management",
        {
            "edits": [
                {
                    "type": "compact_20260112",
                    "trigger": {"type": "input_tokens", "value": 50_000},
                    "pause_after_compaction": True,
                    "instructions": None,
                }
            ]
        },
        "compact-2026-01-12",
    ),
    ("compaction", {"type": "summarize", "instructions": "i" * 16_384}, "compact-2026-09-04"),
    (
        "mcp_servers",
        [
            {
                "type": "url",
                "name": "s",
                "url": "https://example.com",
                "authorization_token": None,
                "tool_configuration": {"enabled": True, "allowed_tools": ["a"]},
            }
        ],
        "mcp-client-2025-04-04",
    ),
    ("mcp_servers", [{"type": "url", "name": "s", "url": "https://example.com"}], "mcp-client-2026-09-15"),
    ("fallbacks", "default", "server-side-fallback-2026-07-01"),
    (
        "fallbacks",
        [
            {
                "model": "a",
                "max_tokens": 5,
                "output_config": {"effort": "low"},
                "speed": "fast",
                "thinking": {"type": "adaptive"},
            }
        ],
        "server-side-fallback-2026-06-01",
    ),
    ("fallback_credit_token", "t", "fallback-credit-2026-06-01"),
    ("fallback_credit_token", {"token": "t", "mode": "strict"}, "fallback-credit-2026-07-01"),
    ("thread", {"type": "create"}, "message-threads-2026-08-12"),
    ("thread", {"type": "continue", "previous_message_id": "msg_1"}, "message-threads-2026-08-12"),
    ("billing_policy", {"type": "billing_policy", "bill_to": "self"}, "user-profiles-billing-2026-10-01"),
    ("output_format", SCHEMA, "structured-outputs-2025-11-13"),
    ("output_format", SCHEMA, "structured-outputs-2025-12-15"),
]

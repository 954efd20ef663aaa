"""One full sample of everything that a request may hold: every key present, nulls where the API allows them.

A sample is JSON as a client sends it. What is in beta is listed with the header that unlocks it.
"""

from typing import Any

Json = dict[str, Any]

MARKER: Json = {"type": "ephemeral", "ttl": "1h"}
TEXT: Json = {"type": "text", "text": "Hello", "cache_control": MARKER, "citations": None}
BASE64_IMAGE: Json = {"type": "base64", "media_type": "image/png", "data": "aGk="}
PLAIN: Json = {"type": "text", "media_type": "text/plain", "data": "Hello"}

CITATIONS: list[Json] = [
    {
        "type": "char_location",
        "cited_text": "a",
        "document_index": 0,
        "document_title": None,
        "start_char_index": 0,
        "end_char_index": 1,
        "file_id": None,
    },
    {
        "type": "page_location",
        "cited_text": "a",
        "document_index": 0,
        "document_title": "T",
        "start_page_number": 1,
        "end_page_number": 2,
        "file_id": "file_1",
    },
    {
        "type": "content_block_location",
        "cited_text": "a",
        "document_index": 0,
        "document_title": None,
        "start_block_index": 0,
        "end_block_index": 1,
        "file_id": None,
    },
    {
        "type": "search_result_location",
        "cited_text": "a",
        "search_result_index": 0,
        "source": "s",
        "title": None,
        "start_block_index": 0,
        "end_block_index": 1,
    },
    {
        "type": "web_search_result_location",
        "cited_text": "a",
        "url": "https://example.com",
        "title": None,
        "encrypted_index": "e",
    },
]

IMAGES: dict[str, Json] = {
    source["type"]: {"type": "image", "source": source, "cache_control": None, "transformations": None}
    for source in (
        BASE64_IMAGE,
        {"type": "url", "url": "https://example.com/a.png"},
        {"type": "file", "file_id": "file_1"},
    )
}

DOCUMENTS: dict[str, Json] = {
    name: {
        "type": "document",
        "source": source,
        "title": "T",
        "context": None,
        "citations": {"enabled": True},
        "cache_control": MARKER,
    }
    for name, source in {
        "base64": {"type": "base64", "media_type": "application/pdf", "data": "aGk="},
        "text": PLAIN,
        "content": {"type": "content", "content": [{"type": "text", "text": "a"}, IMAGES["base64"]]},
        "content of a string": {"type": "content", "content": "a"},
        "url": {"type": "url", "url": "https://example.com/a.pdf"},
        "file": {"type": "file", "file_id": "file_1"},
    }.items()
}

SEARCH_RESULT: Json = {
    "type": "search_result",
    "source": "https://example.com",
    "title": "T",
    "content": [{"type": "text", "text": "a"}],
    "citations": {"enabled": False},
    "cache_control": None,
}
TOOL_REFERENCE: Json = {"type": "tool_reference", "tool_name": "a", "cache_control": None}
BROWSER_STATE: Json = {
    "type": "browser_state",
    "tabs": [{"tab_id": "1", "title": "T", "url": "https://example.com", "active": True}],
    "state_changes": [
        {"type": "tab_opened", "tab_id": "1"},
        {"type": "download_started", "download_id": "d", "url": "https://example.com"},
        {
            "type": "download_completed",
            "download_id": "d",
            "url": "https://example.com",
            "path": None,
            "size_bytes": 3,
        },
        {"type": "download_failed", "download_id": "d", "url": "https://example.com", "error": None},
    ],
    "cache_control": None,
}

CALLERS: list[Json | None] = [
    None,
    {"type": "direct"},
    {"type": "code_execution_20250825", "tool_id": "srvtoolu_1"},
    {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"},
]


def result(kind: str, content: Any, **more: Any) -> Json:
    return {"type": kind, "tool_use_id": "srvtoolu_1", "content": content, "cache_control": None, **more}


def error(kind: str, **more: Any) -> Json:
    return {"type": f"{kind}_error", "error_code": "unavailable", **more}


WEB_SEARCH = "web_search_tool_result"
WEB_FETCH = "web_fetch_tool_result"
CODE = "code_execution_tool_result"
BASH = "bash_code_execution_tool_result"
EDITOR = "text_editor_code_execution_tool_result"
TOOL_SEARCH = "tool_search_tool_result"
ADVISOR = "advisor_tool_result"

RESULTS: dict[str, Json] = {
    "web search": result(
        WEB_SEARCH,
        [
            {
                "type": "web_search_result",
                "url": "https://example.com",
                "title": "T",
                "encrypted_content": "e",
                "page_age": None,
            }
        ],
        caller={"type": "direct"},
    ),
    "web search error": result(WEB_SEARCH, error(WEB_SEARCH), caller=None),
    "web fetch": result(
        WEB_FETCH,
        {
            "type": "web_fetch_result",
            "url": "https://example.com",
            "content": {"type": "document", "source": PLAIN, "title": None, "citations": None},
            "retrieved_at": None,
        },
        caller=None,
    ),
    "web fetch error": result(WEB_FETCH, error(WEB_FETCH), caller=None),
    "code": result(
        CODE,
        {
            "type": "code_execution_result",
            "stdout": "",
            "stderr": "",
            "return_code": 0,
            "content": [{"type": "code_execution_output", "file_id": "file_1"}],
        },
    ),
    "encrypted code": result(
        CODE,
        {
            "type": "encrypted_code_execution_result",
            "encrypted_stdout": "",
            "stderr": "",
            "return_code": 0,
            "content": [],
        },
    ),
    "code error": result(CODE, error(CODE)),
    "bash": result(
        BASH,
        {
            "type": "bash_code_execution_result",
            "stdout": "",
            "stderr": "",
            "return_code": 0,
            "content": [{"type": "bash_code_execution_output", "file_id": "file_1"}],
        },
    ),
    "bash error": result(BASH, error(BASH)),
    "editor view": result(
        EDITOR,
        {
            "type": "text_editor_code_execution_view_result",
            "file_type": "text",
            "content": "a",
            "num_lines": 1,
            "start_line": None,
            "total_lines": None,
        },
    ),
    "editor create": result(EDITOR, {"type": "text_editor_code_execution_create_result", "is_file_update": False}),
    "editor replace": result(
        EDITOR,
        {
            "type": "text_editor_code_execution_str_replace_result",
            "lines": ["-a"],
            "new_lines": 1,
            "new_start": None,
            "old_lines": None,
            "old_start": None,
        },
    ),
    "editor error": result(EDITOR, error(EDITOR, error_message=None)),
    "tool search": result(
        TOOL_SEARCH, {"type": "tool_search_tool_search_result", "tool_references": [TOOL_REFERENCE]}
    ),
    "tool search error": result(TOOL_SEARCH, error(TOOL_SEARCH, error_message="no")),
}

BLOCKS: dict[str, Json] = {
    "text": {"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}, "citations": CITATIONS},
    **{f"image, {name}": block for name, block in IMAGES.items()},
    "image with transformations": {
        "type": "image",
        "source": BASE64_IMAGE,
        "transformations": {"oversized_image": "downsize"},
    },
    **{f"document, {name}": block for name, block in DOCUMENTS.items()},
    "search_result": SEARCH_RESULT,
    "tool_result": {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [TEXT, IMAGES["base64"], DOCUMENTS["text"], TOOL_REFERENCE, BROWSER_STATE],
        "is_error": False,
        "toolset_name": None,
        "cache_control": MARKER,
    },
    "tool_result of hits": {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [SEARCH_RESULT, SEARCH_RESULT],
    },
    "tool_result of a string": {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a"},
    "tool_result of nothing": {"type": "tool_result", "tool_use_id": "toolu_1"},
    **{
        f"tool_use, caller {n}": {
            "type": "tool_use",
            "id": "toolu_1",
            "name": "a",
            "input": {"b": [1, {"c": None}], "a": 2.5},
            "caller": caller,
            "toolset_name": None,
            "cache_control": None,
        }
        for n, caller in enumerate(CALLERS)
    },
    "thinking": {"type": "thinking", "thinking": "", "signature": "s"},
    "redacted_thinking": {"type": "redacted_thinking", "data": "d"},
    **{
        f"server_tool_use, {name}": {
            "type": "server_tool_use",
            "id": "srvtoolu_1",
            "name": name,
            "input": {},
            "caller": {"type": "direct"},
            "cache_control": None,
        }
        for name in (
            "web_search",
            "web_fetch",
            "code_execution",
            "bash_code_execution",
            "text_editor_code_execution",
            "tool_search_tool_regex",
            "tool_search_tool_bm25",
        )
    },
    **RESULTS,
    "container_upload": {"type": "container_upload", "file_id": "file_1", "cache_control": None},
}

MCP_TOOL: Json = {"name": "a", "description": None, "input_schema": {"type": "object"}}
REFERENCES: dict[str, Json] = {
    "tool": {"type": "tool_reference", "name": "a"},
    "MCP tool": {"type": "mcp_tool_reference", "server_name": "s", "name": "a"},
    "MCP toolset": {"type": "mcp_toolset_reference", "server_name": "s"},
}
DEFINITION: Json = {
    "type": "tool_addition",
    "tool": {
        "type": "tool_definition",
        "definition": {"type": "custom", "name": "a", "input_schema": {"type": "object"}},
    },
    "cache_control": None,
}

BETA_BLOCKS: dict[str, tuple[Json, str]] = {
    "mcp_tool_use": (
        {
            "type": "mcp_tool_use",
            "id": "mcptoolu_1",
            "name": "a",
            "server_name": "s",
            "input": {},
            "cache_control": None,
        },
        "mcp-client-2025-04-04",
    ),
    "mcp_tool_result": (
        {
            "type": "mcp_tool_result",
            "tool_use_id": "mcptoolu_1",
            "content": [{"type": "text", "text": "a", "citations": None}],
            "is_error": False,
            "cache_control": None,
        },
        "mcp-client-2025-11-20",
    ),
    "mcp_tool_listing": (
        {"type": "mcp_tool_listing", "mcp_server_name": "s", "tools": [MCP_TOOL]},
        "mcp-client-2026-09-15",
    ),
    "advisor": (
        result(ADVISOR, {"type": "advisor_result", "text": "a", "stop_reason": None}),
        "advisor-tool-2026-03-01",
    ),
    "redacted advisor": (
        result(ADVISOR, {"type": "advisor_redacted_result", "encrypted_content": "a", "stop_reason": "end_turn"}),
        "advisor-tool-2026-03-01",
    ),
    "advisor error": (result(ADVISOR, error(ADVISOR)), "advisor-tool-2026-03-01"),
    "compaction at a threshold": (
        {"type": "compaction", "content": "a", "encrypted_content": None, "cache_control": MARKER},
        "compact-2026-01-12",
    ),
    "compaction on demand": (
        {
            "type": "compaction",
            "content": "a",
            "encrypted_content": None,
            "signature": "s",
            "tool_changes": [{"type": "tool_removal", "tool": REFERENCES["tool"]}],
            "cache_control": None,
        },
        "compact-2026-09-04,mid-conversation-tool-changes-2026-07-01",
    ),
    "fallback": (
        {
            "type": "fallback",
            "from": {"model": "a"},
            "to": {"model": "b"},
            "trigger": {"type": "refusal", "category": None, "explanation": None},
        },
        "server-side-fallback-2026-06-01",
    ),
    **{
        f"{kind} of {name}": (
            {"type": kind, "tool": reference, "cache_control": None},
            "mid-conversation-tool-changes-2026-07-01",
        )
        for kind in ("tool_addition", "tool_removal")
        for name, reference in REFERENCES.items()
    },
    "tool_addition of a definition": (DEFINITION, "inline-tools-2026-09-15"),
}

"""Tools, tool choice, context management and media: what hangs together in a request."""

import pytest

from tests.request.requests import (
    CODE,
    SEARCH,
    TOOL,
    Json,
    assistant,
    body,
    call,
    image,
    issue,
    result,
    system,
    text,
    tool,
    user,
    verdict,
    wrong,
)

SHORT: Json = {"cache_control": {"type": "ephemeral"}}

MCP = "mcp-client-2025-11-20"

OLD_MCP = "mcp-client-2025-04-04"

CLEARING = "context-management-2025-06-27"

COMPACT = "compact-2026-01-12"

SUMMARIZE = "compact-2026-09-04"

INLINE = "inline-tools-2026-09-15"

SERVER = {"type": "url", "name": "docs", "url": "https://example.com/mcp"}

TOOLSET = {"type": "mcp_toolset", "mcp_server_name": "docs"}


def edits(*types: str) -> Json:
    return {"context_management": {"edits": [{"type": kind} for kind in types]}}


REFUSED: dict[str, tuple[Json, str]] = {
    "two tools of one name": ({"tools": [tool("a"), tool("a")]}, "tools: Tool names must be unique."),
    "a tool named like a server tool": (
        {"tools": [tool("web_search"), SEARCH]},
        "tools: Tool names must be unique.",
    ),
    "a tool named like a toolset": (
        {"tools": [tool("browser"), {"type": "browser_toolset_20260801"}]},
        "tools: Tool names must be unique.",
    ),
    "a choice without tools": (
        {"tool_choice": {"type": "auto"}},
        "tool_choice may only be specified while providing tools.",
    ),
    "a choice with no tools": (
        {"tool_choice": {"type": "none"}, "tools": []},
        "tool_choice may only be specified while providing tools.",
    ),
    "a choice of an absent tool": (
        {"tool_choice": {"type": "tool", "name": "web_search"}, "tools": [tool()]},
        "Tool 'web_search' not found in provided tools",
    ),
    "a choice of a toolset's member": (
        {"tool_choice": {"type": "tool", "name": "screenshot"}, "tools": [{"type": "computer_toolset_20260801"}]},
        "Tool 'screenshot' not found in provided tools",
    ),
    "all tools deferred": (
        {"tools": [tool("a", defer_loading=True), tool("b", defer_loading=True)]},
        "At least one tool must have defer_loading=false. All tools cannot be deferred.",
    ),
    "all tools of the only MCP server deferred": (
        {"tools": [{**TOOLSET, "default_config": {"defer_loading": True}}], "mcp_servers": [SERVER]},
        "At least one tool must have defer_loading=false. All tools cannot be deferred.",
    ),
    "a deferred tool search": (
        {
            "tools": [
                tool(),
                {"type": "tool_search_tool_bm25", "name": "tool_search_tool_bm25", "defer_loading": True},
            ]
        },
        "tools.1.tool_search_tool_bm25.defer_loading: the tool search tool itself cannot be deferred",
    ),
    "a marker on a deferred tool": (
        {"tools": [tool("a"), tool("b", defer_loading=True, **SHORT)]},
        "tools.1: cache_control cannot be set on a tool with defer_loading=true",
    ),
    "a container without code execution": (
        {"container": "container_1", "tools": [tool()]},
        "container: Container identifier can only be provided when using the code execution tool",
    ),
    "an MCP server that no toolset uses": (
        {"mcp_servers": [SERVER]},
        "MCP server 'docs' is defined but not referenced by any mcp_toolset in tools.",
    ),
    "a toolset of an MCP server that is not there": (
        {"tools": [TOOLSET]},
        "tools.0.mcp_toolset.mcp_server_name: MCP server 'docs' is not defined in mcp_servers",
    ),
    "two toolsets of one MCP server": (
        {"tools": [TOOLSET, TOOLSET], "mcp_servers": [SERVER]},
        "tools: MCP server 'docs' is referenced by more than one mcp_toolset.",
    ),
    "two MCP servers of one name": (
        {"tools": [TOOLSET], "mcp_servers": [SERVER, SERVER]},
        "mcp_servers: MCP server names must be unique.",
    ),
    "thinking not cleared first": (
        edits("clear_tool_uses_20250919", "clear_thinking_20251015"),
        "context_management: `clear_thinking_20251015` must be the first strategy in `context_management.edits` when "
        "provided",
    ),
    "compaction at a low trigger": (
        {
            "context_management": {
                "edits": [{"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 49_999}}]
            }
        },
        "context_management.edits.0.compact_20260112: trigger.value must be at least 50000",
    ),
}

ACCEPTED: dict[str, Json] = {
    "a choice of a tool": {"tools": [tool()], "tool_choice": {"type": "tool", "name": "a"}},
    "a choice of a tool of an MCP server": {
        "tools": [TOOLSET],
        "mcp_servers": [SERVER],
        "tool_choice": {"type": "tool", "name": "look"},
    },
    "one tool deferred": {"tools": [tool("a"), tool("b", defer_loading=True)]},
    "one tool of an MCP server kept": {
        "tools": [
            {**TOOLSET, "default_config": {"defer_loading": True}, "configs": {"look": {"defer_loading": False}}}
        ],
        "mcp_servers": [SERVER],
    },
    "a container with code execution": {"container": "container_1", "tools": [CODE]},
    "no edits": {"context_management": {}},
    "thinking cleared, then tools": {
        **edits("clear_thinking_20251015", "clear_tool_uses_20250919"),
        "thinking": {"type": "adaptive"},
    },
    "compaction at the lowest trigger": {
        "context_management": {
            "edits": [{"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 50_000}}]
        }
    },
}


@pytest.mark.promise("errors.tools-and-choice", "mcp.validated")
@pytest.mark.parametrize("case", REFUSED)
def test_settings_that_do_not_go_together_are_refused(case: str) -> None:
    settings, message = REFUSED[case]
    assert verdict(body(**settings), MCP, CLEARING, COMPACT) == message


@pytest.mark.promise("errors.tools-and-choice")
@pytest.mark.parametrize("case", ACCEPTED)
def test_settings_that_go_together_are_accepted(case: str) -> None:
    assert wrong(body(**ACCEPTED[case]), MCP, CLEARING, COMPACT) is None


@pytest.mark.promise("mcp.first-form")
def test_the_first_mcp_connector_has_servers_without_toolsets() -> None:
    assert wrong(body(mcp_servers=[SERVER], tool_choice={"type": "any"}), OLD_MCP) is None


@pytest.mark.parametrize("key", ["input_examples"])
def test_a_server_tool_takes_no_examples(key: str) -> None:
    message = verdict(body(tools=[{**SEARCH, key: [{}]}]))
    assert message == f"tools.0.web_search_20250305.{key}: Extra inputs are not permitted"


def test_a_reference_to_an_absent_tool_is_refused_with_its_code() -> None:
    found = [{"type": "tool_reference", "tool_name": "unknown_tool"}]
    request = body(user(), assistant([call("toolu_1")]), user([result("toolu_1", found)]), tools=[tool()])
    refusal = issue(request)
    assert refusal is not None
    assert refusal.message == "Tool reference 'unknown_tool' not found in available tools"
    assert refusal.details == {"error_code": "tool_reference_unresolved"}
    assert wrong({**request, "tools": [tool("unknown_tool")]}) is None


def test_a_reference_in_a_server_s_tool_search_is_judged_too() -> None:
    searched: list[Json] = [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "tool_search_tool_bm25", "input": {}},
        {
            "type": "tool_search_tool_result",
            "tool_use_id": "srvtoolu_1",
            "content": {
                "type": "tool_search_tool_search_result",
                "tool_references": [{"type": "tool_reference", "tool_name": "gone"}],
            },
        },
        text("a"),
    ]
    message = verdict(body(user(), assistant(searched), user()))
    assert message == "Tool reference 'gone' not found in available tools"


def test_a_tool_defined_on_the_way_can_be_referred_to_and_chosen() -> None:
    addition = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": tool("late")}}
    found = [{"type": "tool_reference", "tool_name": "late"}]
    request = body(
        user(),
        assistant([call("toolu_1")]),
        user([result("toolu_1", found)]),
        system([addition]),
        tools=[tool()],
        tool_choice={"type": "tool", "name": "late"},
    )
    assert wrong(request, INLINE) is None


SUMMARY: Json = {"type": "compaction", "content": "They said hello."}


@pytest.mark.promise("errors.compaction-blocks")
@pytest.mark.parametrize(
    ("block", "more", "betas", "message"),
    [
        (
            SUMMARY,
            {},
            [COMPACT],
            "`compaction` blocks require a `compact_20260112` strategy in `context_management.edits`.",
        ),
        (SUMMARY, {}, [SUMMARIZE], "a `compaction` block with `content` requires its `signature`"),
        (
            {**SUMMARY, "signature": "c2ln"},
            {},
            [COMPACT],
            "`signature` requires anthropic-beta: compact-2026-09-04",
        ),
        (SUMMARY, edits("compact_20260112"), [COMPACT], None),
        ({**SUMMARY, "signature": "c2ln"}, {}, [SUMMARIZE], None),
        ({**SUMMARY, "content": None}, {}, [SUMMARIZE], None),
    ],
)
def test_a_summary_comes_back_as_it_was_made(block: Json, more: Json, betas: list[str], message: str | None) -> None:
    assert wrong(body(assistant([block]), user(), **more), *betas) == message


def test_more_images_than_the_model_takes_are_refused() -> None:
    many = {**body(user([image() for _ in range(101)])), "model": "claude-opus-4-5"}
    assert verdict(many) == "messages: a maximum of 100 images may be provided. Found 101."
    assert wrong({**many, "model": "claude-opus-4-6"}) is None


def test_images_in_results_count_too() -> None:
    messages = [user(), assistant([call("toolu_1")]), user([result("toolu_1", [image() for _ in range(601)])])]
    assert verdict(body(*messages, tools=[TOOL])) == "messages: a maximum of 600 images may be provided. Found 601."


def test_an_answer_of_a_given_form_has_no_citations() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "a"}
    document = {"type": "document", "source": source, "citations": {"enabled": True}}
    form = {"format": {"type": "json_schema", "schema": {"type": "object", "additionalProperties": False}}}
    message = verdict(body(user([text("a"), document]), output_config=form))
    assert message == (
        "output_config.format: structured outputs cannot be combined with citations (messages.0.content.1)"
    )

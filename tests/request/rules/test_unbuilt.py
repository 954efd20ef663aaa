"""What is not built says so, and nothing else is held up by it."""

from typing import Any, get_args

import pytest

from antiphon.request.rules import unbuilt
from antiphon.request.rules.placement import ROLES
from antiphon.wire.content import blocks
from tests.request.requests import (
    CODE,
    NOT_HERE,
    SEARCH,
    TOOL,
    YET,
    Json,
    assistant,
    body,
    call,
    image,
    issue,
    result,
    search_result,
    server_call,
    system,
    text,
    thought,
    user,
    verdict,
)

BETAS = (
    "advisor-tool-2026-03-01",
    "mcp-client-2025-04-04",
    "mcp-client-2025-11-20",
    "compact-2026-01-12",
    "compact-2026-09-04",
    "context-management-2025-06-27",
    "fallback-credit-2026-07-01",
    "server-side-fallback-2026-07-01",
    "user-profiles-billing-2026-10-01",
    "structured-outputs-2025-11-13",
    "task-budgets-2026-03-13",
    "mid-conversation-output-config-2026-07-01",
    "mid-conversation-tool-changes-2026-07-01",
    "inline-tools-2026-09-15",
)

DATA = {"type": "text", "media_type": "text/plain", "data": "a"}

HIT: Json = {"type": "search_result", "source": "s", "title": "t", "content": [text("a")]}

FORM: Json = {"type": "json_schema", "schema": {"type": "object", "additionalProperties": False}}

SERVER = {"type": "url", "name": "docs", "url": "https://example.com/mcp"}

TOOLSET = {"type": "mcp_toolset", "mcp_server_name": "docs"}

BUILT = (
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "fallback",
    "tool_use",
    "tool_result",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "tool_search_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "container_upload",
    "mcp_tool_use",
    "mcp_tool_result",
    "mcp_tool_listing",
    "tool_addition",
    "tool_removal",
    "compaction",
)


def document(source: Json = DATA, **more: Any) -> Json:
    return {"type": "document", "source": source, **more}


REFUSED: dict[str, tuple[Json, str]] = {
    "document that the answer goes on from": (
        body(user(), assistant([document(), text("a")])),
        "messages.1.content.0: document blocks in a final assistant message are",
    ),
    "tabs": (
        body(
            user(),
            assistant([call("toolu_1", "list_tabs", toolset_name="browser")]),
            user([result("toolu_1", [{"type": "browser_state", "tabs": []}], toolset_name="browser")]),
        ),
        "messages.2.content.0.tool_result.content.0: browser_state blocks are",
    ),
    "server call": (
        body(
            user(),
            assistant(
                [
                    server_call("srvtoolu_1", "advisor"),
                    {
                        "type": "advisor_tool_result",
                        "tool_use_id": "srvtoolu_1",
                        "content": {"type": "advisor_result", "text": "a"},
                    },
                    text("a"),
                ]
            ),
            user(),
        ),
        "messages.1.content.0: advisor calls are",
    ),
    "server tools": (
        body(tools=[TOOL, {"type": "advisor_20260301", "name": "advisor", "model": "m"}]),
        "tools.1: advisor_20260301 tools are",
    ),
    "tools for code alone": (
        body(tools=[{**TOOL, "allowed_callers": ["code_execution_20250825"]}]),
        "tools.0.allowed_callers: calls from code are",
    ),
    "task budget": (
        body(output_config={"task_budget": {"type": "tokens", "total": 20_000}}),
        "output_config.task_budget: task budgets are",
    ),
    "billing": (body(billing_policy={"type": "billing_policy"}), "billing_policy: billing policies are"),
    "fast": ({**body(speed="fast"), "model": "claude-opus-5"}, "speed: fast mode is"),
}

NOT_CONFIGURED: dict[str, tuple[Json, str]] = {
    "in a message": (
        body(user(), system([{"type": "tool_addition", "tool": {"type": "tool_definition", "definition": SEARCH}}])),
        "messages.1.content.0.tool_addition.tool.tool_definition.definition: web_search_20250305 tools are",
    ),
    "beside others": (body(tools=[TOOL, SEARCH]), "tools.1: web_search_20250305 tools are"),
    "not to be used": (
        body(tools=[SEARCH], tool_choice={"type": "none"}),
        "tools.0: web_search_20250305 tools are",
    ),
    "fetch": (
        body(tools=[{"type": "web_fetch_20250910", "name": "web_fetch"}]),
        "tools.0: web_fetch_20250910 tools are",
    ),
}

ACCEPTED: dict[str, Json] = {
    "server call": body(
        user(), assistant([server_call("srvtoolu_1"), search_result("srvtoolu_1"), text("a")]), user()
    ),
    "budget": body(max_tokens=5000, thinking={"type": "enabled", "budget_tokens": 1024}),
    "thinking turned off": body(thinking={"type": "disabled"}),
    "thinking left to the model": body(thinking={"type": "adaptive"}),
    "thinking between tools": {**body(thinking={"type": "between_tools"}), "model": "claude-sonnet-5-5"},
    "effort": body(output_config={"effort": "low"}),
    "effort on the way": body(user(), system([], output_config={"effort": "low"})),
    "a model that always thinks": {**body(), "model": "claude-fable-5"},
    "earlier thought": body(user(), assistant([thought(), text("a")]), user()),
    "earlier redacted thought": body(
        user(), assistant([{"type": "redacted_thinking", "data": "a"}, text("a")]), user()
    ),
    "cache markers": body(
        user([text("a", cache_control={"type": "ephemeral"})]), cache_control={"type": "ephemeral"}
    ),
    "metadata": body(metadata={"user_id": "u-1"}),
    "service tier": body(service_tier="auto"),
    "region": body(inference_geo="us"),
    "diagnostics": body(diagnostics={"previous_message_id": None}),
    "fallback": body(
        user(), assistant([{"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}, text("a")]), user()
    ),
    "fallbacks": body(fallbacks=[{"model": "claude-opus-4-8"}]),
    "image": body(user([text("a"), image()])),
    "document": body(user([document(citations={"enabled": False})])),
    "document of the assistant": body(user(), assistant([document()]), user()),
    "search result": body(user([HIT])),
    "citations of a document": body(user([text("a"), document(citations={"enabled": True})])),
    "citations of a search result": body(user([{**HIT, "citations": {"enabled": True}}])),
    "all of them in a result": body(
        user(), assistant([call("toolu_1")]), user([result("toolu_1", [image(), document()])])
    ),
    "edits": body(
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        thinking={"type": "adaptive"},
    ),
    "summary on demand": body(compaction={"type": "summarize"}),
    "a compaction edit": body(context_management={"edits": [{"type": "compact_20260112"}]}),
    "no tools": body(tools=[]),
    "tools": body(tools=[TOOL]),
    "tools that may not be used": body(tools=[TOOL], tool_choice={"type": "none"}),
    "tools for code too": body(tools=[{**TOOL, "allowed_callers": ["direct", "code_execution_20250825"]}]),
    "calls and results": body(user(), assistant([text("a"), call("toolu_1")]), user([result("toolu_1")])),
    "format": body(output_config={"format": FORM}),
    "output_format": body(output_format=FORM),
    "no MCP servers": body(mcp_servers=[]),
    "standard speed": body(speed="standard"),
    "no output": body(max_tokens=0),
    "stop sequences": body(stop_sequences=["\n\nHuman:"]),
}


@pytest.mark.promise("errors.unbuilt-named")
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_built_is_refused_by_name(case: str) -> None:
    request, message = REFUSED[case]
    assert verdict(request, *BETAS) == message + YET


@pytest.mark.promise("server-tools.not-configured")
@pytest.mark.parametrize("case", NOT_CONFIGURED)
def test_a_tool_that_the_owner_has_not_configured_is_refused_with_advice_for_the_owner(case: str) -> None:
    request, message = NOT_CONFIGURED[case]
    found = issue(request, *BETAS)
    assert found is not None
    assert found.message == message + NOT_HERE
    assert f"[server_tools.{'web_fetch' if case == 'fetch' else 'web_search'}]" in (found.advice or "")


@pytest.mark.promise("errors.unbuilt-named")
@pytest.mark.parametrize("case", ACCEPTED)
def test_what_changes_nothing_is_accepted(case: str) -> None:
    assert verdict(ACCEPTED[case], *BETAS) is None


def test_a_count_of_what_is_not_built_is_refused_like_the_reply() -> None:
    request = body(tools=[CODE])
    del request["max_tokens"]
    assert str(verdict(request)).startswith("tools.0: code_execution_20250825 tools need a sandbox")


def _block_types() -> list[str]:
    members: tuple[Any, ...] = get_args(get_args(blocks.Block)[0])
    types = (member.model_fields["type"].annotation for member in members)
    # What an owner has added is of any type.
    return [kind.__args__[0] for kind in types if kind is not str]


@pytest.mark.parametrize("kind", _block_types())
def test_every_block_type_has_a_place_and_is_either_built_or_refused(kind: str) -> None:
    assert kind in ROLES
    assert (kind in unbuilt.BLOCKS) != (kind in BUILT)

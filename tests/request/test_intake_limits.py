"""Ranges, lengths and the rules inside one object whose wording is ours, in the style of the recorded texts."""

from typing import Any

import pytest

from antiphon.wire.tools.toolsets import ComputerConfigs
from tests.wire.requests import accepted, body, headers, refused
from tests.wire.tool_samples import MEMBER

SEARCH = {"type": "web_search_20250305", "name": "web_search"}

COMPUTER = "computer_toolset_20260801"

BROWSER = "browser_toolset_20260801"

ALL_OFF = {name: {"enabled": False} for name in ComputerConfigs.model_fields}


def toolset(kind: str = COMPUTER, **keys: Any) -> dict[str, Any]:
    return {"tools": [{"type": kind, **keys}]}


TOOLSETS = [
    (
        "strict",
        toolset(strict=True),
        "strict is not accepted on a toolset entry: the member schemas are fixed by the dated type",
    ),
    (
        "input_examples",
        toolset(input_examples=[]),
        "input_examples is not accepted on a toolset entry: the member schemas are fixed by the dated type",
    ),
    (
        "defer_loading",
        toolset(defer_loading=True),
        "defer_loading is not accepted on a toolset entry: set it on the members, in `configs`",
    ),
    (
        "callers",
        toolset(allowed_callers=["code_execution_20260120"]),
        "allowed_callers on a toolset entry supports 'direct' only",
    ),
    ("all members off", toolset(configs=ALL_OFF), "at least one member of a toolset must be enabled"),
    (
        "deferred in part",
        toolset(configs={"zoom": {"defer_loading": True}}),
        "defer_loading must be the same for all enabled members of a toolset",
    ),
]


@pytest.mark.promise("intake.toolsets")
@pytest.mark.parametrize(("changes", "message"), [pytest.param(*row[1:], id=row[0]) for row in TOOLSETS])
def test_a_toolset_refuses_what_belongs_to_a_single_tool(changes: dict[str, Any], message: str):
    assert refused(body(**changes)) == f"tools.0.{COMPUTER}: {message}"


@pytest.mark.promise("intake.toolsets")
def test_an_unknown_member_of_a_toolset_is_an_unknown_key():
    message = refused(body(**toolset(BROWSER, configs={"cursor_position": MEMBER})))
    assert message == f"tools.0.{BROWSER}.configs.cursor_position: Extra inputs are not permitted"


@pytest.mark.promise("intake.toolsets")
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(toolset(), id="as it is"),
        pytest.param(toolset(allowed_callers=["direct"]), id="called directly"),
        pytest.param(toolset(configs={**ALL_OFF, "zoom": None}), id="one member left"),
        pytest.param(toolset(configs={**ALL_OFF, "zoom": {"defer_loading": True}}), id="the only member deferred"),
        pytest.param(toolset(configs={name: {"defer_loading": True} for name in ALL_OFF}), id="all members deferred"),
        pytest.param(toolset(BROWSER, configs={"file_upload": {"defer_loading": True}}), id="off by default"),
        pytest.param(toolset(configs={"zoom": {"enabled": False, "defer_loading": True}}), id="deferred but off"),
    ],
)
def test_a_toolset_takes_switches_for_its_members(changes: dict[str, Any]):
    accepted(body(**changes))


OUT_OF_RANGE: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "both lists of domains",
        "",
        {"tools": [{**SEARCH, "allowed_domains": ["a.com"], "blocked_domains": ["b.com"]}]},
        "tools.0.web_search_20250305: only one of allowed_domains and blocked_domains may be given",
    ),
    (
        "a location without a place",
        "",
        {"tools": [{**SEARCH, "user_location": {"type": "approximate", "city": None}}]},
        "tools.0.web_search_20250305.user_location: at least one of city, region, country and timezone is required",
    ),
    (
        "a country's full name",
        "",
        {"tools": [{**SEARCH, "user_location": {"type": "approximate", "country": "Italy"}}]},
        "tools.0.web_search_20250305.user_location.country: String should have at most 2 characters",
    ),
    (
        "no use at all",
        "",
        {"tools": [{**SEARCH, "max_uses": 0}]},
        "tools.0.web_search_20250305.max_uses: Input should be greater than or equal to 1",
    ),
    (
        "too little for an advisor",
        "advisor-tool-2026-03-01",
        {"tools": [{"type": "advisor_20260301", "name": "advisor", "model": "m", "max_tokens": 1023}]},
        "tools.0.advisor_20260301.max_tokens: Input should be greater than or equal to 1024",
    ),
    (
        "a small task budget",
        "task-budgets-2026-03-13",
        {"output_config": {"task_budget": {"type": "tokens", "total": 19_999}}},
        "output_config.task_budget.total: Input should be greater than or equal to 20000",
    ),
    (
        "long instructions",
        "compact-2026-09-04",
        {"compaction": {"type": "summarize", "instructions": "i" * 16_385}},
        "compaction.instructions: String should have at most 16384 characters",
    ),
    (
        "no fallbacks",
        "server-side-fallback-2026-06-01",
        {"fallbacks": []},
        "fallbacks: List should have at least 1 item after validation, not 0",
    ),
    (
        "many fallbacks",
        "server-side-fallback-2026-06-01",
        {"fallbacks": [{"model": "m"}] * 4},
        "fallbacks: List should have at most 3 items after validation, not 4",
    ),
    (
        "another word for fallbacks",
        "server-side-fallback-2026-07-01",
        {"fallbacks": "all"},
        "fallbacks: Input should be 'default'",
    ),
    (
        "another word for kept thinking",
        "context-management-2025-06-27",
        {"context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "none"}]}},
        "context_management.edits.0.clear_thinking_20251015.keep: Input should be 'all'",
    ),
    (
        "kept thinking of another kind",
        "context-management-2025-06-27",
        {"context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": 5}]}},
        "context_management.edits.0.clear_thinking_20251015.keep: Input should be an object",
    ),
    (
        "a server's error code",
        "",
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": [
                        {
                            "type": "web_search_tool_result",
                            "tool_use_id": "srvtoolu_1",
                            "content": {"type": "web_search_tool_result_error", "error_code": "url_too_long"},
                        }
                    ],
                }
            ]
        },
        "messages.0.content.0.web_search_tool_result.content.error_code: Input should be 'invalid_tool_input', "
        "'unavailable', 'max_uses_exceeded', 'too_many_requests', 'query_too_long' or 'request_too_large'",
    ),
]


@pytest.mark.promise("intake.ranges")
@pytest.mark.parametrize(("betas", "changes", "message"), [pytest.param(*row[1:], id=row[0]) for row in OUT_OF_RANGE])
def test_a_value_out_of_its_range_is_named_with_the_range(betas: str, changes: dict[str, Any], message: str):
    assert refused(body(**changes), headers(betas)) == message


@pytest.mark.promise("intake.ranges")
def test_a_conversation_has_at_most_a_hundred_thousand_messages():
    message = {"role": "user", "content": "a"}
    assert len(accepted(body(messages=[message] * 100_000)).messages) == 100_000
    assert refused(body(messages=[message] * 100_001)).startswith("messages: List should have at most 100000 items")


@pytest.mark.promise("intake.field-errors")
@pytest.mark.parametrize(
    "user_id", ["a@b", "@handle", "user@", "mail: me@mail.example.org, thanks", "a+b@c.de", "@a.b"]
)
def test_only_what_looks_like_an_address_is_refused_as_one(user_id: str):
    request = body(metadata={"user_id": user_id})
    if "." in user_id and user_id != "@a.b":
        assert refused(request) == "metadata.user_id: user_id appears to contain an email address"
    else:
        accepted(request)

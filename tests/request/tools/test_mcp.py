"""Which tools of MCP servers a request has, and what the model calls them."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from antiphon.ports.mcp import McpListed
from antiphon.request.case import Case
from antiphon.request.intake import parse_create
from antiphon.request.tools import mcp
from tests.request.requests import asked, body, context, tool, user

Json = dict[str, Any]

TOOLSETS = "mcp-client-2025-11-20"

LISTING = "mcp-client-2026-09-15"

SCHEMA: Json = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


def server(name: str = "docs") -> Json:
    return {"type": "url", "name": name, "url": "https://example.com/mcp"}


def toolset(name: str = "docs", **more: Any) -> Json:
    return {"type": "mcp_toolset", "mcp_server_name": name, **more}


def listed(*names: str, schema: Any = SCHEMA, description: str = "Does it.") -> list[McpListed]:
    return [McpListed(name, description, schema) for name in names]


def case(*tools: Json, servers: tuple[str, ...] = ("docs",), beta: str = TOOLSETS, **more: Any) -> Case:
    messages = more.pop("messages", [user()])
    request = body(*messages, tools=[*tools], mcp_servers=[server(name) for name in servers], **more)
    headers = context(beta)
    return asked(parse_create(orjson.dumps(request), headers), headers).case


def names(begun: Case, tools: dict[str, list[McpListed]]) -> dict[str, list[str]]:
    """What the model calls the tools of each server."""
    return {name: [tool.name for tool in found if tool.enabled] for name, found in mcp.offered(begun, tools).items()}


@pytest.mark.promise("mcp.names")
def test_a_name_that_is_taken_gets_its_servers_in_front_and_a_number_where_that_is_taken_too() -> None:
    begun = case(tool("look"), tool("docs__look"), toolset(), toolset("web"), servers=("docs", "web"))
    found = names(begun, {"docs": listed("look", "find"), "web": listed("find")})
    assert found == {"docs": ["docs__look_2", "find"], "web": ["web__find"]}


@pytest.mark.promise("mcp.names", "mcp.hostile-servers")
def test_names_are_made_fit_and_stay_apart() -> None:
    found = names(case(toolset()), {"docs": listed("a b", "a.b", "x" * 300, "x" * 301, "")})
    assert found["docs"][:2] == ["a_b", "docs__a_b"]
    assert len(set(found["docs"])) == 5
    assert all(1 <= len(name) <= 64 for name in found["docs"])


@pytest.mark.promise("mcp.switches")
@pytest.mark.parametrize(
    ("switches", "offered", "deferred"),
    [
        ({}, ["a", "b"], []),
        ({"default_config": {"enabled": False}}, [], []),
        ({"default_config": {"enabled": False}, "configs": {"b": {"enabled": True}}}, ["b"], []),
        ({"configs": {"a": {"enabled": False}}}, ["b"], []),
        ({"default_config": {"defer_loading": True}, "configs": {"a": {"defer_loading": False}}}, ["a", "b"], ["b"]),
        ({"default_config": {"defer_loading": True}, "configs": {"a": {"enabled": True}}}, ["a", "b"], ["a", "b"]),
    ],
    ids=["defaults", "all off", "one on", "one off", "one kept", "the default holds where configs are silent"],
)
def test_configs_go_before_the_default_config_and_that_before_the_defaults(
    switches: Json, offered: list[str], deferred: list[str]
) -> None:
    [found] = mcp.offered(case(toolset(**switches)), {"docs": listed("a", "b")}).values()
    assert [tool.name for tool in found if tool.enabled] == offered
    assert [tool.name for tool in found if tool.defer_loading] == deferred


@pytest.mark.promise("mcp.hostile-servers")
@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "anyOf": [{"required": ["a"]}]},
        {"type": "object", "properties": {"a b": {}}},
        {"type": "string"},
        {"type": "object", "description": "x" * 300_000},
        [],
        None,
    ],
    ids=["alternatives", "odd keys", "no object", "huge", "a list", "nothing"],
)
def test_a_schema_that_no_client_may_send_becomes_a_free_object(schema: Any) -> None:
    [[found]] = mcp.offered(case(toolset()), {"docs": listed("a", schema=schema)}).values()
    assert found.input_schema == {"type": "object"}
    assert len(found.description) < 20_000


def test_what_cannot_be_held_is_told_in_the_description() -> None:
    schema = {"type": "object", "anyOf": [{"required": ["a"]}]}
    [[found]] = mcp.offered(case(toolset()), {"docs": listed("a", schema=schema)}).values()
    assert '"anyOf": [{"required": ["a"]}]' in found.description


@pytest.mark.promise("mcp.pinned")
def test_a_toolset_that_pins_goes_before_a_listing_and_a_later_listing_before_an_earlier() -> None:
    def said(name: str) -> Json:
        entry = {"name": name, "description": "", "input_schema": {"type": "object"}}
        return {"type": "mcp_tool_listing", "mcp_server_name": "docs", "tools": [entry]}

    messages = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [said("one"), {"type": "text", "text": "b"}, said("two")]},
        {"role": "user", "content": "c"},
    ]
    pins = toolset(tools=[{"name": "three", "input_schema": {"type": "object"}}])
    by_listing = mcp.pinned(case(toolset(), beta=LISTING, messages=messages))
    by_toolset = mcp.pinned(case(pins, beta=LISTING, messages=messages))
    assert [tool.name for tool in by_listing["docs"]] == ["two"]
    assert [tool.name for tool in by_toolset["docs"]] == ["three"]


@pytest.mark.promise("mcp.validated")
def test_a_choice_is_of_a_tool_that_is_there_by_the_name_that_the_model_knows() -> None:
    begun = case(toolset(), tool_choice={"type": "tool", "name": "a"})
    there = replace(begun, listed=mcp.offered(begun, {"docs": listed("a")}))
    gone = replace(begun, listed=mcp.offered(begun, {"docs": listed("b")}))
    wrong = mcp.problem(gone)
    assert mcp.problem(there) is None
    assert wrong is not None
    assert wrong.message == "Tool 'a' not found in provided tools"


@pytest.mark.promise("mcp.validated")
def test_once_the_servers_are_asked_something_is_left_to_begin_with() -> None:
    def judged(*tools: Json) -> str | None:
        begun = case(*tools)
        wrong = mcp.problem(replace(begun, listed=mcp.offered(begun, {"docs": listed("a", "b")})))
        return None if wrong is None else wrong.message

    off = toolset(configs={"a": {"defer_loading": True}, "b": {"defer_loading": True}})
    assert judged(off) == "At least one tool must have defer_loading=false. All tools cannot be deferred."
    assert judged(off, tool("look")) is None
    assert judged(toolset(configs={"a": {"defer_loading": True}})) is None


@pytest.mark.promise("mcp.names")
def test_a_tool_that_is_switched_off_takes_no_name_from_another() -> None:
    off = toolset(default_config={"enabled": False})
    found = names(case(off, toolset("web"), servers=("docs", "web")), {"docs": listed("look"), "web": listed("look")})
    assert found == {"docs": [], "web": ["look"]}

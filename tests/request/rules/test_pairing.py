"""Calls and their results, of client tools and of server tools."""

from typing import Any

import pytest

from tests.request.requests import (
    CODE,
    SEARCH,
    YET,
    Json,
    assistant,
    body,
    call,
    image,
    result,
    search_result,
    server_call,
    system,
    text,
    thought,
    tool,
    user,
    verdict,
    wrong,
)


def unfinished(turn: int, tool: str, call_id: str = "srvtoolu_1") -> str:
    return (
        f"messages.{turn}: `{tool}` tool use with id `{call_id}` was found without a corresponding "
        f"`{tool}_tool_result` block"
    )


def unanswered(message: int, *ids: str) -> str:
    return (
        f"messages.{message}: `tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(ids)}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."
    )


def orphan(path: str, call_id: str) -> str:
    return (
        f"{path}: unexpected `tool_use_id` found in `tool_result` blocks: {call_id}. Each `tool_result` block must have "
        "a corresponding `tool_use` block in the previous message."
    )


TURN_CONFIG = "mid-conversation-output-config-2026-07-01"

A, B = "toolu_01A", "toolu_01B"

REFUSED: dict[str, tuple[list[Any], str]] = {
    "no message behind the call": ([user(), assistant([call(A)])], unanswered(1, A)),
    "no result behind the call": ([user(), assistant([call(A)]), user("so?")], unanswered(1, A)),
    "two calls without results": ([user(), assistant([call(A), call(B)]), user("so?")], unanswered(1, A, B)),
    "one of two calls without a result": (
        [user(), assistant([call(A), call(B)]), user([result(A)])],
        unanswered(1, B),
    ),
    "text before the result": (
        [user(), assistant([call(A)]), user([text("here"), result(A)])],
        unanswered(1, A),
    ),
    "text before the second result": (
        [user(), assistant([call(A), call(B)]), user([result(A), text("and"), result(B)])],
        unanswered(1, B),
    ),
    "text in a user message before that of the result": (
        [user(), assistant([call(A)]), user("here"), user([result(A)])],
        unanswered(1, A),
    ),
    "the result comes a turn late": (
        [user(), assistant([call(A)]), user("so?"), assistant(), user([result(A)])],
        unanswered(1, A),
    ),
    "a call in the second of two assistant messages": (
        [user(), assistant("well"), assistant([call(A)]), user("so?")],
        unanswered(1, A),
    ),
    "a call behind two messages of the user's": (
        [user(), user(), assistant([call(A)]), user("so?")],
        unanswered(1, A),
    ),
    "a call in a conversation that the assistant began": ([assistant([call(A)]), user("so?")], unanswered(1, A)),
    "text behind the call": ([user(), assistant([call(A), text("ok")]), user([result(A)])], unanswered(1, A)),
    "blank text behind the call": ([user(), assistant([call(A), text(" ")]), user([result(A)])], unanswered(1, A)),
    "text between two calls": (
        [user(), assistant([call(A), text("and"), call(B)]), user([result(A), result(B)])],
        unanswered(1, A),
    ),
    "text behind two calls": (
        [user(), assistant([call(A), call(B), text("so")]), user([result(A), result(B)])],
        unanswered(1, A, B),
    ),
    "text in a message behind that of the call": (
        [user(), assistant([call(A)]), assistant("ok"), user([result(A)])],
        unanswered(1, A),
    ),
    "thinking between two calls": (
        [user(), assistant([thought(), call(A), thought(), call(B)]), user([result(A), result(B)])],
        unanswered(1, A),
    ),
    "a server tool's pair behind the call": (
        [
            user(),
            assistant([call(A), server_call("srvtoolu_1"), search_result("srvtoolu_1")]),
            user([result(A)]),
        ],
        unanswered(1, A),
    ),
    "a server tool's result behind the call": (
        [
            user(),
            assistant([server_call("srvtoolu_1"), call(A), search_result("srvtoolu_1")]),
            user([result(A)]),
        ],
        unanswered(1, A),
    ),
    "a result in the second of two user messages, without a call": (
        [user("a"), user([result(A)])],
        orphan("messages.0.content.1", A),
    ),
    "a result behind blocks and a string": (
        [user([text("a"), text("b")]), user("c"), user([result(A)])],
        orphan("messages.0.content.3", A),
    ),
    "a result without a call behind the assistant's own beginning": (
        [assistant(), user([result(A)])],
        orphan("messages.2.content.0", A),
    ),
    "a result behind a directive": (
        [user("a"), system([], output_config={"effort": "high"}), user([result(A)])],
        orphan("messages.0.content.1", A),
    ),
    "a result without any call": ([user([text("a"), result(A)])], orphan("messages.0.content.1", A)),
    "a result of another call": (
        [user(), assistant([call(A)]), user([result(A), result(B)])],
        orphan("messages.2.content.1", B),
    ),
    "a result of the call before last": (
        [user(), assistant([call(A)]), user([result(A)]), assistant(), user([result(A)])],
        orphan("messages.4.content.0", A),
    ),
    "two results of one call": (
        [user(), assistant([call(A)]), user([result(A), result(A)])],
        "messages.2.content.1: each tool_use must have a single result. Found multiple `tool_result` blocks with id: "
        + A,
    ),
    "two calls of one id": (
        [user(), assistant([call(A), call(A)]), user([result(A)])],
        "messages.1.content.1: `tool_use` ids must be unique",
    ),
    "two calls of one id in two messages": (
        [user(), assistant([text("a"), call(A)]), assistant([call(A)]), user([result(A)])],
        "messages.1.content.2: `tool_use` ids must be unique",
    ),
    "two results of one call in two messages": (
        [user(), assistant([call(A)]), user([result(A)]), user([result(A)])],
        "messages.2.content.1: each tool_use must have a single result. Found multiple `tool_result` blocks with id: "
        + A,
    ),
    "a result that names a toolset of its own": (
        [user(), assistant([call(A)]), user([result(A, toolset_name="browser")])],
        "messages.2.content.0.tool_result.toolset_name: must be left out, as in the `tool_use` block that it answers",
    ),
    "a result that does not name the toolset": (
        [user(), assistant([call(A, toolset_name="browser")]), user([result(A)])],
        "messages.2.content.0.tool_result.toolset_name: must be 'browser', as in the `tool_use` block that it answers",
    ),
    "a document from the screen": (
        [
            user(),
            assistant([call(A, toolset_name="computer")]),
            user([result(A, [{"type": "tool_reference", "tool_name": "x"}], toolset_name="computer")]),
        ],
        "messages.2.content.0.tool_result.content: results of toolset members support text, image and browser_state "
        "blocks only",
    ),
    "tabs from the screen": (
        [
            user(),
            assistant([call(A, toolset_name="computer")]),
            user([result(A, [{"type": "browser_state", "tabs": []}], toolset_name="computer")]),
        ],
        "messages.2.content.0.tool_result.content: one `browser_state` block is permitted, in results of the browser "
        "toolset only",
    ),
    "results for code that waits in an unnamed container": (
        [
            user(),
            assistant([call(A, caller={"type": "code_execution_20260120", "tool_id": "srvtoolu_1"})]),
            user([result(A)]),
        ],
        "container_id is required when there are pending tool uses generated by code execution with tools.",
    ),
    "a server call without its result": (
        [user(), assistant([server_call("srvtoolu_1"), text("a")]), user()],
        unfinished(1, "web_search"),
    ),
    "a server call that waits while the user says more than results": (
        [user(), assistant([server_call("srvtoolu_1"), call(A)]), user([result(A), text("hurry")])],
        unfinished(1, "web_search"),
    ),
    "a server call with the result of another tool": (
        [user(), assistant([server_call("srvtoolu_1", "code_execution"), search_result("srvtoolu_1")])],
        "messages.1.content.1: unexpected `tool_use_id` found in `web_search_tool_result` blocks: srvtoolu_1. Each "
        "`web_search_tool_result` block must have a corresponding `server_tool_use` block before it.",
    ),
    "a server result without a call": (
        [user(), assistant([search_result("srvtoolu_1")])],
        "messages.1.content.0: unexpected `tool_use_id` found in `web_search_tool_result` blocks: srvtoolu_1. Each "
        "`web_search_tool_result` block must have a corresponding `server_tool_use` block before it.",
    ),
    "a server result without a call in the second message of a turn": (
        [user(), assistant("well"), assistant([search_result("srvtoolu_1")])],
        "messages.1.content.1: unexpected `tool_use_id` found in `web_search_tool_result` blocks: srvtoolu_1. Each "
        "`web_search_tool_result` block must have a corresponding `server_tool_use` block before it.",
    ),
    "two server calls of one id": (
        [user(), assistant([server_call("srvtoolu_1"), search_result("srvtoolu_1"), server_call("srvtoolu_1")])],
        "messages.1.content.2: `server_tool_use` ids must be unique",
    ),
    "a paused server call whose tool is gone": (
        [user(), assistant([server_call("srvtoolu_1", "web_fetch")])],
        unfinished(1, "web_fetch") + " but no `web_fetch` tool was provided",
    ),
}

ACCEPTED: dict[str, list[Any]] = {
    "an id of an earlier turn": [
        user(),
        assistant([call(A)]),
        user([result(A)]),
        assistant([text("a"), call(A)]),
        user([result(A)]),
    ],
    "a server tool's id of an earlier turn": [
        user(),
        assistant([server_call("srvtoolu_1"), search_result("srvtoolu_1")]),
        user(),
        assistant([server_call("srvtoolu_1"), search_result("srvtoolu_1")]),
        user(),
    ],
    "a server call that waits behind a client's": [
        user(),
        assistant([call(A), server_call("srvtoolu_1")]),
        user([result(A)]),
    ],
    "a server tool's pair before the call": [
        user(),
        assistant([server_call("srvtoolu_1"), search_result("srvtoolu_1"), text("so"), call(A), call(B)]),
        user([result(A), result(B)]),
    ],
    "a call that opens the conversation": [assistant([call(A)]), user([result(A)])],
    "a call and its result": [user(), assistant([call(A)]), user([result(A)])],
    "text before the call": [user(), assistant([text("let me see"), call(A)]), user([result(A)])],
    "text behind the result": [user(), assistant([call(A)]), user([result(A), text("so?")])],
    "results in another order": [user(), assistant([call(A), call(B)]), user([result(B), result(A)])],
    "results in two messages": [user(), assistant([call(A), call(B)]), user([result(A)]), user([result(B)])],
    "calls in two messages": [user(), assistant([call(A)]), assistant([call(B)]), user([result(A), result(B)])],
    "a call behind a result": [
        user(),
        assistant([call(A)]),
        user([result(A)]),
        assistant([call(B)]),
        user([result(B)]),
    ],
    "a result that is silent": [user(), assistant([call(A)]), user([{"type": "tool_result", "tool_use_id": A}])],
    "a result that is an error": [user(), assistant([call(A)]), user([result(A, "no such zone", is_error=True)])],
    "a result of blocks": [user(), assistant([call(A)]), user([result(A, [text("a"), image()])])],
    "a call as a reply has it": [user(), assistant([call(A, caller={"type": "direct"})]), user([result(A)])],
    "tabs from the browser": [
        user(),
        assistant([call(A, toolset_name="browser")]),
        user([result(A, [text("a"), image(), {"type": "browser_state", "tabs": []}], toolset_name="browser")]),
    ],
    "a server call and its result": [
        user(),
        assistant([server_call("srvtoolu_1"), search_result("srvtoolu_1"), text("a")]),
        user(),
    ],
    "a paused server call": [user(), assistant([text("a"), server_call("srvtoolu_1")])],
    "a paused call of the container's shell": [user(), assistant([server_call("srvtoolu_1", "bash_code_execution")])],
    "a server call that waits for a client's result": [
        user(),
        assistant([server_call("srvtoolu_1"), call(A)]),
        user([result(A)]),
    ],
    "a server result that opens the next reply": [
        user(),
        assistant([server_call("srvtoolu_1"), call(A)]),
        user([result(A)]),
        assistant([search_result("srvtoolu_1"), text("a")]),
        user(),
    ],
    "a system message between a pause and its resumption": [
        user(),
        assistant([server_call("srvtoolu_1"), search_result("srvtoolu_1")]),
        system(),
        assistant("a"),
        user(),
    ],
}


@pytest.mark.promise("errors.tool-pairing", "errors.server-pairing")
@pytest.mark.parametrize("case", REFUSED)
def test_calls_and_results_that_do_not_match_are_refused_with_their_ids(case: str) -> None:
    messages, message = REFUSED[case]
    assert verdict(body(*messages, tools=[SEARCH, CODE]), TURN_CONFIG) == message


@pytest.mark.promise("errors.tool-pairing")
@pytest.mark.parametrize("case", ACCEPTED)
def test_calls_and_results_that_match_are_accepted(case: str) -> None:
    assert wrong(body(*ACCEPTED[case], tools=[SEARCH, CODE])) is None


@pytest.mark.promise("errors.tool-pairing")
@pytest.mark.parametrize("case", ["no result behind the call", "a result without any call", "two calls of one id"])
def test_counting_tokens_refuses_in_the_same_words(case: str) -> None:
    messages, message = REFUSED[case]
    request = body(*messages)
    del request["max_tokens"]
    assert verdict(request) == message


def test_results_for_waiting_code_come_with_its_container() -> None:
    waiting = call(A, caller={"type": "code_execution_20260120", "tool_id": "srvtoolu_1"})
    code = server_call("srvtoolu_1", "code_execution")
    request = body(user(), assistant([code, waiting]), user([result(A)]), tools=[CODE])
    assert wrong({**request, "container": "container_1"}) is None
    assert wrong({**request, "container": {"id": "container_1"}}) is None
    assert str(wrong({**request, "container": {}})).startswith("container_id is required")


@pytest.mark.promise("mcp.replayed")
def test_a_call_of_an_mcp_server_waits_only_while_the_server_is_there() -> None:
    used: Json = {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "look", "server_name": "docs", "input": {}}
    answered = {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "content": "a"}
    server = {"type": "url", "name": "docs", "url": "https://example.com/mcp"}
    header = "mcp-client-2025-04-04"
    assert wrong(body(user(), assistant([used, answered]), user()), header) is None
    assert wrong(body(user(), assistant([used]), mcp_servers=[server]), header) is None
    for request in (body(user(), assistant([used])), body(user(), assistant([used]), user(), mcp_servers=[server])):
        assert verdict(request, header) == (
            "messages.1: `look` tool use with id `mcptoolu_1` was found without a corresponding `mcp_tool_result` block"
        )


@pytest.mark.promise("errors.pending-code")
@pytest.mark.parametrize(
    "definition",
    [
        tool("a", allowed_callers=["code_execution_20260120"]),
        tool("a", allowed_callers=["direct", "code_execution_20250825"]),
        {"type": "web_search_20260209", "name": "web_search"},
    ],
)
def test_a_pending_call_of_code_that_only_a_tools_callers_name_is_told_as_not_built(definition: Json) -> None:
    waits = body(user(), assistant([server_call("srvtoolu_1", "code_execution")]), tools=[definition])
    assert verdict(waits) == f"messages.1.content.0: code_execution calls are{YET}"
    assert verdict({**waits, "container": "container_1"}) == f"messages.1.content.0: code_execution calls are{YET}"


@pytest.mark.promise("errors.pending-code")
def test_a_pending_call_of_code_without_anything_that_runs_it_is_told_as_not_provided() -> None:
    for given in (tool(), {"type": "web_search_20260209", "name": "web_search", "allowed_callers": ["direct"]}):
        waits = body(user(), assistant([server_call("srvtoolu_1", "code_execution")]), tools=[given])
        assert verdict(waits) == unfinished(1, "code_execution") + " but no `code_execution` tool was provided"


def test_very_many_ids_are_not_all_named() -> None:
    calls = [call(f"toolu_{n}") for n in range(5000)]
    message = verdict(body(user(), assistant(calls), user("so?")))
    assert message is not None
    assert message.count("toolu_") == 100

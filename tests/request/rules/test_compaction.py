"""What a request for a summary may hold, and what comes back of one."""

from typing import Any

import orjson
import pytest

from antiphon.dialogue.conversation import Text
from antiphon.dialogue.tools import Choice
from antiphon.request.intake import parse_create
from antiphon.request.sealed.compactions import DEFAULT_INSTRUCTION, told
from antiphon.wire.request import CreateMessage
from tests.request.requests import (
    TOOL,
    Json,
    assistant,
    body,
    call,
    context,
    issue,
    result,
    system,
    text,
    told_of,
    user,
    verdict,
)

ON_DEMAND, AT_THRESHOLD = "compact-2026-09-04", "compact-2026-01-12"

BETAS = (
    ON_DEMAND,
    AT_THRESHOLD,
    "context-management-2025-06-27",
    "structured-outputs-2025-11-13",
    "task-budgets-2026-03-13",
    "mid-conversation-tool-changes-2026-07-01",
)

FORM: Json = {"type": "json_schema", "schema": {"type": "object", "additionalProperties": False}}

BLOCK: Json = {"type": "compaction", "content": "They said hello.", "signature": "c2ln"}

FAILED: Json = {"type": "compaction", "content": None}

REMAINING = {"task_budget": {"type": "tokens", "total": 20_000, "remaining": 5}}

EDIT = {"edits": [{"type": "compact_20260112"}]}


def summarize(*messages: Json, **more: Any) -> Json:
    return body(*messages, **{"compaction": {"type": "summarize"}, **more})


@pytest.mark.promise("compaction.alone")
@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"context_management": {"edits": []}}, "context_management"),
        ({"context_management": EDIT}, "context_management"),
        ({"stop_sequences": ["end"]}, "stop_sequences"),
        ({"output_config": {"format": FORM}}, "output_config.format"),
        ({"output_format": FORM}, "output_format"),
        ({"tools": [TOOL], "tool_choice": {"type": "any"}}, "tool_choice of type `any` or `tool`"),
        (
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "get_time"}},
            "tool_choice of type `any` or `tool`",
        ),
        ({"output_config": REMAINING}, "output_config.task_budget.remaining"),
    ],
)
def test_what_only_an_answer_can_follow_is_refused(more: Json, what: str) -> None:
    assert verdict(summarize(**more), *BETAS) == f"compaction: `compaction` cannot be combined with {what}."


@pytest.mark.promise("compaction.alone")
@pytest.mark.parametrize(
    "request_",
    [
        summarize(),
        summarize(stop_sequences=[]),
        summarize(tools=[TOOL], tool_choice={"type": "auto"}),
        summarize(user(), assistant()),
        summarize(user(), assistant("It ends in a space. ")),
        summarize(user(), assistant([call("toolu_1")]), user([result("toolu_1")]), tools=[TOOL]),
        summarize(assistant([BLOCK])),
        {**summarize(user(), assistant()), "model": "claude-opus-5-5"},
    ],
)
def test_what_changes_no_summary_is_taken(request_: Json) -> None:
    assert verdict(request_, *BETAS) is None


@pytest.mark.promise("compaction.alone")
def test_the_parameter_needs_its_header() -> None:
    assert verdict(summarize()) == "`compaction` requires anthropic-beta: compact-2026-09-04"


@pytest.mark.promise("compaction.errors")
@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (
            {**summarize(), "messages": []},
            "compaction_nothing_to_summarize",
            "compaction: messages hold no `user` or `assistant` content to summarize.",
        ),
        (
            summarize(user(), assistant([text("Hm."), call("toolu_1")]), tools=[TOOL]),
            "compaction_incomplete_turn",
            "messages.1.content.1: the last `assistant` turn ends in a `tool_use` without a result. Send the turn's "
            "results first, then compact.",
        ),
        (
            body(user(), assistant([BLOCK]), user()),
            "compaction_block_misplaced",
            "messages.1.content.0: `compaction` block must be sent first, in place of the messages it summarizes; "
            "remove those messages",
        ),
        (
            body(user([text("a"), BLOCK])),
            "compaction_block_misplaced",
            "messages.0.content.1: `compaction` block must be sent first, in place of the messages it summarizes; "
            "remove those messages",
        ),
        (
            body(assistant([BLOCK]), user(), assistant([BLOCK]), user()),
            "compaction_block_ambiguous",
            "messages.2.content.0: a request can carry only one `compaction` block; send only the newest",
        ),
    ],
)
def test_what_cannot_be_summarized_or_read_has_its_code(request_: Json, code: str, message: str) -> None:
    found = issue(request_, *BETAS)
    assert found is not None
    assert (found.message, found.details) == (message, {"error_code": code})


@pytest.mark.promise("compaction.errors")
@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"context_management": EDIT},
            "context_management: `compact_20260112` cannot be used on a request that carries a signed `compaction` "
            "block.",
        ),
        (
            {"output_config": REMAINING},
            "output_config.task_budget.remaining: not permitted on a request that carries a signed `compaction` "
            "block.",
        ),
    ],
)
def test_what_a_sealed_summary_does_not_go_with_is_refused(more: Json, message: str) -> None:
    assert verdict(body(assistant([BLOCK]), user(), **more), *BETAS) == message


@pytest.mark.promise("compaction.errors")
def test_a_summary_of_no_words_is_none() -> None:
    assert verdict(body(assistant([{**BLOCK, "content": ""}]), user()), *BETAS) == (
        "messages.0.content.0.compaction.content: String should have at least 1 character"
    )


def lowered(request: Json) -> Any:
    parsed: CreateMessage = parse_create(orjson.dumps(request), context(*BETAS))
    return told_of(parsed, context(*BETAS))


@pytest.mark.promise("compaction.same-prefix")
@pytest.mark.parametrize("messages", [[user(), assistant()], [user()], [user(), assistant(), user()]])
def test_the_user_asks_for_the_summary_last(messages: list[Json]) -> None:
    conversation = lowered(summarize(*messages, tools=[TOOL]))
    assert conversation.prefill is None
    assert (conversation.turns[-1].speaker, conversation.turns[-1].parts[-1]) == ("user", Text(DEFAULT_INSTRUCTION))
    assert (conversation.choice, conversation.thinking.budget) == (Choice("none"), 0)
    assert [tool.name for tool in conversation.tools] == ["get_time"]


@pytest.mark.promise("compaction.threshold-replay")
@pytest.mark.parametrize(
    ("messages", "parts"),
    [
        ([user("a"), assistant([FAILED]), user("b")], [["a", "b"]]),
        ([user("a"), assistant([FAILED, text("c")]), user("b")], [["a"], ["c"], ["b"]]),
        ([user("a"), assistant([{**BLOCK, "signature": None}])], [[told("They said hello.")]]),
        (
            [user("a"), assistant([text("c"), {**BLOCK, "signature": None}, text("d")]), user("b")],
            [[told("They said hello.")], ["d"], ["b"]],
        ),
    ],
)
def test_the_last_summary_with_words_stands_for_what_was_before_it(messages: list[Json], parts: Any) -> None:
    conversation = lowered(body(*messages, context_management=EDIT))
    assert [[part.text for part in turn.parts] for turn in conversation.turns] == parts


@pytest.mark.promise("compaction.tools")
def test_system_messages_before_a_summary_change_nothing_any_more() -> None:
    removal = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "get_time"}}
    summary = {**BLOCK, "signature": None}
    messages = [user("a"), system([removal]), assistant([summary]), user("b")]
    conversation = lowered(body(*messages, tools=[TOOL], context_management=EDIT))
    assert [tool.withdrawn for tool in conversation.tools] == [False]

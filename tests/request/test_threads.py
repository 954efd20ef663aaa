"""Conversations that are kept, and requests that go on with one."""

from typing import Any

import orjson
import pytest

from antiphon.request.intake import parse_create
from antiphon.request.threads import (
    Conversation,
    already_continued,
    conversation_of,
    differing,
    in_flight,
    joined,
    kept,
    mismatch,
    not_found,
    thread_of,
    unsupported,
)
from antiphon.wire.base import WireContext
from antiphon.wire.reply import ReplyText, ReplyThinking, ReplyToolUse
from antiphon.wire.settings import ThreadContinue, ThreadCreate
from tests.request.requests import Json, assistant, body, context, text, tool, user

THREADS = "message-threads-2026-08-12"
ON: Json = {"thread": {"type": "continue", "previous_message_id": "msg_1"}}
MARK: Json = {"cache_control": {"type": "ephemeral"}}
SAID = [ReplyText(text="Hello.")]
BILLING = "x-anthropic-billing-header: cc_version=2.1.330; cch={};"


def stored(request: Json, *content: Any) -> Conversation:
    found = conversation_of(kept(request, content or SAID))
    assert found is not None
    return found


def test_what_is_kept_is_what_a_client_would_send_again() -> None:
    request = body(user("Hi"), system="Be brief.", tools=[tool("a")], stream=True, metadata={"user_id": "u"})
    assert stored(request) == {
        "system": "Be brief.",
        "tools": [tool("a")],
        "messages": [user("Hi"), assistant([{"type": "text", "text": "Hello."}])],
    }


def test_a_reply_that_says_nothing_is_no_message() -> None:
    assert conversation_of(kept(body(user("Hi")), [])) == {"messages": [user("Hi")]}


@pytest.mark.promise("threads.as-if-whole")
def test_a_continued_request_becomes_the_whole_one() -> None:
    first = body(user("Hi"), system="Be brief.", tools=[tool("a")])
    again = joined(stored(first), {"model": "m", "max_tokens": 5, "messages": [user("And?")], "stream": True, **ON})
    said = assistant([{"type": "text", "text": "Hello."}])
    assert again == {
        "model": "m",
        "max_tokens": 5,
        "stream": True,
        "system": "Be brief.",
        "tools": [tool("a")],
        "messages": [user("Hi"), said, user("And?")],
        **ON,
    }


def test_what_was_kept_can_be_kept_again_and_read_as_a_request() -> None:
    thought = ReplyThinking(thinking="Hm.", signature="s")
    called = ReplyToolUse(id="toolu_1", name="a", input={"cache_control": 1})
    first = joined(stored(body(user("Hi"), tools=[tool("a")]), thought, called), {**body(user("And?")), **ON})
    second = joined(stored(first), {**body(user("More")), **ON})
    parsed = parse_create(orjson.dumps(second), context(THREADS))
    assert [message.role for message in parsed.messages] == ["user", "assistant", "user", "assistant", "user"]
    assert parsed.tools is not None


@pytest.mark.promise("threads.markers")
def test_markers_of_answered_messages_are_gone_and_those_in_front_stay() -> None:
    inner = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("r", **MARK)], **MARK}
    call = {"type": "tool_use", "id": "toolu_1", "name": "a", "input": {"cache_control": "mine"}, **MARK}
    request = body(
        user([text("Hi", **MARK)]),
        assistant([call]),
        user([inner]),
        system=[text("s", **MARK)],
        tools=[tool("a", **MARK)],
    )
    found = stored(request)
    assert found["messages"][:3] == [
        user([text("Hi")]),
        assistant([{"type": "tool_use", "id": "toolu_1", "name": "a", "input": {"cache_control": "mine"}}]),
        user([{"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("r")]}]),
    ]
    assert (found["system"], found["tools"]) == ([text("s", **MARK)], [tool("a", **MARK)])


EQUAL: dict[str, tuple[Json, Json]] = {
    "nothing is said again": ({"system": "s", "tools": [tool("a")]}, {}),
    "the same": ({"system": "s", "tools": [tool("a")]}, {"system": "s", "tools": [tool("a")]}),
    "a text as a block": ({"system": "s"}, {"system": [text("s")]}),
    "other markers": ({"system": [text("s", **MARK)]}, {"system": [text("s")]}),
    "a marker on a tool": ({"tools": [tool("a")]}, {"tools": [tool("a", **MARK)]}),
    "another accounting line": (
        {"system": [text(BILLING.format("a1")), text("s")]},
        {"system": [text(BILLING.format("b2")), text("s")]},
    ),
    "the accounting line alone": (
        {"system": [text(BILLING.format("a1")), text("s")]},
        {"system": [text(BILLING.format("b2"))]},
    ),
    "a tool's own kind": ({"tools": [tool("a")]}, {"tools": [{**tool("a"), "type": "custom"}]}),
    "no tools": ({}, {"tools": []}),
    "the same effort": ({"output_config": {"effort": "low"}}, {"output_config": {"effort": "low", "format": None}}),
    "the format's old name": (
        {"output_format": {"type": "json_schema", "schema": {}}},
        {"output_config": {"format": {"type": "json_schema", "schema": {}}}},
    ),
}

OTHER: dict[str, tuple[Json, Json, list[str]]] = {
    "system": ({"system": "s"}, {"system": "t"}, ["system"]),
    "a system prompt that was none": ({}, {"system": "t"}, ["system"]),
    "tools": ({"tools": [tool("a")]}, {"tools": [tool("b")]}, ["tools"]),
    "fewer tools": ({"tools": [tool("a"), tool("b")]}, {"tools": [tool("a")]}, ["tools"]),
    "no tools any more": ({"tools": [tool("a")]}, {"tools": []}, ["tools"]),
    "effort": ({"output_config": {"effort": "low"}}, {"output_config": {"effort": "high"}}, ["output_config"]),
    "no effort any more": ({"output_config": {"effort": "low"}}, {}, ["output_config"]),
    "all": (
        {"system": "s", "tools": [tool("a")]},
        {"system": "t", "tools": [], "output_config": {"effort": "low"}},
        ["system", "tools", "output_config"],
    ),
    "what is no system prompt": ({"system": "s"}, {"system": 5}, ["system"]),
    "what are no tools": ({}, {"tools": 5}, ["tools"]),
    "what is no config": ({}, {"output_config": 5}, ["output_config"]),
}


@pytest.mark.promise("threads.fixed-fields")
@pytest.mark.parametrize("case", EQUAL)
def test_what_is_said_again_as_it_was_is_accepted(case: str) -> None:
    created, again = EQUAL[case]
    assert differing(stored(body(user("Hi"), **created)), {**body(user()), **ON, **again}) == []


@pytest.mark.promise("threads.fixed-fields")
@pytest.mark.parametrize("case", OTHER)
def test_what_is_another_than_it_was_is_named(case: str) -> None:
    created, again, names = OTHER[case]
    assert differing(stored(body(user("Hi"), **created)), {**body(user()), **ON, **again}) == names


def test_a_thread_of_the_right_shape_is_read() -> None:
    assert thread_of(body(user(), thread={"type": "create"}), context(THREADS)) == ThreadCreate(type="create")
    assert thread_of({**body(user()), **ON}, context(THREADS)) == ThreadContinue(
        type="continue", previous_message_id="msg_1"
    )


@pytest.mark.promise("threads.header")
@pytest.mark.parametrize(
    "thread", [None, "create", {"type": "go"}, {"type": "continue"}, {"type": "create", "id": 1}]
)
def test_what_is_no_thread_is_left_to_the_shape_s_own_errors(thread: Any) -> None:
    assert thread_of(body(user(), thread=thread), context(THREADS)) is None
    assert thread_of({**body(user()), **ON}, WireContext()) is None


@pytest.mark.promise("threads.never-shortened")
@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"messages": 1}', b"\xff"])
def test_what_is_no_conversation_is_none(data: bytes) -> None:
    assert conversation_of(data) is None


def test_each_refusal_has_the_code_and_the_words_that_clients_know() -> None:
    errors = [not_found(), already_continued(), in_flight(), mismatch(["system", "tools"]), unsupported()]
    assert [(error.status, error.details) for error in errors] == [
        (404, {"error_code": "thread_not_found"}),
        (400, {"error_code": "thread_already_continued"}),
        (400, {"error_code": "thread_continue_in_flight"}),
        (400, {"error_code": "thread_fingerprint_mismatch"}),
        (400, {"error_code": "thread_unsupported_request"}),
    ]
    assert errors[0].message == (
        "No thread state was found for the requested `previous_message_id`. Replay the full conversation with thread: "
        '{"type": "create"} to start a new Thread.'
    )
    assert "already been continued" in errors[1].message
    assert "differing field(s): system, tools." in errors[3].message

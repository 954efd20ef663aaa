"""The server that applications' tests plan replies for: what it says, and what it tells of what it was asked."""

import json
import threading
from typing import Any

import anthropic
import pytest

from antiphon.testing import (
    Page,
    ScriptedServer,
    UnexpectedRequest,
    breaks_off,
    disconnects,
    hangs,
    thinking,
    tool_call,
    web_search,
)
from antiphon.testing.listening import LoopThread
from tests.testing.asking import HELLO, SEARCH, TOOL, ask, client_of, hear

THINKING: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 3000,
    "thinking": {"type": "enabled", "budget_tokens": 1024},
}


@pytest.mark.promise("script.planned")
def test_replies_are_given_in_their_order(server: ScriptedServer) -> None:
    server.reply("One.")
    server.reply("Two.", times=2)
    said = [ask(server).content for _ in range(3)]
    assert [block.text for [block] in said if block.type == "text"] == ["One.", "Two.", "Two."]
    assert server.left == 0


def test_a_reply_is_for_the_requests_that_it_names(server: ScriptedServer) -> None:
    server.reply("Ja.", when="Hallo")
    server.reply("Short.", when=lambda body: body["max_tokens"] == 7, times=None)
    server.reply("Yes.", times=None)
    cases: list[dict[str, Any]] = [{}, {"max_tokens": 7}, {"messages": [{"role": "user", "content": "Hallo!"}]}]
    said = [ask(server, **more).content[0] for more in cases]
    assert [block.text for block in said if block.type == "text"] == ["Yes.", "Short.", "Ja."]


@pytest.mark.promise("script.planned")
@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_tool_calls_come_with_their_inputs(server: ScriptedServer, streams: bool) -> None:
    server.reply("Let me see.", tool_call("look_up", what='"Ä" {x}'), tool_call("look_up"))
    message = hear(server, tools=[TOOL])[1] if streams else ask(server, tools=[TOOL])
    assert isinstance(message, anthropic.types.Message)
    _, first, second = message.content
    assert (message.stop_reason, first.type, second.type) == ("tool_use", "tool_use", "tool_use")
    assert isinstance(first, anthropic.types.ToolUseBlock)
    assert first.input == {"what": '"Ä" {x}'}


@pytest.mark.promise("script.planned")
def test_thinking_is_sent_to_those_who_ask_for_it_and_is_taken_back(server: ScriptedServer) -> None:
    server.reply(thinking("Two and two."), "Four.", times=None)
    assert [block.type for block in ask(server).content] == ["text"]
    thought = ask(server, **THINKING)
    assert [block.type for block in thought.content] == ["thinking", "text"]
    again = [*HELLO["messages"], {"role": "assistant", "content": thought.content}, {"role": "user", "content": "?"}]
    assert ask(server, **THINKING, messages=again).stop_reason == "end_turn"
    forged = json.loads(server.last.body)
    forged["messages"][1]["content"][0]["signature"] = "AAAA"
    with pytest.raises(anthropic.BadRequestError, match="signature"):
        ask(server, **forged)


@pytest.mark.promise("script.planned")
def test_a_paused_turn_is_sent_back_and_goes_on(server: ScriptedServer) -> None:
    server.pause(web_search("cats", Page("https://cats.example/", "Cats", "All about cats.")))
    server.reply("They purr.")
    paused = ask(server, tools=[SEARCH])
    assert (paused.stop_reason, [block.type for block in paused.content]) == (
        "pause_turn",
        ["server_tool_use", "web_search_tool_result"],
    )
    assert paused.usage.server_tool_use is not None
    assert paused.usage.server_tool_use.web_search_requests == 1
    back = [*HELLO["messages"], {"role": "assistant", "content": paused.content}]
    assert ask(server, tools=[SEARCH], messages=back).stop_reason == "end_turn"


@pytest.mark.promise("script.planned")
def test_refusals_and_every_other_end_are_said(server: ScriptedServer) -> None:
    server.refuse("I will", category="bio")
    server.reply("Long", stop_reason="max_tokens")
    server.reply("Short", stop_sequence="###")
    refused, long, short = (ask(server) for _ in range(3))
    assert refused.stop_details is not None
    assert (refused.stop_reason, refused.stop_details.category) == ("refusal", "bio")
    assert long.stop_reason == "max_tokens"
    assert (short.stop_reason, short.stop_sequence) == ("stop_sequence", "###")
    with pytest.raises(ValueError, match="no stop reason"):
        server.reply("?", stop_reason="bored")  # pyright: ignore[reportArgumentType]


@pytest.mark.promise("script.planned")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 504, 529])
def test_an_error_has_its_status_and_type(server: ScriptedServer, status: int) -> None:
    server.fail(status)
    with pytest.raises(anthropic.APIStatusError) as caught:
        ask(server)
    assert caught.value.status_code == status == server.last.status


def test_a_status_that_the_api_does_not_have_is_a_mistake(server: ScriptedServer) -> None:
    with pytest.raises(ValueError, match="418"):
        server.fail(418)


def test_the_sdk_tries_again_when_it_was_told_to(server: ScriptedServer) -> None:
    server.fail(429, retry_after=0.01)
    server.reply("Here.")
    assert ask(server, retries=1).stop_reason == "end_turn"
    assert [request.status for request in server.requests] == [429, 200]


@pytest.mark.promise("script.planned-failures")
def test_an_error_in_mid_stream_comes_behind_what_was_said(server: ScriptedServer) -> None:
    server.reply("One two three four", ending=breaks_off(529, after=2))
    heard, ended = hear(server)
    assert heard == ["One", " two"]
    assert isinstance(ended, anthropic.APIStatusError)
    assert "overloaded_error" in str(ended)


@pytest.mark.promise("script.planned-failures")
@pytest.mark.parametrize("after", [0, 2])
def test_a_connection_is_lost_behind_what_was_said(server: ScriptedServer, after: int) -> None:
    server.reply("One two three four", ending=disconnects(after), times=None)
    heard, ended = hear(server)
    assert heard == ["One", " two"][:after]
    assert "RemoteProtocolError" in repr(ended) or "RemoteProtocolError" in repr(ended.__cause__)  # type: ignore[union-attr]
    with pytest.raises(anthropic.APIConnectionError):
        ask(server)


@pytest.mark.promise("script.planned-failures")
def test_a_reply_that_hangs_says_no_more_and_the_client_gives_up(server: ScriptedServer) -> None:
    server.reply("One two three", ending=hangs(after=1))
    heard: list[str] = []
    with client_of(server.url, server.api_key) as client, client.messages.stream(**HELLO, timeout=20.0) as stream:
        for text in stream.text_stream:
            heard.append(text)
            break
    assert heard == ["One"]


def test_what_was_sent_is_told(server: ScriptedServer) -> None:
    server.reply("Yes.")
    ask(server, extra_headers={"anthropic-beta": "one-2031-01-01, two-2031-01-01"})
    assert (server.last.method, server.last.path, server.last.status) == ("POST", "/v1/messages", 200)
    assert server.last.json["messages"] == HELLO["messages"]
    assert server.last.key == server.api_key
    assert server.last.headers["Anthropic-Version"]
    assert server.last.betas == ("one-2031-01-01", "two-2031-01-01")
    assert "no-such-header" not in server.last.headers


@pytest.mark.promise("script.unexpected")
def test_a_request_that_no_reply_was_planned_for_is_told_to_both_sides(server: ScriptedServer) -> None:
    with pytest.raises(anthropic.BadRequestError, match=r"no reply is planned .*'Hello\?'"):
        ask(server, retries=2)
    assert len(server.requests) == 1
    with pytest.raises(UnexpectedRequest, match="no reply is planned"):
        server.check()


@pytest.mark.promise("script.unexpected")
def test_a_call_of_a_tool_that_the_request_does_not_offer_is_a_mistake(server: ScriptedServer) -> None:
    server.reply(tool_call("look_up"))
    with pytest.raises(anthropic.BadRequestError, match="'look_up'"):
        ask(server)
    with pytest.raises(UnexpectedRequest, match="look_up"):
        server.check()


@pytest.mark.promise("script.planned")
def test_a_request_that_the_api_would_refuse_is_refused_and_takes_no_reply(server: ScriptedServer) -> None:
    server.reply("Yes.")
    with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
        ask(server, max_tokens=-1)
    assert server.left == 1
    server.check()


def test_the_usage_tells_what_a_cache_has(server: ScriptedServer) -> None:
    marked = [{"type": "text", "text": "Word " * 5000, "cache_control": {"type": "ephemeral"}}]
    server.reply("Yes.", times=None)
    first, second = (ask(server, system=marked).usage for _ in range(2))
    assert first.cache_creation_input_tokens
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens


def test_counting_and_listing_need_no_plan(server: ScriptedServer) -> None:
    with client_of(server.url, server.api_key) as client:
        counted = client.messages.count_tokens(model=HELLO["model"], messages=HELLO["messages"])
        assert counted.input_tokens > 0
        assert client.models.list().data
    server.check()


async def test_an_asynchronous_client_is_served_while_its_own_loop_runs(server: ScriptedServer) -> None:
    server.reply("One two", chunk_delay=0.001)
    async with (
        anthropic.AsyncAnthropic(base_url=server.url, api_key=server.api_key) as client,
        client.messages.stream(**HELLO) as stream,
    ):
        heard = [text async for text in stream.text_stream]
    assert heard == ["One", " two"]


def test_the_key_is_asked_for(server: ScriptedServer) -> None:
    with client_of(server.url, "wrong") as client, pytest.raises(anthropic.AuthenticationError):
        client.messages.create(**HELLO)


def test_a_server_alone_has_a_thread_of_its_own_that_ends_with_it() -> None:
    before = threading.active_count()
    with ScriptedServer() as server:
        server.reply("Yes.")
        assert ask(server).stop_reason == "end_turn"
    assert threading.active_count() <= before
    server.close()


def test_a_setting_that_there_is_not_is_named_at_the_start(thread: LoopThread) -> None:
    with pytest.raises(TypeError, match="no_such_setting"), ScriptedServer(thread=thread, no_such_setting=1):
        pytest.fail("it has started")


async def test_what_belongs_to_a_plan_is_counted_once_over_many_threads(server: ScriptedServer) -> None:
    server.reply("Yes.", times=8)
    done: list[str | None] = []
    askers = [threading.Thread(target=lambda: done.append(ask(server).stop_reason)) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(30)
    assert (done, server.left) == (["end_turn"] * 8, 0)

"""Requests that name MCP servers, against real servers of the protocol's own package."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from tests.tools.mcp.hosts import Host, Raw, listing, serving, tools_server
from tests.web.mcp_app import BETA, FIRST, LISTING, ask, mcp_app, server, toolset
from tests.web.searching_app import LOOK, invoke, kinds, resend, says, section

Json = dict[str, Any]

ADDS = says(section(invoke("add", a="2", b="3")), "Tell me.")

ANSWERS = says("It is 5.")


@pytest_asyncio.fixture(name="calc")
async def _calc() -> AsyncGenerator[Host]:
    async with serving(tools_server().streamable_http_app()) as host:
        yield host


@pytest.mark.promise("server-tools.mcp", "mcp.in-one-reply", "mcp.transports", "mcp.token-to-its-server")
@pytest.mark.parametrize("path", ["/mcp", "/sse"])
async def test_a_tool_is_called_over_either_transport_and_answered_in_one_reply(path: str) -> None:
    made = tools_server()
    async with (
        serving(made.sse_app() if path == "/sse" else made.streamable_http_app()) as host,
        mcp_app(ADDS, ANSWERS, hosts=(host,)) as it,
    ):
        reply = await it.reply(ask(server(host.url(path), authorization_token="secret")), BETA)
    assert kinds(reply) == ["mcp_tool_use", "mcp_tool_result", "text"]
    call, result, said = reply["content"]
    assert call["id"].startswith("mcptoolu_")
    assert call == {
        "type": "mcp_tool_use",
        "id": call["id"],
        "name": "add",
        "input": {"a": 2, "b": 3},
        "server_name": "calc",
    }
    assert result == {
        "type": "mcp_tool_result",
        "tool_use_id": call["id"],
        "is_error": False,
        "content": [{"type": "text", "text": "5"}],
    }
    assert said["text"] == "It is 5."
    assert reply["stop_reason"] == "end_turn"
    assert reply["usage"]["server_tool_use"] == {"web_search_requests": 0, "web_fetch_requests": 0}
    assert host.tokens == {"Bearer secret"}


@pytest.mark.promise("mcp.token-to-its-server")
async def test_of_two_servers_each_is_shown_its_own_token_and_none_where_it_has_none(calc: Host) -> None:
    async with serving(Raw(), lifespan=False) as other, mcp_app(ADDS, ANSWERS, hosts=(calc, other)) as it:
        entries = (server(calc.url(), authorization_token="secret"), server(other.url(), "other"))
        await it.reply(ask(*entries), BETA)
    assert (calc.tokens, other.tokens) == ({"Bearer secret"}, {None})


@pytest.mark.promise("mcp.streamed")
async def test_a_stream_has_the_call_in_pieces_and_the_result_whole(calc: Host) -> None:
    async with mcp_app(ADDS, ANSWERS, hosts=(calc,)) as it:
        events = (await it.post(ask(server(calc.url()), stream=True), BETA)).events
    blocks = [event["content_block"] for event in events if event["type"] == "content_block_start"]
    assert [block["type"] for block in blocks] == ["mcp_tool_use", "mcp_tool_result", "text"]
    assert blocks[0]["input"] == {}
    assert blocks[1]["content"] == [{"type": "text", "text": "5"}]
    pieces = [
        event["delta"]["partial_json"] for event in events if event.get("delta", {}).get("partial_json") is not None
    ]
    assert pieces[0] == ""
    assert json.loads("".join(pieces)) == {"a": 2, "b": 3}


@pytest.mark.promise("mcp.replayed")
async def test_a_turn_can_be_sent_back_as_it_came_and_with_citations_null(calc: Host) -> None:
    async with mcp_app(ADDS, says("Again 5.", "Really?"), ANSWERS, hosts=(calc,)) as it:
        request = ask(server(calc.url()))
        first = await it.reply(request, BETA)
        first["content"][1]["content"][0]["citations"] = None
        again = resend(request, first)
        again["messages"].append({"role": "user", "content": "Really?"})
        second = await it.reply(again, BETA)
        prompt = it.prompts[-1]
    assert kinds(second) == ["text"]
    assert '<invoke name="add">' in prompt
    assert "It is 5." in prompt


@pytest.mark.promise("mcp.tool-errors")
async def test_a_failing_tool_is_a_result_with_is_error_and_the_reply_goes_on(calc: Host) -> None:
    async with mcp_app(says(section(invoke("fail")), "Tell me."), says("It failed."), hosts=(calc,)) as it:
        reply = await it.reply(ask(server(calc.url())), BETA)
    assert kinds(reply) == ["mcp_tool_use", "mcp_tool_result", "text"]
    assert reply["content"][1]["is_error"] is True
    assert reply["stop_reason"] == "end_turn"


@pytest.mark.promise("mcp.pictures")
async def test_the_model_sees_a_picture_in_a_result_that_its_client_has_in_words(calc: Host) -> None:
    words = "[a picture: image/png]"
    async with mcp_app(
        says(section(invoke("picture")), "Tell me."), says("A dot.", "Really?"), says("A dot it is."), hosts=(calc,)
    ) as it:
        request = ask(server(calc.url()))
        first = await it.reply(request, BETA)
        assert first["content"][1]["content"] == [{"type": "text", "text": one} for one in ("a dot", words)]
        told = it.engines["scripted"].asked[-1].prompt
        assert [segment.image is not None for segment in told.segments].count(True) == 1
        assert words not in told.text
        again = resend(request, first)
        again["messages"].append({"role": "user", "content": "Really?"})
        assert kinds(await it.reply(again, BETA)) == ["text"]
        assert words in it.prompts[-1]


@pytest.mark.promise("mcp.switches")
async def test_configs_go_before_the_default_and_unknown_names_are_logged(
    calc: Host, caplog: pytest.LogCaptureFixture
) -> None:
    off: Json = {
        "default_config": {"enabled": False},
        "configs": {"add": {"enabled": True}, "gone": {"enabled": True}},
    }
    async with mcp_app(says("Hello."), hosts=(calc,)) as it:
        await it.reply(ask(server(calc.url()), tools=[toolset(**off)]), BETA)
        prompt = it.prompts[-1]
    assert "Adds two numbers." in prompt
    assert "Always fails." not in prompt
    assert any("it has no tool gone" in record.getMessage() for record in caplog.records)


@pytest.mark.promise("mcp.first-form")
async def test_the_first_form_has_servers_alone_and_their_own_list_of_allowed_tools(calc: Host) -> None:
    entry = server(calc.url(), tool_configuration={"enabled": True, "allowed_tools": ["add"]})
    async with mcp_app(ADDS, ANSWERS, hosts=(calc,)) as it:
        reply = await it.reply({**ask(entry), "tools": []}, FIRST)
        prompt = it.prompts[-1]
        off = await it.reply({**ask(server(calc.url(), tool_configuration={"enabled": False})), "tools": []}, FIRST)
    assert kinds(reply) == ["mcp_tool_use", "mcp_tool_result", "text"]
    assert "Always fails." not in prompt
    assert kinds(off) == ["text"]


@pytest.mark.promise("mcp.gated")
async def test_without_a_header_mcp_servers_is_an_unknown_key(calc: Host) -> None:
    async with mcp_app(ANSWERS, hosts=(calc,)) as it:
        message = await it.refusal({**ask(server(calc.url())), "tools": []})
    assert message == "mcp_servers: Extra inputs are not permitted"


@pytest.mark.promise("mcp.with-client-tools")
async def test_beside_a_clients_tool_the_call_waits_and_its_result_opens_the_next_reply(calc: Host) -> None:
    both = says(section(invoke("add", a="2", b="3"), invoke("look")), "Tell me.")
    async with mcp_app(both, ANSWERS, hosts=(calc,)) as it:
        request = ask(server(calc.url()), tools=[toolset(), LOOK])
        first = await it.reply(request, BETA)
        assert kinds(first) == ["mcp_tool_use", "tool_use"]
        assert first["stop_reason"] == "tool_use"
        again = resend(request, first)
        seen = {"type": "tool_result", "tool_use_id": first["content"][1]["id"], "content": "seen"}
        again["messages"].append({"role": "user", "content": [seen]})
        second = await it.reply(again, BETA)
    assert kinds(second) == ["mcp_tool_result", "text"]
    assert second["content"][0]["tool_use_id"] == first["content"][0]["id"]


@pytest.mark.promise("mcp.one-session")
async def test_all_rounds_share_a_session_that_ends_with_the_reply() -> None:
    async def call(message: Json) -> Json:
        return {"content": [{"type": "text", "text": "seen"}]}

    raw = Raw({"tools/call": call}, headers={"mcp-session-id": "one"})
    rules = (
        says(section(invoke("look"), invoke("look")), "Tell me.", times=1),
        says(section(invoke("look")), times=1),
        says("Seen."),
    )
    async with serving(raw, lifespan=False) as host, mcp_app(*rules, hosts=(host,)) as it:
        reply = await it.reply(ask(server(host.url())), BETA)
    methods = [message["method"] for message in raw.called]
    assert kinds(reply).count("mcp_tool_result") == 3
    assert methods.count("tools/call") == 3
    # One session to list the tools, one for all calls.
    assert methods.count("initialize") == 2
    assert host.methods("DELETE") == 2


@pytest.mark.promise("mcp.names")
async def test_tools_of_one_name_are_told_apart_and_each_call_reaches_its_own() -> None:
    def named(what: str) -> Raw:
        async def call(message: Json) -> Json:
            return {"content": [{"type": "text", "text": f"{what} looked"}]}

        return Raw({"tools/call": call})

    rules = (
        says(section(invoke("one__look"), invoke("two__look")), "Tell me."),
        says("Both looked."),
    )
    async with (
        serving(named("one"), lifespan=False) as one,
        serving(named("two"), lifespan=False) as two,
        mcp_app(*rules, hosts=(one, two)) as it,
    ):
        request = ask(
            server(one.url(), "one"), server(two.url(), "two"), tools=[toolset("one"), toolset("two"), LOOK]
        )
        reply = await it.reply(request, BETA)
    assert [block["name"] for block in reply["content"] if block["type"] == "mcp_tool_use"] == ["look", "look"]
    results = [block["content"][0]["text"] for block in reply["content"] if block["type"] == "mcp_tool_result"]
    assert results == ["one looked", "two looked"]


@pytest.mark.promise("mcp.pinned")
async def test_a_listing_in_the_reply_stands_for_asking_when_it_comes_back(calc: Host) -> None:
    async with mcp_app(ADDS, ANSWERS, hosts=(calc,), cache_seconds=0) as it:
        request = ask(server(calc.url()))
        request["tools"] = [toolset(configs={"fail": {"enabled": False}})]
        first = await it.reply(request, LISTING)
        assert "Always fails." not in it.prompts[0]
        assert kinds(first) == ["mcp_tool_listing", "mcp_tool_use", "mcp_tool_result", "text"]
        listed = first["content"][0]
        assert listed["mcp_server_name"] == "calc"
        assert {tool["name"] for tool in listed["tools"]} == {"add", "fail", "picture"}
        before = len(calc.asked)
        again = resend(request, first)
        again["messages"].append({"role": "user", "content": "Thanks."})
        assert kinds(await it.reply(again, LISTING)) == ["text"]
        pinned = ask(server(calc.url()), tools=[toolset(tools=listed["tools"])], max_tokens=900)
        await it.count({key: value for key, value in pinned.items() if key != "max_tokens"}, LISTING)
        assert len(calc.asked) == before
        message = await it.refusal(pinned, BETA)
    assert message == "tools.0.mcp_toolset.tools: Extra inputs are not permitted"


@pytest.mark.promise("mcp.counted")
async def test_counting_counts_the_tools_of_the_servers_as_a_reply_does(calc: Host) -> None:
    async with mcp_app(ANSWERS, hosts=(calc,)) as it:
        request = ask(server(calc.url()))
        counted = await it.count(request, BETA)
        reply = await it.reply(request, BETA)
        without = await it.count({**request, "mcp_servers": [], "tools": []}, BETA)
    assert counted["input_tokens"] == reply["usage"]["input_tokens"]
    assert counted["input_tokens"] > without["input_tokens"] + 20


@pytest.mark.promise("mcp.validated")
async def test_a_choice_of_a_tool_that_no_server_has_is_refused(calc: Host) -> None:
    async with mcp_app(ANSWERS, hosts=(calc,)) as it:
        request = ask(server(calc.url()), tool_choice={"type": "tool", "name": "gone"})
        assert await it.refusal(request, BETA) == "Tool 'gone' not found in provided tools"


@pytest.mark.promise("mcp.hostile-servers")
async def test_lies_about_schemas_and_names_end_in_free_objects_and_names_that_a_model_can_write() -> None:
    loop: Json = {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/a"}}}
    lies = [
        {"name": "recursive", "inputSchema": loop},
        {"name": "huge", "inputSchema": {"type": "object", "description": "x" * 300_000}},
        {"name": "wrong", "inputSchema": {"type": "object", "properties": {"a": {"type": "nonsense"}}}},
        {"name": "odd ☃ name!", "inputSchema": {"type": "object"}},
        {"name": "", "inputSchema": {"type": "object"}},
        {"name": "n" * 500, "inputSchema": {"type": "object"}},
        {"name": "twice", "inputSchema": {"type": "object"}, "description": "the first"},
        {"name": "twice", "inputSchema": {"type": "object"}, "description": "the second"},
        {"name": "any", "inputSchema": {"type": "object", "anyOf": [{"required": ["a"]}]}},
    ]
    called: list[str] = []

    async def call(message: Json) -> Json:
        called.append(message["params"]["name"])
        return {"content": [{"type": "text", "text": "done"}]}

    rules = (says(section(invoke("odd_name_"), invoke("wrong", x="1")), "Tell me."), says("Done."))
    async with (
        serving(Raw({"tools/list": listing(*lies), "tools/call": call}), lifespan=False) as host,
        mcp_app(*rules, hosts=(host,)) as it,
    ):
        reply = await it.reply(ask(server(host.url())), BETA)
    assert kinds(reply) == ["mcp_tool_use", "mcp_tool_use", "mcp_tool_result", "mcp_tool_result", "text"]
    assert sorted(called) == ["odd ☃ name!", "wrong"]


@pytest.mark.promise("mcp.one-session")
async def test_a_client_that_goes_away_ends_the_session_too() -> None:
    begun = asyncio.Event()

    async def call(message: Json) -> Json:
        begun.set()
        await asyncio.Event().wait()
        return {}

    raw = Raw({"tools/call": call}, headers={"mcp-session-id": "one"})
    async with (
        serving(raw, lifespan=False) as host,
        mcp_app(says(section(invoke("look")), "Tell me."), hosts=(host,)) as it,
    ):
        request = ask(server(host.url()), stream=True)
        async with it.bridge.open("POST", "/v1/messages", request, headers={"anthropic-beta": BETA}) as exchange:
            await exchange.begin()
            async with asyncio.timeout(10):
                await begun.wait()
            listed = host.methods("DELETE")
        await host.until(lambda: host.methods("DELETE") > listed)
    assert host.methods("DELETE") == 2

"""Tools that the server runs inside of a reply: every order of blocks, streamed and whole."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from antiphon.ports.server_tools import ServerCall, ServerResult
from antiphon.testing.bridge import WAIT, Answer
from tests.service.server_tools import ScriptedTool, fetcher, finds, hit
from tests.web.searching_app import (
    FETCH,
    LOOK,
    SEARCH,
    app,
    ask,
    invoke,
    kinds,
    resend,
    says,
    search,
    section,
)

Json = dict[str, Any]

FOUND = "All about"
ANSWER = says("Cats purr.", FOUND)
LOOKED: Json = {"type": "tool_result", "content": "A cat."}


def blocks(answer: Answer) -> list[Json]:
    """The blocks of a stream as they opened, with the deltas of each joined."""
    found: list[Json] = []
    for event in answer.events:
        if event["type"] == "content_block_start":
            found.append({**event["content_block"], "deltas": []})
        elif event["type"] == "content_block_delta":
            found[event["index"]]["deltas"] += [event["delta"]]
    return found


@pytest.mark.promise("server-tools.loop", "server-tools.usage", "server-tools.input-tokens")
async def test_text_then_server_then_text() -> None:
    tool = ScriptedTool()
    rules = (ANSWER, says(f"Let me look.\n\n{search()}", "Tell me"))
    async with app(*rules, tools=[tool]) as served:
        message = await served.reply(ask())
        assert kinds(message) == ["text", "server_tool_use", "web_search_tool_result", "text"]
        text, call, result, answer = message["content"]
        assert text["text"].strip() == "Let me look."
        assert call["id"].startswith("srvtoolu_")
        assert (call["name"], call["input"], "caller" in call) == ("web_search", {"query": "cats"}, False)
        assert result["tool_use_id"] == call["id"]
        [page] = result["content"]
        assert page.keys() == {"type", "url", "title", "encrypted_content", "page_age"}
        assert FOUND not in page["encrypted_content"]
        assert answer["text"] == "Cats purr."
        assert message["stop_reason"] == "end_turn"
        assert message["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}
        one, two = served.engines["scripted"].asked
        assert message["usage"]["input_tokens"] == len(one.prompt.tokens) + len(two.prompt.tokens)
        assert two.prompt.tokens[: len(one.prompt.tokens)] == one.prompt.tokens
        assert FOUND in two.prompt.text
        assert [call.input for call in tool.calls] == [{"query": "cats"}]
        assert tool.calls[0].settings == {"type": "web_search_20250305", "name": "web_search"}


@pytest.mark.promise("server-tools.streamed")
async def test_a_stream_has_the_call_in_pieces_and_the_result_whole() -> None:
    async with app(ANSWER, says(f"Let me look.\n\n{search()}", "Tell me")) as served:
        whole = await served.reply(ask())
        answer = await served.post(ask(stream=True))
        text, call, result, more = blocks(answer)
        assert (call["type"], call["input"]) == ("server_tool_use", {})
        pieces = [delta["partial_json"] for delta in call["deltas"]]
        assert pieces[0] == ""
        assert "".join(pieces) == '{"query":"cats"}' or "".join(pieces) == '{"query": "cats"}'
        assert (result["type"], result["deltas"]) == ("web_search_tool_result", [])
        assert [page["url"] for page in result["content"]] == ["https://a.example/"]
        assert "".join(delta["text"] for delta in more["deltas"]) == "Cats purr."
        assert text["type"] == "text"
        [ending] = [event for event in answer.events if event["type"] == "message_delta"]
        assert ending["usage"].items() <= whole["usage"].items()
        assert ending["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}


@pytest.mark.promise("output.calls-last")
async def test_words_behind_a_servers_call_are_no_part_of_the_reply() -> None:
    made_up = f"{search()}\n\nI have found that cats bark."
    async with app(ANSWER, says(made_up, "Tell me")) as served:
        request = ask()
        message = await served.reply(request)
        assert kinds(message) == ["server_tool_use", "web_search_tool_result", "text"]
        assert message["content"][-1]["text"] == "Cats purr."
        assert "bark" not in served.prompts[-1]
        again = resend(request, message)
        again["messages"].append({"role": "user", "content": "Thanks."})
        assert (await served.reply(again))["stop_reason"] == "end_turn"


async def test_thinking_then_server_then_thinking_then_text() -> None:
    opened = "<thinking>\\n\\Z"
    rules = (
        says("Now I know.", FOUND, prompt=opened),
        says("I must look.", "Tell me", prompt=opened),
        ANSWER,
        says(search(), "Tell me"),
    )
    request = ask(model="claude-opus-4-6", max_tokens=4000, thinking={"type": "adaptive"})
    async with app(*rules) as served:
        message = await served.reply(request)
        assert kinds(message) == ["thinking", "server_tool_use", "web_search_tool_result", "thinking", "text"]
        assert [block["thinking"] for block in message["content"] if block["type"] == "thinking"] == [
            "I must look.",
            "Now I know.",
        ]
        spent = message["usage"]
        assert spent["output_tokens_details"]["thinking_tokens"] > 0
        # The thoughts come back under their seals, in their places.
        again = await served.reply(
            {
                **resend(request, message),
                "messages": [*resend(request, message)["messages"], {"role": "user", "content": "Thanks."}],
            }
        )
        assert again["stop_reason"] == "end_turn"


@pytest.mark.promise("server-tools.parallel")
async def test_two_calls_run_at_the_same_time_and_their_results_keep_the_order() -> None:
    both = asyncio.Barrier(2)
    slow = asyncio.Event()

    async def does(call: ServerCall) -> ServerResult:
        async with asyncio.timeout(WAIT):
            await both.wait()
            if call.input["query"] == "dogs":
                slow.set()
            else:
                await slow.wait()
        return await finds(call)

    async with app(ANSWER, says(search("cats", "dogs"), "Tell me"), tools=[ScriptedTool(does)]) as served:
        message = await served.reply(ask())
        assert kinds(message) == [
            "server_tool_use",
            "server_tool_use",
            "web_search_tool_result",
            "web_search_tool_result",
            "text",
        ]
        one, two, first, second, _ = message["content"]
        assert [first["tool_use_id"], second["tool_use_id"]] == [one["id"], two["id"]]
        assert message["usage"]["server_tool_use"]["web_search_requests"] == 2
        prompt = served.prompts[-1]
        assert prompt.index("All about cats") < prompt.index("All about dogs")


async def test_rounds_one_after_the_other() -> None:
    rules = (
        says("Both purr.", "All about dogs"),
        says(f"And dogs?\n{search('dogs')}", "All about cats"),
        says(search("cats"), "Tell me"),
    )
    async with app(*rules) as served:
        message = await served.reply(ask())
        assert kinds(message) == [
            "server_tool_use",
            "web_search_tool_result",
            "text",
            "server_tool_use",
            "web_search_tool_result",
            "text",
        ]
        one, two, three = (work.prompt.tokens for work in served.engines["scripted"].asked)
        assert (two[: len(one)], three[: len(two)]) == (one, two)
        assert message["usage"]["input_tokens"] == len(one) + len(two) + len(three)


@pytest.mark.promise("server-tools.with-client-tools")
@pytest.mark.parametrize("calls", [(invoke(query="cats"), invoke("look")), (invoke("look"), invoke(query="cats"))])
async def test_a_server_call_beside_a_clients_waits_and_its_result_opens_the_next_reply(
    calls: tuple[str, ...],
) -> None:
    tool = ScriptedTool()
    request = ask(tools=[SEARCH, LOOK])
    async with app(ANSWER, says(section(*calls), "Tell me"), tools=[tool]) as served:
        message = await served.reply(request)
        assert sorted(kinds(message)) == ["server_tool_use", "tool_use"]
        assert (message["stop_reason"], tool.calls) == ("tool_use", [])
        assert "server_tool_use" not in message["usage"]
        [client] = [block for block in message["content"] if block["type"] == "tool_use"]
        [server] = [block for block in message["content"] if block["type"] == "server_tool_use"]
        resent = resend(request, message)
        resent["messages"].append({"role": "user", "content": [{**LOOKED, "tool_use_id": client["id"]}]})
        answer = await served.reply(resent)
        assert kinds(answer) == ["web_search_tool_result", "text"]
        assert answer["content"][0]["tool_use_id"] == server["id"]
        assert [call.id for call in tool.calls] == [server["id"]]
        prompt = served.prompts[-1]
        assert prompt.index("A cat.") < prompt.index("All about cats")
        # The reply and what it answers are a conversation that can go on.
        later = resend(resent, answer)
        later["messages"].append({"role": "user", "content": "Thanks."})
        assert (await served.reply(later))["stop_reason"] == "end_turn"


async def test_client_and_server_calls_in_turns() -> None:
    rules = (
        says("It purrs.", "A cat."),
        says(section(invoke("look")), "All about"),
        says(search(), "Tell me"),
    )
    request = ask(tools=[SEARCH, LOOK])
    async with app(*rules) as served:
        message = await served.reply(request)
        assert kinds(message) == ["server_tool_use", "web_search_tool_result", "tool_use"]
        assert message["stop_reason"] == "tool_use"
        resent = resend(request, message)
        result = {**LOOKED, "tool_use_id": message["content"][-1]["id"]}
        resent["messages"].append({"role": "user", "content": [result]})
        assert (await served.reply(resent))["content"][0]["text"] == "It purrs."


@pytest.mark.promise("server-tools.max-uses")
async def test_more_uses_than_the_request_allows_are_an_error_that_the_model_reads() -> None:
    rules = (
        says("That will do.", "max_uses_exceeded"),
        says(search("dogs"), "All about cats"),
        says(search("cats"), "Tell me"),
    )
    tool = ScriptedTool()
    async with app(*rules, tools=[tool]) as served:
        message = await served.reply(ask(tools=[{**SEARCH, "max_uses": 1}]))
        results = [block["content"] for block in message["content"] if block["type"] == "web_search_tool_result"]
        assert results[1] == {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}
        assert message["content"][-1]["text"] == "That will do."
        assert len(tool.calls) == 1
        assert message["usage"]["server_tool_use"]["web_search_requests"] == 1


@pytest.mark.promise("server-tools.forced")
@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "web_search"}])
async def test_a_forced_call_is_made_and_then_the_model_is_free(choice: Json) -> None:
    async with app(ANSWER, says(search(), "Tell me")) as served:
        message = await served.reply(ask(tool_choice=choice))
        assert kinds(message) == ["server_tool_use", "web_search_tool_result", "text"]
        forced, free = (work.grammar for work in served.engines["scripted"].asked)
        assert forced != free


async def test_two_tools_in_parallel() -> None:
    call = section(invoke(query="cats"), invoke("web_fetch", url="https://b.example/x"))
    search_tool, fetch_tool = ScriptedTool(), fetcher()
    async with app(
        says("Done.", "Words of the page"), says(call, "Tell me"), tools=[search_tool, fetch_tool]
    ) as served:
        message = await served.reply(ask("Tell me of https://b.example/x.", tools=[SEARCH, FETCH]))
        assert kinds(message) == [
            "server_tool_use",
            "server_tool_use",
            "web_search_tool_result",
            "web_fetch_tool_result",
            "text",
        ]
        assert message["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 1}
        assert "https://b.example/x" in fetch_tool.calls[0].seen_urls
        assert message["content"][3]["content"]["content"]["source"]["data"] == "Words of the page."


@pytest.mark.promise("server-tools.disconnect")
async def test_who_goes_away_ends_the_tools_that_run() -> None:
    forever = asyncio.Event()

    async def hangs(call: ServerCall) -> ServerResult:
        await forever.wait()
        raise AssertionError

    tool = ScriptedTool(hangs)
    async with app(says(search("cats", "dogs"), "Tell me"), tools=[tool]) as served:
        async with served.bridge.open("POST", "/v1/messages", ask(stream=True)) as exchange:
            await exchange.begin()
            async with asyncio.timeout(WAIT):
                await tool.started.wait()
            await exchange.disconnect()
        assert sorted(tool.cancelled) == sorted(call.id for call in tool.calls)
        assert tool.calls


async def test_a_name_that_is_no_server_tools_is_the_clients() -> None:
    own = {"name": "web_search", "input_schema": {"type": "object", "properties": {"query": {"type": "string"}}}}
    tool = ScriptedTool()
    async with app(says(search(), "Tell me"), tools=[tool]) as served:
        message = await served.reply(ask(tools=[own]))
        assert (kinds(message), message["stop_reason"], tool.calls) == (["tool_use"], "tool_use", [])


async def test_a_request_for_nothing_runs_nothing() -> None:
    tool = ScriptedTool()
    async with app(says(search(), "Tell me"), tools=[tool]) as served:
        message = await served.reply(ask(max_tokens=0))
        assert (message["content"], message["stop_reason"], tool.calls) == ([], "max_tokens", [])


@pytest.mark.promise("field.search-never-leaks")
@pytest.mark.parametrize("model", ["claude-3-7-sonnet-latest", "claude-opus-4-8", "claude-sonnet-4-5", "scripted"])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_search_never_reaches_the_client_as_a_call_of_its_own(model: str, stream: bool) -> None:
    async with app(ANSWER, says(search(), "Tell me")) as served:
        answer = await served.post(ask(model=model, stream=stream))
        found = blocks(answer) if stream else answer.json["content"]
        assert [block["type"] for block in found] == ["server_tool_use", "web_search_tool_result", "text"]


@pytest.mark.promise("server-tools.url-sources")
@pytest.mark.parametrize(
    ("sources", "missing"),
    [
        ({}, set[str]()),
        ({"user_input": {"type": "none"}}, {"https://user.example/a"}),
        ({"client_tool_results": {"type": "none"}}, {"https://client.example/b"}),
        (
            {"client_tool_results": {"type": "except", "tools": [{"type": "tool_reference", "name": "look"}]}},
            {"https://client.example/b"},
        ),
        (
            {"client_tool_results": {"type": "only", "tools": [{"type": "tool_reference", "name": "other"}]}},
            {"https://client.example/b"},
        ),
        ({"server_tool_results": {"type": "none"}}, {"https://found.example/c", "https://a.example/"}),
    ],
)
async def test_a_fetch_is_told_what_urls_the_conversation_has_seen(sources: Json, missing: set[str]) -> None:
    async def finds_a_link(call: ServerCall) -> ServerResult:
        return ServerResult([hit(text="All about cats: see https://found.example/c.")])

    fetch_tool = fetcher()
    fetch = section(invoke("web_fetch", url="https://found.example/c"))
    rules = (says("Done.", "Words of the page"), says(fetch, FOUND), says(search(), "A cat"))
    messages: list[Json] = [
        {"role": "user", "content": "Look at https://user.example/a!"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}]},
        {
            "role": "user",
            "content": [{**LOOKED, "tool_use_id": "toolu_1", "content": "A cat (https://client.example/b)"}],
        },
    ]
    asked = ask(messages, tools=[SEARCH, {**FETCH, "url_sources": sources}, LOOK])
    async with app(*rules, tools=[ScriptedTool(finds_a_link), fetch_tool]) as served:
        await served.reply(asked)
    every = {
        "https://user.example/a",
        "https://client.example/b",
        "https://found.example/c",
        "https://a.example/",
    }
    assert every & fetch_tool.calls[0].seen_urls == every - missing


async def test_the_usage_is_told_round_by_round_where_the_client_asks_for_it() -> None:
    async with app(ANSWER, says(search(), "Tell me")) as served:
        message = await served.reply(ask(), "compact-2026-01-12")
        one, two = served.engines["scripted"].asked
        usage = message["usage"]
        assert [(each["type"], each["input_tokens"]) for each in usage["iterations"]] == [
            ("message", len(one.prompt.tokens)),
            ("message", len(two.prompt.tokens)),
        ]
        assert usage["input_tokens"] == len(one.prompt.tokens) + len(two.prompt.tokens)
        assert usage["output_tokens"] == sum(each["output_tokens"] for each in usage["iterations"])


async def test_a_summary_comes_before_the_rounds() -> None:
    long = "word " * 30_000
    history: list[Json] = [
        {"role": "user", "content": long},
        {"role": "assistant", "content": long},
        {"role": "user", "content": "Tell me."},
    ]
    edit = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 50_000}}
    rules = (says("They speak of cats.", "write a summary of this whole"), ANSWER, says(search(), "speak of cats"))
    asked = ask(history, model="claude-opus-4-8", context_management={"edits": [edit]})
    async with app(*rules) as served:
        message = await served.reply(asked, "compact-2026-01-12")
        assert kinds(message) == ["compaction", "server_tool_use", "web_search_tool_result", "text"]
        assert [each["type"] for each in message["usage"]["iterations"]] == ["compaction", "message", "message"]
        assert message["stop_reason"] == "end_turn"


async def test_the_list_of_models_tells_of_the_tools() -> None:
    async with app(ANSWER) as served:
        answer = await served.bridge.ask("GET", "/v1/models/claude-opus-4-8")
        assert answer.json["capabilities"]["server_tools"] == {
            "supported": True,
            "web_search": {"supported": True},
            "code_execution": {"supported": False},
        }


@pytest.mark.promise("server-tools.not-configured")
async def test_the_owner_is_told_what_to_set(caplog: pytest.LogCaptureFixture) -> None:
    async with app(ANSWER, tools=[fetcher()]) as served:
        refusal = await served.refusal(ask())
        assert refusal == "tools.0: web_search_20250305 tools are not enabled on this server."
    assert "set [server_tools.web_search] in the configuration file" in caplog.text


async def test_both_lists_of_domains_are_the_documented_error() -> None:
    both = {**SEARCH, "allowed_domains": ["a.example"], "blocked_domains": ["b.example"]}
    async with app(ANSWER) as served:
        assert "only one of allowed_domains and blocked_domains may be given" in await served.refusal(
            ask(tools=[both])
        )


TEMPLATES = Path(__file__).parents[1] / "render" / "families" / "templates"


@pytest.mark.parametrize("family", ["hermes", "qwen3-coder"])
async def test_models_with_a_tool_format_of_their_own_do_the_same(family: str) -> None:
    calls = {
        "hermes": '<tool_call>\n{"name": "web_search", "arguments": {"query": "cats"}}\n</tool_call>',
        "qwen3-coder": (
            "<tool_call>\n<function=web_search>\n<parameter=query>\ncats\n</parameter>\n</function>\n</tool_call>"
        ),
    }
    template = (TEMPLATES / f"{family}.jinja").read_text(encoding="utf-8")
    rules = (says("Cats purr.", prompt=FOUND), says(calls[family]))
    async with app(*rules, template=template) as served:
        request = ask()
        message = await served.reply(request)
        assert kinds(message) == ["server_tool_use", "web_search_tool_result", "text"]
        assert message["content"][0]["input"] == {"query": "cats"}
        one, two = served.prompts
        # Both begin alike; how a template spaces a call that came before is its own affair.
        assert two.startswith(one)
        assert two.removeprefix(one).lstrip().startswith(calls[family])
        assert message["content"][2]["text"] == "Cats purr."
        again = resend(request, message)
        again["messages"].append({"role": "user", "content": "Thanks."})
        await served.reply(again)
        assert served.prompts[-1].startswith(two)

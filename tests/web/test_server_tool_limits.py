"""Limits of replies that call server tools: max_tokens, the model's window, stop sequences, and room for results."""

from typing import Any

import pytest

from antiphon.ports.server_tools import ServerCall, ServerResult
from tests.service.server_tools import ScriptedTool, fetcher, hit, page
from tests.web.searching_app import FETCH, SEARCH, app, ask, invoke, kinds, resend, says, search, section
from tests.web.thinking_app import ThinkingApp

Json = dict[str, Any]

FOUND = "All about"
ANSWER = says("Cats purr.", FOUND)
PAIR = ["server_tool_use", "web_search_tool_result"]


@pytest.mark.promise("server-tools.limits-of-the-reply")
async def test_max_tokens_holds_over_all_rounds() -> None:
    async with app(says("Cats purr " * 20, FOUND), says(search(), "Tell me")) as served:
        long = await served.reply(ask())
        first, second = served.engines["scripted"].asked
        assert second.max_tokens < first.max_tokens
        cut = await served.reply(ask(max_tokens=long["usage"]["output_tokens"] - 5))
        assert (cut["stop_reason"], kinds(cut)) == ("max_tokens", kinds(long))
        assert cut["usage"]["output_tokens"] == long["usage"]["output_tokens"] - 5


@pytest.mark.promise("server-tools.limits-of-the-reply")
async def test_a_call_that_takes_all_tokens_has_its_result_and_the_conversation_goes_on() -> None:
    tool = ScriptedTool()
    async with app(says("Hm.", "Thanks"), ANSWER, says(search(), "Tell me"), tools=[tool]) as served:
        whole = await served.reply(ask())
        spent = served.engines["scripted"].asked[1].max_tokens
        call = await served.reply(ask(max_tokens=1000 - spent))
        assert (kinds(call), call["stop_reason"], len(tool.calls)) == (PAIR, "max_tokens", 2)
        assert whole["stop_reason"] == "end_turn"
        answer = await served.reply(resend(ask(), call))
        assert kinds(answer) == ["text"]
        await thanked(served, call)


@pytest.mark.promise("server-tools.limits-of-the-reply")
@pytest.mark.parametrize("less", range(1, 12))
async def test_a_call_that_a_limit_cuts_is_not_run_and_the_conversation_goes_on(less: int) -> None:
    tool = ScriptedTool()
    two = section(invoke(query="cats"), invoke(query="dogs"))
    async with app(says("Hm.", "Thanks"), ANSWER, says(two, "Tell me"), tools=[tool]) as served:
        await served.reply(ask())
        spent = 1000 - served.engines["scripted"].asked[1].max_tokens
        tool.calls.clear()
        cut = await served.reply(ask(max_tokens=spent - less))
        streamed = await served.post(ask(max_tokens=spent - less, stream=True))
        assert streamed.events[-1]["type"] == "message_stop"
        assert cut["stop_reason"] == "max_tokens"
        calls = [block for block in cut["content"] if block["type"] == "server_tool_use"]
        results = [block for block in cut["content"] if block["type"] == "web_search_tool_result"]
        assert [call["id"] for call in calls] == [result["tool_use_id"] for result in results]
        errors = [result for result in results if isinstance(result["content"], dict)]
        assert len(tool.calls) == 2 * (len(calls) - len(errors))
        assert [error["content"]["error_code"] for error in errors] in ([], ["invalid_tool_input"])
        assert errors in ([], results[-1:])
        await thanked(served, cut)


async def thanked(served: ThinkingApp, message: Json) -> None:
    """What was cut goes back with a word of the user's behind it."""
    again = resend(ask(), message)
    again["messages"].append({"role": "user", "content": "Thanks."})
    assert (await served.reply(again))["content"][0]["text"] == "Hm."


@pytest.mark.promise("server-tools.room")
async def test_of_a_search_that_does_not_fit_the_window_what_fits_is_told() -> None:
    async def much(call: ServerCall) -> ServerResult:
        pages = [hit(f"https://a{n}.example/", "word " * 500) for n in range(9)]
        return ServerResult(pages, {"web_search_requests": 1})

    rules = ("[model]\nwindow = 4000\n", says("Enough.", "word"), says(search(), "Tell me"))
    async with app(*rules, tools=[ScriptedTool(much)]) as served:
        message = await served.reply(ask())
        assert (kinds(message), message["stop_reason"]) == ([*PAIR, "text"], "end_turn")
        found = [result["url"] for result in message["content"][1]["content"]]
        assert found == [f"https://a{n}.example/" for n in range(len(found))]
        assert 1 < len(found) < 9
        assert message["usage"]["server_tool_use"]["web_search_requests"] == 1
        # One more would have left too little room.
        assert 4000 - 500 - 600 < len(served.engines["scripted"].asked[1].prompt.tokens) <= 4000 - 500


@pytest.mark.promise("server-tools.room")
@pytest.mark.parametrize(
    ("name", "code"),
    [("web_search", "request_too_large"), ("web_fetch", "content_too_large"), ("dice", "content_too_large")],
)
async def test_a_result_that_does_not_fit_the_window_is_an_error_that_the_model_reads(name: str, code: str) -> None:
    async def much(call: ServerCall) -> ServerResult:
        text = "word " * 3000
        content = {"web_search": [hit(text=text)], "web_fetch": page(text), "dice": {"rolls": text}}[name]
        return ServerResult(content, {f"{name}_requests": 1})

    dice = ScriptedTool(much, "dice", ("dice_",), "dice_tool_result", "dice_tool_result_error")
    tools = [ScriptedTool(much), fetcher(much), dice]
    call = section(invoke(name, query="x", url="https://a.example/"))
    rules = ("[model]\nwindow = 3000\n", says("Too much.", code), says(call, "Tell me"))
    async with app(*rules, tools=tools) as served:
        definitions = [SEARCH, FETCH, {"type": "dice_1", "name": "dice"}]
        message = await served.reply(ask("Tell me of https://a.example/.", tools=definitions))
        assert message["content"][1]["content"]["error_code"] == code
        assert (message["content"][2]["text"], message["stop_reason"]) == ("Too much.", "end_turn")
        assert message["usage"]["server_tool_use"] == {"web_search_requests": 0, "web_fetch_requests": 0}


@pytest.mark.promise("server-tools.limits-of-the-reply")
async def test_an_answer_that_fills_the_window_ends_the_reply_truthfully() -> None:
    async def much(call: ServerCall) -> ServerResult:
        return ServerResult([hit(text="word " * 500)])

    rules = ("[model]\nwindow = 2000\n", says("Cats purr " * 800, "word"), says(search(), "Tell me"))
    async with app(*rules, tools=[ScriptedTool(much)]) as served:
        message = await served.reply(ask(max_tokens=4000))
        assert (kinds(message), message["stop_reason"]) == ([*PAIR, "text"], "model_context_window_exceeded")
        asked = served.engines["scripted"].asked
        assert message["usage"]["input_tokens"] == sum(len(work.prompt.tokens) for work in asked)


async def test_a_stop_sequence_ends_the_reply_in_any_round() -> None:
    async with app(says("Cats purr. STOP more", FOUND), says(search(), "Tell me")) as served:
        message = await served.reply(ask(stop_sequences=["STOP"]))
        assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "STOP")
        assert message["content"][-1]["text"].strip() == "Cats purr."

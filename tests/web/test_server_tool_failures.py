"""Whatever a server tool does, the reply ends properly: the chaos table."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from antiphon.config import TurnLimits
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.service.reply import tool_runs
from tests.service.server_tools import ScriptedTool, fetcher, finds, hit, page
from tests.web.searching_app import FETCH, SEARCH, app, ask, invoke, kinds, resend, says, search, section

Json = dict[str, Any]
Does = Callable[[ServerCall], Awaitable[Any]]


async def hangs(call: ServerCall) -> Any:
    await asyncio.Event().wait()


async def hangs_on(call: ServerCall) -> Any:
    """Does not even let itself be cancelled, for a while."""
    for _ in range(3):
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.5)
        except (asyncio.CancelledError, TimeoutError):
            continue


async def raises(call: ServerCall) -> Any:
    raise RuntimeError("secret address 10.0.0.1")


async def cancels(call: ServerCall) -> Any:
    raise asyncio.CancelledError


async def dies(call: ServerCall) -> Any:
    await asyncio.sleep(0)
    raise ConnectionResetError


async def unknown_code(call: ServerCall) -> Any:
    raise ToolProblem("no_such_code")


def returns(value: Any) -> Does:
    async def does(call: ServerCall) -> Any:
        return value

    return does


def problem(code: str) -> Does:
    async def does(call: ServerCall) -> Any:
        raise ToolProblem(code, "for the owner")

    return does


BROKEN: dict[str, Does] = {
    "hangs": hangs,
    "hangs on": hangs_on,
    "raises": raises,
    "cancels itself": cancels,
    "dies in the middle": dies,
    "a code that the API does not have": unknown_code,
    "nothing": returns(None),
    "a string": returns("junk"),
    "no content": returns(ServerResult(None)),
    "content of another kind": returns(ServerResult(page())),
    "half a result": returns(ServerResult([{"type": "web_search_result", "url": "https://a.example/"}])),
    "what is no JSON": returns(ServerResult([hit(text=object())])),  # type: ignore[arg-type]
    "half a character": returns(ServerResult([hit(text="\ud800")])),
    "10 MB": returns(ServerResult([hit(text="x" * 10_000_000)])),
    "counts of another kind": returns(ServerResult([hit()], {"web_search_requests": "many"})),  # type: ignore[dict-item]
}
RULES = (says("I could not look.", "unavailable"), says(search(), "Tell me"))


@pytest.mark.promise("server-tools.failures", "field.server-tools")
@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_that_fails_gives_its_error_block_and_the_model_goes_on(
    case: str, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool_runs, "GRACE", 0.05)
    tools = [ScriptedTool(BROKEN[case])]
    limits = TurnLimits(tool_seconds=0.05)
    async with asyncio.timeout(20), app(*RULES, tools=tools, turn=limits) as served:
        request = ask()
        if stream:
            answer = await served.post(ask(stream=True))
            assert [event["type"] for event in answer.events][-2:] == ["message_delta", "message_stop"]
            assert b"10.0.0.1" not in answer.body
            return
        message = await served.reply(request)
        assert kinds(message) == ["server_tool_use", "web_search_tool_result", "text"]
        error = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
        assert message["content"][1]["content"] == error
        assert message["stop_reason"] == "end_turn"
        assert message["usage"]["server_tool_use"] == {"web_search_requests": 0, "web_fetch_requests": 0}
        again = await served.reply(
            resend(request, message)
            | {"messages": [*resend(request, message)["messages"], {"role": "user", "content": "Hm."}]}
        )
        assert again["stop_reason"] == "end_turn"


SEARCH_CODES = ("invalid_tool_input", "unavailable", "too_many_requests", "query_too_long", "request_too_large")
FETCH_CODES = (
    "invalid_tool_input",
    "url_too_long",
    "url_not_allowed",
    "url_not_in_prior_context",
    "url_not_accessible",
    "unsupported_content_type",
    "too_many_requests",
    "unavailable",
    "content_too_large",
)


@pytest.mark.promise("server-tools.error-codes")
@pytest.mark.parametrize(
    ("name", "code"), [("web_search", code) for code in SEARCH_CODES] + [("web_fetch", code) for code in FETCH_CODES]
)
async def test_every_documented_error_reaches_the_client_and_the_model(name: str, code: str) -> None:
    does = problem(code)
    tools = [ScriptedTool(does), fetcher(does)]
    call = (
        section(invoke(name, query="a")) if name == "web_search" else section(invoke(name, url="https://a.example/"))
    )
    async with app(says("I see.", code), says(call, "Tell me"), tools=tools) as served:
        message = await served.reply(ask(tools=[SEARCH, FETCH]))
        assert message["content"][1] == {
            "type": f"{name}_tool_result",
            "tool_use_id": message["content"][0]["id"],
            "content": {"type": f"{name}_tool_result_error", "error_code": code},
            "caller": {"type": "direct"},
        }
        assert message["content"][2]["text"] == "I see."


async def test_too_much_of_a_page_has_a_code_of_its_own() -> None:
    tools = [fetcher(returns(ServerResult(page("x" * 10_000_000))))]
    call = section(invoke("web_fetch", url="https://a.example/"))
    async with app(says("Long.", "content_too_large"), says(call, "Tell me"), tools=tools) as served:
        message = await served.reply(ask(tools=[FETCH]))
        assert message["content"][1]["content"]["error_code"] == "content_too_large"


async def test_a_pdf_that_cannot_be_read_is_an_error_of_the_tool() -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": "bm8gcGRm"}
    tools = [fetcher(returns(ServerResult({**page(), "content": {"type": "document", "source": source}})))]
    call = section(invoke("web_fetch", url="https://a.example/"))
    async with app(says("No.", "unavailable"), says(call, "Tell me"), tools=tools) as served:
        message = await served.reply(ask(tools=[FETCH]))
        assert message["content"][1]["content"]["error_code"] == "unavailable"


async def test_one_that_fails_leaves_the_others_alone() -> None:
    async def one_fails(call: ServerCall) -> ServerResult:
        if call.input["query"] == "dogs":
            raise RuntimeError
        return await finds(call)

    tools = [ScriptedTool(one_fails)]
    async with app(says("Cats.", "All about cats"), says(search("dogs", "cats"), "Tell me"), tools=tools) as served:
        message = await served.reply(ask())
        assert message["content"][2]["content"]["error_code"] == "unavailable"
        assert message["content"][3]["content"][0]["url"] == "https://a.example/"
        assert message["content"][4]["text"] == "Cats."


@pytest.mark.parametrize("answer", [" ", "<function_calls>", '<function_calls>\n<invoke name="web_search">\n<par'])
async def test_a_model_that_stops_anywhere_ends_the_reply(answer: str) -> None:
    rules = (says("Nothing."), says(answer, "All about", times=1), says(search(), "Tell me"))
    async with app(*rules[1:], rules[0]) as served:
        message = await served.reply(ask())
        assert kinds(message)[:2] == ["server_tool_use", "web_search_tool_result"]
        assert message["stop_reason"] == "end_turn"

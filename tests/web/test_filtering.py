"""Code that searches and fetches by itself, and prints what of it matters: the newer web tools."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.service.reply import served_calls
from antiphon.testing.app import SEALS
from tests.service.server_tools import ScriptedTool, fetcher, finds, hit, page
from tests.web.code_app import CodeApp, Json, asks, code_app
from tests.web.searching_app import invoke, kinds, resend, says, section
from tests.web.test_programmatic_calling import QUERY, answered, calls, paused, streamed
from tests.web.test_python import CELLS, cell

SEARCH: Json = {"type": "web_search_20260209", "name": "web_search"}
FETCH: Json = {"type": "web_fetch_20260209", "name": "web_fetch"}
BY_CODE = ["code_execution_20260120"]
CODE = "server_tool_use"
FOUND = [CODE, "web_search_tool_result"]
RAN = "code_execution_tool_result"
COUNT = (
    "import json\nfound = json.loads(await web_search({'query': 'cats'}))\nprint(len(found), found[0]['content'][:9])"
)


def script(*cells: str) -> str:
    return "".join(says(cell(code), times=1) for code in cells) + says("Done.")


def app(folder: Path, *cells: str, runs: Sequence[ScriptedTool] = (), **settings: Any) -> Any:
    return code_app(folder, script(*cells), runs=list(runs) or [ScriptedTool(), fetcher()], **settings)


def opened(message: Json) -> list[str]:
    """What code that searched has printed."""
    sealed = [(block["tool_use_id"], block["content"]) for block in message["content"] if block["type"] == RAN]
    return [str(SEALS.open_found(content["encrypted_stdout"], f"stdout\n{id_}")) for id_, content in sealed]


async def length(served: CodeApp, request: Json) -> int:
    counted = {key: value for key, value in request.items() if key != "max_tokens"}
    answer = await served.files.bridge.ask("POST", "/v1/messages/count_tokens", json.dumps(counted).encode())
    return answer.json["input_tokens"]


@pytest.mark.promise("filtering.called", "filtering.sealed", "filtering.counted")
async def test_code_searches_in_one_reply_and_its_blocks_name_the_code(tmp_path: Path):
    async with app(tmp_path, COUNT) as served:
        message = await served.reply(asks(tools=[SEARCH]))
    assert kinds(message) == [CODE, *FOUND, RAN, "text"]
    code, search, found, ran, _ = message["content"]
    caller = {"type": "code_execution_20260120", "tool_id": code["id"]}
    assert (code["name"], code["caller"]) == ("code_execution", {"type": "direct"})
    assert (search["name"], search["input"], search["caller"]) == ("web_search", {"query": "cats"}, caller)
    assert search["id"].startswith("srvtoolu_")
    assert (found["tool_use_id"], found["caller"]) == (search["id"], caller)
    assert "All about" not in json.dumps(message)
    assert ran["content"].keys() == {"type", "encrypted_stdout", "stderr", "return_code", "content"}
    assert ran["content"]["type"] == "encrypted_code_execution_result"
    assert opened(message) == ["1 All about\n"]
    assert message["stop_reason"] == "end_turn"
    assert message["container"]["id"].startswith("container_")
    assert message["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}


@pytest.mark.promise("filtering.unseen")
async def test_what_code_found_is_not_told_to_the_model_and_what_it_printed_is(tmp_path: Path):
    async def much(call: ServerCall) -> ServerResult:
        return ServerResult([hit(text="word " * 2000)])

    async with app(tmp_path, COUNT, runs=[ScriptedTool(much)]) as served:
        request = asks(tools=[SEARCH])
        message = await served.reply(request)
        back = resend(request, message)
        back["messages"].append({"role": "user", "content": "And?"})
        again = await served.reply(back)
        before, behind = await length(served, request), await length(served, back)
    assert message["usage"]["input_tokens"] < 2 * before + 500
    assert before < behind < before + 500
    assert kinds(again) == ["text"]
    printed = next(block for block in message["content"] if block["type"] == RAN)["content"]["encrypted_stdout"]
    changed = json.loads(json.dumps(back).replace(printed, printed[:-8] + "AAAAAAA="))
    async with app(tmp_path, COUNT) as served:
        assert "Invalid `encrypted_stdout`" in await served.refusal(changed)


@pytest.mark.promise("filtering.called")
async def test_a_stream_tells_each_call_whole_and_as_it_happens(tmp_path: Path):
    code = "for query in ('a', 'b'):\n    print(await web_search({'query': query}))"
    async with app(tmp_path, code) as served:
        events, message = await streamed(served, asks(tools=[SEARCH], stream=True))
    assert kinds(message) == [CODE, *FOUND, *FOUND, RAN, "text"]
    assert [block["input"] for block in message["content"][1:5:2]] == [{"query": "a"}, {"query": "b"}]
    whole = {e["index"] for e in events if e["type"] == "content_block_start" and e["index"] in (1, 2, 3, 4, 5)}
    assert len(whole) == 5
    assert not any(e["index"] in whole for e in events if e["type"] == "content_block_delta")
    assert next(e for e in events if e["type"] == "message_delta")["delta"]["container"]["id"]


@pytest.mark.promise("filtering.fetch")
async def test_code_fetches_what_it_has_found_and_what_it_prints_of_that_is_plain(tmp_path: Path):
    async def fetches(call: ServerCall) -> ServerResult:
        if call.input["url"] not in call.seen_urls:
            raise ToolProblem("url_not_in_prior_context")
        return ServerResult(page("All the words.", url=str(call.input["url"])), {"web_fetch_requests": 1})

    found = "import json\n[one] = json.loads(await web_search({'query': 'cats'}))\nat = one['url']"
    fetch = "print(json.loads(await web_fetch({'url': at}))['content']['source']['data'])"
    other = "print(json.loads(await web_fetch({'url': 'https://b.example/'})))"
    async with app(tmp_path, found, fetch, other, runs=[ScriptedTool(), fetcher(fetches)]) as served:
        message = await served.reply(asks(tools=[SEARCH, FETCH]))
    assert kinds(message) == [CODE, *FOUND, RAN, *[CODE, CODE, "web_fetch_tool_result", RAN] * 2, "text"]
    first, second = [block["content"] for block in message["content"] if block["type"] == RAN][1:]
    assert (first["type"], first["stdout"]) == ("code_execution_result", "All the words.\n")
    assert "url_not_in_prior_context" in second["stdout"]
    assert message["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 1}


@pytest.mark.promise("filtering.bounded")
async def test_uses_from_code_count_as_uses_and_a_flood_of_calls_ends_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    code = "for n in range(3):\n    print(await web_search({'query': 'cats'}))"
    async with app(tmp_path, code) as served:
        message = await served.reply(asks(tools=[{**SEARCH, "max_uses": 2}]))
        contents = [block["content"] for block in message["content"] if block["type"] == "web_search_tool_result"]
        assert contents[2] == {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}
        assert "max_uses_exceeded" in opened(message)[0]
        assert message["usage"]["server_tool_use"]["web_search_requests"] == 2
    monkeypatch.setattr(served_calls, "MOST", 2)
    async with app(tmp_path, code, "print(1)") as served:
        message = await served.reply(asks(tools=[SEARCH]))
    assert kinds(message) == [CODE, *FOUND, *FOUND, RAN, CODE, RAN, "text"]
    assert message["content"][5]["content"]["error_code"] == "too_many_requests"
    assert "started anew" in message["content"][7]["content"]["stderr"]


@pytest.mark.promise("filtering.inclusion")
async def test_calls_of_code_that_has_ended_may_be_left_out_and_those_of_code_that_waits_not(tmp_path: Path):
    newest = {**SEARCH, "type": "web_search_20260318", "response_inclusion": "excluded"}
    both = COUNT + "\nprint(await query_database({}))"
    async with app(tmp_path, COUNT, both) as served:
        message = await served.reply(asks(tools=[newest]))
        assert kinds(message) == [CODE, RAN, CODE, RAN, "text"]
        assert opened(message)[0] == "1 All about\n"
        assert "NameError" in message["content"][3]["content"]["stderr"]
    async with app(tmp_path, both) as served:
        request = asks(tools=[newest, CELLS, QUERY])
        first = await paused(served, request)
        assert kinds(first) == [CODE, *FOUND, "tool_use"]
        last = await served.reply(answered(request, first, "a row"))
    assert opened(last) == ["1 All about\na row\n"]


@pytest.mark.promise("filtering.beside")
async def test_code_calls_the_server_and_the_client_together(tmp_path: Path):
    together = "import asyncio\nfound, row = await asyncio.gather(web_fetch({'url': 'x'}), query_database({}))\n"
    then = "print(len(found) > 9, row)\nprint(len(await web_fetch({'url': 'y'})) > 9)"
    async with app(tmp_path, together + then) as served:
        request = asks(tools=[FETCH, CELLS, QUERY])
        first = await paused(served, request)
        assert kinds(first) == [CODE, CODE, "web_fetch_tool_result", "tool_use"]
        assert len(calls(first)) == 1
        events, last = await streamed(served, {**answered(request, first, "a row"), "stream": True})
    assert kinds(last) == [CODE, "web_fetch_tool_result", RAN, "text"]
    assert last["content"][0]["caller"]["tool_id"] == first["content"][0]["id"]
    assert last["content"][2]["content"]["stdout"] == "True a row\nTrue\n"
    assert events[0]["message"]["content"] == []


@pytest.mark.promise("filtering.offered")
async def test_the_request_says_who_calls_and_by_default_both_may(tmp_path: Path):
    code = "print('web_search' in globals())"
    direct = says(section(invoke(query="cats")), times=1) + says("Done.")
    for callers, kept in ((None, "True"), (BY_CODE, "True"), (["direct"], "False")):
        tool = SEARCH if callers is None else {**SEARCH, "allowed_callers": callers}
        async with app(tmp_path, code) as served:
            message = await served.reply(asks(tools=[tool, CELLS]))
            assert message["content"][1]["content"]["stdout"] == f"{kept}\n"
        async with code_app(tmp_path, direct, runs=[ScriptedTool()]) as served:
            assert (FOUND[1] in kinds(await served.reply(asks(tools=[tool])))) is (callers != BY_CODE)
    async with app(tmp_path, code) as served:
        old = {"type": "web_search_20250305", "name": "web_search"}
        assert kinds(await served.reply(asks(tools=[old]))) == ["text"]
        refused = await served.refusal(asks(tools=[{**old, "allowed_callers": BY_CODE}]))
        assert refused.startswith("tools.0.allowed_callers: calls from code need the tool code_execution_20260120")


@pytest.mark.promise("filtering.hidden-errors")
async def test_a_search_that_fails_reaches_the_code_as_its_error(tmp_path: Path):
    async def fails(call: ServerCall) -> ServerResult:
        if call.input["query"] == "bad":
            raise RuntimeError("broken")
        return await finds(call)

    code = "print(await web_search({'query': 'bad'}), len(await web_search({'query': 'good'})) > 9)"
    async with app(tmp_path, code, runs=[ScriptedTool(fails)]) as served:
        message = await served.reply(asks(tools=[SEARCH]))
    assert '"error_code":"unavailable"' in opened(message)[0]
    assert opened(message)[0].endswith("True\n")
    assert message["usage"]["server_tool_use"]["web_search_requests"] == 1

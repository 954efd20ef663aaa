"""Code that calls the client's tools: it waits while the client answers, and goes on over several requests."""

import json
from pathlib import Path
from typing import Any

import pytest

from antiphon.compose import services
from antiphon.tools.code import python
from tests.sandbox.commands import until
from tests.web.code_app import CODE, CodeApp, Json, asks, code_app
from tests.web.searching_app import invoke, kinds, says, section
from tests.web.test_python import CELLS, NEWEST, cell, results

QUERY: Json = {
    "name": "query_database",
    "description": "Runs SQL.",
    "input_schema": {"type": "object", "properties": {"sql": {"type": "string"}}},
    "allowed_callers": ["code_execution_20260120"],
}
TOOLS = [CELLS, QUERY]
LOOP = "seen = []\nfor region in ('a', 'b'):\n    seen.append(await query_database({'sql': region}))\nprint('-'.join(seen))"
BOTH = "import asyncio\nprint(*await asyncio.gather(query_database({'sql': 'a'}), query_database({'sql': 'b'})))"


def script(code: str, last: str = "Done.") -> str:
    return says(cell(code), "Go", times=1) + says(last)


def calls(message: Json) -> list[Json]:
    return [block for block in message["content"] if block["type"] == "tool_use"]


def answered(request: Json, message: Json, *texts: Any, **more: Any) -> Json:
    """The request that goes on with these results."""
    given = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": text}
        for call, text in zip(calls(message), texts, strict=True)
    ]
    turns = [{"role": "assistant", "content": message["content"]}, {"role": "user", "content": given}]
    container = {"container": message["container"]["id"]}
    return {**request, "messages": [*request["messages"], *turns], **container, **more}


async def streamed(app: CodeApp, request: Json) -> tuple[list[Json], Json]:
    """The events of a stream, and the message that they add up to."""
    answer = await app.files.bridge.post(request)
    events = [event for event in answer.events if event["type"] != "ping"]
    message: Json = {**events[0]["message"], "content": list(events[0]["message"]["content"])}
    written = ""
    for event in events[1:]:
        match event["type"]:
            case "content_block_start":
                message["content"].append(event["content_block"])
                written = ""
            case "content_block_delta":
                written += event["delta"].get("partial_json", "")
            case "content_block_stop" if written:
                message["content"][-1]["input"] = json.loads(written)
            case "message_delta":
                message |= event["delta"]
            case _:
                pass
    return events, message


async def paused(app: CodeApp, request: Json) -> Json:
    message = await app.reply(request)
    assert message["stop_reason"] == "tool_use"
    return message


@pytest.mark.promise(
    "programmatic-calling.loop", "programmatic-calling.caller", "programmatic-calling.usage",
    "programmatic-calling.unseen",
)  # fmt: skip
@pytest.mark.parametrize("tool", [CELLS, NEWEST], ids=["20260120", "20260521"])
async def test_a_loop_of_calls_pauses_for_each_and_its_results_never_reach_the_model(tmp_path: Path, tool: Json):
    secret = "a secret row " * 200
    code = LOOP.replace("'-'.join(seen)", "[len(one) for one in seen]")
    async with code_app(tmp_path, script(code)) as app:
        request = asks(tools=[tool, QUERY])
        first = await paused(app, request)
        assert kinds(first) == ["server_tool_use", "tool_use"]
        code, [call] = first["content"][0], calls(first)
        assert (code["name"], code["caller"]) == ("code_execution", {"type": "direct"})
        assert call["name"] == "query_database"
        assert call["input"] == {"sql": "a"}
        assert call["caller"] == {"type": "code_execution_20260120", "tool_id": code["id"]}
        request = answered(request, first, secret)
        second = await paused(app, request)
        assert kinds(second) == ["tool_use"]
        assert calls(second)[0]["caller"]["tool_id"] == code["id"]
        assert calls(second)[0]["input"] == {"sql": "b"}
        assert (second["usage"]["input_tokens"], second["usage"]["output_tokens"]) == (0, 0)
        assert second["id"] != first["id"]
        assert second["container"]["id"] == first["container"]["id"]
        request = answered(request, second, [{"type": "text", "text": secret}])
        last = await app.reply(request)
    assert kinds(last) == ["code_execution_tool_result", "text"]
    assert last["content"][0]["tool_use_id"] == code["id"]
    assert last["content"][0]["content"]["stdout"] == f"[{len(secret)}, {len(secret)}]\n"
    assert last["stop_reason"] == "end_turn"
    assert first["usage"]["input_tokens"] < last["usage"]["input_tokens"] < first["usage"]["input_tokens"] + 200


@pytest.mark.promise("programmatic-calling.parallel", "server-tools.programmatic")
async def test_calls_made_together_are_asked_together(tmp_path: Path):
    async with code_app(tmp_path, script(BOTH)) as app:
        request = asks(tools=TOOLS)
        first = await paused(app, request)
        assert [call["input"] for call in calls(first)] == [{"sql": "a"}, {"sql": "b"}]
        last = await app.reply(answered(request, first, "one", "two"))
    assert results(last)[0]["stdout"] == "one two\n"


@pytest.mark.promise("programmatic-calling.prefilled")
async def test_a_stream_in_the_middle_is_two_events_and_at_both_ends_a_usual_one(tmp_path: Path):
    async with code_app(tmp_path, script(LOOP)) as app:
        request = asks(tools=TOOLS, stream=True)
        events, first = await streamed(app, request)
        started = [e for e in events if e["type"] == "content_block_start"]
        [whole] = [e for e in started if e["content_block"]["type"] == "tool_use"]
        assert whole["content_block"]["input"] == {"sql": "a"}
        assert all(e["index"] != whole["index"] for e in events if e["type"] == "content_block_delta")
        assert first["stop_reason"] == "tool_use"
        request = answered(request, first, "one")
        events, opened = await streamed(app, request)
        assert [e["type"] for e in events] == ["message_start", "message_stop"]
        assert kinds(opened) == ["tool_use"]
        assert opened["stop_reason"] == "tool_use"
        assert opened["container"]["id"] == request["container"]
        assert opened["usage"]["input_tokens"] == opened["usage"]["output_tokens"] == 0
        assert opened["usage"]["server_tool_use"]["web_search_requests"] == 0
        events, last = await streamed(app, answered(request, opened, "two"))
    assert events[0]["message"]["content"] == []
    assert kinds(last) == ["code_execution_tool_result", "text"]
    assert last["content"][0]["content"]["stdout"] == "one-two\n"


@pytest.mark.promise("programmatic-calling.errors-as-text")
async def test_an_error_of_a_tool_reaches_the_code_as_its_text(tmp_path: Path):
    async with code_app(tmp_path, script("print(await query_database({'sql': 'x'}))")) as app:
        request = asks(tools=TOOLS)
        going_on = answered(request, await paused(app, request), "no such table")
        going_on["messages"][-1]["content"][0]["is_error"] = True
        last = await app.reply(going_on)
    assert results(last)[0]["stdout"] == "no such table\n"


@pytest.mark.promise("programmatic-calling.timeout")
async def test_a_result_that_comes_too_late_is_a_timeout_in_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(services, "code_tools", lambda: (python.Python(patience=0.2),))
    code = "import asyncio\ntry:\n    await query_database({})\nfinally:\n    open('late', 'w').close()"
    async with code_app(tmp_path, script(code)) as app:
        request = asks(tools=TOOLS)
        first = await paused(app, request)
        late = tmp_path / first["container"]["id"] / "workspace" / "late"

        async def gave_up() -> bool:
            return late.exists()

        await until(gave_up)
        last = await app.reply(answered(request, first, "at last"))
    assert results(last)[0]["stderr"] == (
        "TimeoutError: Calling tool ['query_database'] timed out (no response after 0.2s).\n"
    )
    assert results(last)[0]["return_code"] == 0


@pytest.mark.promise("programmatic-calling.direct-only")
async def test_code_finds_no_tool_that_is_not_for_it_and_the_model_none_that_is_for_code(tmp_path: Path):
    plain: Json = {"name": "look", "input_schema": {"type": "object", "properties": {}}}
    both: Json = {**plain, "name": "read-file", "allowed_callers": ["direct", "code_execution_20260521"]}
    code = "print('look' in globals(), 'query_database' in globals())\nprint(await read_file({}))"
    async with code_app(tmp_path, script(code)) as app:
        request = asks(tools=[*TOOLS, plain, both])
        first = await paused(app, request)
        assert calls(first)[0]["name"] == "read-file"
        last = await app.reply(answered(request, first, "text"))
    assert results(last)[0]["stdout"] == "False True\ntext\n"
    direct = says(section(invoke("query_database", sql="x")), times=1) + says("Done.")
    async with code_app(tmp_path, direct) as app:
        assert kinds(await app.reply(asks(tools=TOOLS))) == ["text"]


@pytest.mark.promise("programmatic-calling.lost")
async def test_code_that_is_gone_or_did_not_wait_is_an_error_that_the_model_is_told(tmp_path: Path):
    async with code_app(tmp_path, script(LOOP)) as app:
        request = asks(tools=TOOLS)
        going_on = answered(request, await paused(app, request), "one")
        (tmp_path / going_on["container"] / "tmp" / ".python").write_text("another's")
        message = await app.reply(going_on)
    assert results(message)[0] == {"type": "code_execution_tool_result_error", "error_code": "unavailable"}
    assert kinds(message) == ["code_execution_tool_result", "text"]


@pytest.mark.promise("programmatic-calling.lost")
async def test_a_client_that_asks_again_gets_the_same_calls_and_code_hears_nothing_twice(tmp_path: Path):
    async with code_app(tmp_path, script(LOOP)) as app:
        request = asks(tools=TOOLS)
        request = answered(request, await paused(app, request), "one")
        one, two = [await paused(app, request) for _ in range(2)]
        assert calls(one) == calls(two)
        last = await app.reply(answered(request, two, "two"))
        assert results(last)[0]["stdout"] == "one-two\n"
        again = await app.reply(answered(request, two, "two"))
    assert results(again)[0]["stdout"] == "one-two\n"


@pytest.mark.promise("programmatic-calling.loop")
async def test_pieces_of_code_in_one_reply_wait_for_each_other(tmp_path: Path):
    two = section(
        *(invoke("code_execution", code=f"print(await query_database({{'sql': '{sql}'}}))") for sql in ("a", "b"))
    )
    async with code_app(tmp_path, says(two, "Go", times=1) + says("Done.")) as app:
        request = asks(tools=TOOLS)
        first = await paused(app, request)
        assert kinds(first) == ["server_tool_use", "server_tool_use", "tool_use"]
        request = answered(request, first, "one")
        second = await paused(app, request)
        assert kinds(second) == ["code_execution_tool_result", "tool_use"]
        assert calls(second)[0]["caller"]["tool_id"] == first["content"][1]["id"]
        last = await app.reply(answered(request, second, "two"))
    assert kinds(last) == ["code_execution_tool_result", "text"]
    assert results(last)[0]["stdout"] == "two\n"


async def test_code_that_nobody_answers_gives_way_to_the_next(tmp_path: Path):
    more = says(cell("print(1)"), "Again", times=1)
    async with code_app(tmp_path, says(cell(LOOP), "Go", times=1) + more + says("Done.")) as app:
        first = await paused(app, asks(tools=TOOLS))
        message = await app.reply(asks("Again", tools=TOOLS, container=first["container"]["id"]))
    assert results(message)[0]["stdout"] == "1\n"
    assert "started anew" in results(message)[0]["stderr"]


@pytest.mark.promise("programmatic-calling.thinking", "programmatic-calling.caching")
async def test_thoughts_and_marks_go_with_it(tmp_path: Path):
    thinking = says(cell(LOOP), "Go", times=1, thinking="'Hm.'") + says("Done.", thinking="'So.'")
    async with code_app(tmp_path, thinking) as app:
        more: Json = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 3000}
        request = asks(tools=TOOLS, cache_control={"type": "ephemeral"}, **more)
        first = await paused(app, request)
        assert kinds(first) == ["thinking", "server_tool_use", "tool_use"]
        request = answered(request, first, "one")
        second = await paused(app, request)
        assert kinds(second) == ["tool_use"]
        assert second["usage"]["input_tokens"] == second["usage"]["cache_read_input_tokens"] == 0
        last = await app.reply(answered(request, second, "two"))
    # Without interleaved thinking a turn thinks once, at its beginning.
    assert kinds(last) == ["code_execution_tool_result", "text"]
    assert results(last)[0]["stdout"] == "one-two\n"


WRONG: dict[str, tuple[Json, str]] = {
    "no tool that runs it": ({"tools": [CODE, QUERY]}, "calls from code need the tool code_execution_20260120"),
    "strict": ({"tools": [CELLS, {**QUERY, "strict": True}]}, "tools.1.strict: strict=true is not supported"),
    "one at a time": (
        {"tools": TOOLS, "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        "tool_choice.disable_parallel_tool_use: true is not supported",
    ),
    "forced": (
        {"tools": TOOLS, "tool_choice": {"type": "tool", "name": "query_database"}},
        "'query_database' is not for the model",
    ),
    "circular": (
        {
            "tools": [
                CELLS,
                {**QUERY, "input_schema": {"type": "object", "properties": {"a": {"$ref": "#"}}}},
            ]
        },
        "Circular $ref detected",
    ),
    "deferred": ({"tools": [CELLS, {**QUERY, "defer_loading": True}]}, "not supported by this server yet"),
    "an older caller": (
        {"tools": [CELLS, {**QUERY, "allowed_callers": ["code_execution_20250825"]}]},
        "tools.1.allowed_callers: calls from code are not supported by this server yet",
    ),
}


@pytest.mark.promise("programmatic-calling.refused")
@pytest.mark.parametrize("case", WRONG)
async def test_what_cannot_go_with_calls_from_code_is_refused(tmp_path: Path, case: str):
    more, message = WRONG[case]
    async with code_app(tmp_path, says("Yes.")) as app:
        assert message in await app.refusal(asks(**more))


@pytest.mark.promise("programmatic-calling.refused")
async def test_several_workers_that_do_not_find_each_other_refuse_calls_from_code(tmp_path: Path):
    async with code_app(tmp_path, says("Yes."), workers=2) as app:
        assert await app.refusal(asks(tools=TOOLS)) == (
            "tools.1.allowed_callers: calls from code are not supported by this server yet."
        )


@pytest.mark.promise("programmatic-calling.answers-only", "errors.pending-code")
async def test_an_answer_is_results_of_text_in_the_container_and_nothing_else(tmp_path: Path):
    async with code_app(tmp_path, script(LOOP)) as app:
        request = asks(tools=TOOLS)
        good = answered(request, await paused(app, request), "one")
        without = {key: value for key, value in good.items() if key != "container"}
        assert await app.refusal(without) == (
            "container_id is required when there are pending tool uses generated by code execution with tools."
        )
        [result] = good["messages"][-1]["content"]

        def saying(*content: Json) -> Json:
            return {**good, "messages": [*good["messages"][:-1], {"role": "user", "content": list(content)}]}

        text = {"type": "text", "text": "And?"}
        assert "without a corresponding" in await app.refusal(saying(result, text))
        assert await app.refusal(saying(text, result))
        pixel = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
        assert "support text only" in await app.refusal(saying({**result, "content": [pixel]}))
        made = good["messages"][1]["content"]
        elsewhere = [made[0], {**made[1], "caller": {"type": "code_execution_20260120", "tool_id": "srvtoolu_x"}}]
        other = {
            **good,
            "messages": [good["messages"][0], {"role": "assistant", "content": elsewhere}, *good["messages"][2:]],
        }
        assert f"source tool `srvtoolu_x` not found for tool use block `{made[1]['id']}`" in await app.refusal(other)
        assert (await paused(app, good))["content"]

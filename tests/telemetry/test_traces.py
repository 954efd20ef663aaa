"""What a collector is told of requests, over the wire: spans, times, and no word of what was said."""

import asyncio
import json
import re
import socket
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from antiphon.compose.observer import StartError
from antiphon.compose.telemetry import tracer_for
from antiphon.config import Settings
from antiphon.config.tables.otel import OtelSettings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.ports.server_tools import ServerCall, ServerResult, ToolProblem
from antiphon.testing import Bridge, engine_app
from antiphon.testing.app import MODEL
from tests.service.server_tools import ScriptedTool
from tests.telemetry.collector import Collector, collecting
from tests.web.searching_app import SEARCH, says, search

SECRET = "the word that nobody may read"
SONNET = "claude-sonnet-4-5-20250929"
PARENT = "00f067aa0ba902b7"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CHAT = f"chat {SONNET}"
DURATION, FIRST, EACH = (
    f"gen_ai.server.{name}" for name in ("request.duration", "time_to_first_token", "time_per_output_token")
)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as one:
        yield one


@asynccontextmanager
async def app(collector: Collector, *rules: str, content: bool = False, **more: Any) -> AsyncGenerator[Bridge]:
    """An app that tells this collector; when it has ended, all has been told."""
    otel = OtelSettings(collector.url, "my-server", content)
    async with asyncio.timeout(60), engine_app(ScriptedEngine(MODEL, "".join(rules)), otel=otel, **more) as bridge:
        yield bridge


def ask(content: Any = SECRET, **more: Any) -> dict[str, Any]:
    return {"model": SONNET, "max_tokens": 100, "messages": [{"role": "user", "content": content}], **more}


@pytest.mark.promise("otel.spans")
async def test_a_request_is_a_span_with_the_attributes_of_the_conventions(collector: Collector) -> None:
    async with app(collector, says("Hello you!")) as bridge:
        answer = await bridge.post(ask(temperature=0.5, top_k=3, stop_sequences=["END"]))
        await bridge.ask("POST", "/v1/messages/count_tokens", {"model": SONNET, "messages": ask()["messages"]})
        await bridge.ask("GET", "/v1/models")
    message = json.loads(answer.body)
    [span] = collector.spans
    assert (span.name, span.server, span.failed, span.parent) == (CHAT, True, False, "")
    assert span.said == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "antiphon",
        "gen_ai.request.model": SONNET,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.stream": False,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_k": 3,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.response.id": message["id"],
        "gen_ai.response.model": message["model"],
        "gen_ai.response.finish_reasons": ["end_turn"],
        "gen_ai.usage.input_tokens": message["usage"]["input_tokens"],
        "gen_ai.usage.output_tokens": message["usage"]["output_tokens"],
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "http.response.status_code": 200,
        "antiphon.request.id": answer.headers["request-id"],
    }
    about = collector.about
    assert (about["service.name"], bool(about["service.version"])) == ("my-server", True)


@pytest.mark.promise("otel.spans")
async def test_tokens_that_are_cached_are_part_of_the_input_and_told_apart(collector: Collector) -> None:
    marked = [{"type": "text", "text": "word " * 3000, "cache_control": {"type": "ephemeral"}}]
    async with app(collector, says("Hello you!")) as bridge:
        usages = [json.loads((await bridge.post(ask(marked, stream=False))).body)["usage"] for _ in range(2)]
    assert [usage["cache_read_input_tokens"] > 0 for usage in usages] == [False, True]
    kinds = ("cache_read", "cache_creation")
    assert [[span.said[f"gen_ai.usage.{kind}.input_tokens"] for kind in kinds] for span in collector.spans] == [
        [usage[f"{kind}_input_tokens"] for kind in kinds] for usage in usages
    ]
    assert [span.said["gen_ai.usage.input_tokens"] for span in collector.spans] == [
        usage["input_tokens"] + usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]
        for usage in usages
    ]


@pytest.mark.promise("otel.spans")
async def test_each_run_of_a_tool_is_a_span_within_that_of_its_request(collector: Collector) -> None:
    async def fails(call: ServerCall) -> ServerResult:
        raise ToolProblem("too_many_requests", SECRET)

    rules = [says(search("cats", "dogs"), when=SECRET, times=1), says("Done.")]
    for tool in (ScriptedTool(), ScriptedTool(fails)):
        collector.spans.clear()
        async with app(collector, *rules, runs=[tool]) as bridge:
            message = json.loads((await bridge.post(ask(tools=[SEARCH]))).body)
        ids = [block["id"] for block in message["content"] if block["type"] == "server_tool_use"]
        runs = [span for span in collector.spans if span.name == "execute_tool web_search"]
        assert sorted(run.said["gen_ai.tool.call.id"] for run in runs) == sorted(ids)
        assert len(ids) == 2
        chat = collector.span(CHAT)
        assert {(run.parent, run.trace) for run in runs} == {(chat.id, chat.trace)}
        problem = None if tool.does is not fails else "too_many_requests"
        assert {run.said.get("error.type") for run in runs} == {problem}
        assert {run.failed for run in runs} == {problem is not None}
        assert (chat.failed, chat.said.get("error.type")) == (False, None)
    assert SECRET.encode() not in b"".join(collector.raw)
    assert {point["gen_ai.request.model"] for point, _ in collector.times[FIRST]} == {SONNET}
    assert EACH not in collector.times, "a tool's time is not the model's"


@pytest.mark.promise("otel.spans")
async def test_requests_that_fail_say_how(collector: Collector) -> None:
    breaks = says("One two three four five.", when="break", fail='"died"', after_chunks="3")
    async with app(collector, breaks, says("Hello you!"), api_keys=("good",)) as bridge:
        key = {"x-api-key": "good"}
        await bridge.post(ask())
        for body in (ask(model="claude-nobody"), ask(max_tokens=-1), ask("break"), ask("break", stream=True)):
            await bridge.post(body, headers=key)
    told = [
        (span.said["error.type"], span.said["http.response.status_code"], span.failed) for span in collector.spans
    ]
    assert told == [
        ("authentication_error", 401, False),
        ("not_found_error", 404, False),
        ("invalid_request_error", 400, False),
        ("api_error", 500, True),
        ("api_error", 200, True),
    ]
    assert [span.name for span in collector.spans] == ["chat"] * 3 + [CHAT] * 2
    assert all("gen_ai.response.id" not in span.said for span in collector.spans)
    kinds = sorted(point["error.type"] for point, _ in collector.times[DURATION])
    assert kinds == ["api_error", "authentication_error", "invalid_request_error", "not_found_error"]
    assert FIRST not in collector.times


@pytest.mark.promise("otel.spans")
async def test_a_client_that_goes_away_has_cancelled_its_request(collector: Collector) -> None:
    endless = says("word " * 200, chunk_delay_ms="20")
    begun = app(collector, endless)
    async with begun as bridge, bridge.open("POST", "/v1/messages", ask(stream=True)) as exchange:
        await exchange.begin()
    span = collector.span(CHAT)
    assert (span.said["error.type"], span.failed) == ("cancelled", False)


@pytest.mark.promise("otel.continues")
async def test_a_request_goes_on_in_the_trace_of_its_client(collector: Collector) -> None:
    async with app(collector, says("Hello you!")) as bridge:
        for said in (f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00", "00-nonsense", None):
            answer = await bridge.post(ask(), headers={"traceparent": said})
            assert answer.status == 200
    [within, *others] = collector.spans
    assert (within.trace, within.parent) == (TRACE, PARENT)
    assert [(span.trace == TRACE, span.parent) for span in others] == [(False, "")] * 2


@pytest.mark.promise("otel.metrics")
async def test_times_are_measured_by_model_whatever_clients_call_it(collector: Collector) -> None:
    async with app(collector, says("Hello you! And more.")) as bridge:
        for name in (SONNET, "claude-sonnet-4-5"):
            for stream in (False, True):
                assert (await bridge.post(ask(model=name, stream=stream))).status == 200
    whose = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "antiphon",
        "gen_ai.request.model": SONNET,
        "gen_ai.response.model": SONNET,
    }
    assert collector.times == {name: [(whose, 4)] for name in (DURATION, FIRST, EACH)}
    streams = [span for span in collector.spans if span.said["gen_ai.request.stream"]]
    assert [span.said["gen_ai.response.time_to_first_chunk"] > 0 for span in streams] == [True, True]


@pytest.mark.promise("otel.private")
@pytest.mark.parametrize("stream", [False, True])
async def test_nothing_that_is_said_is_told_unless_it_is_asked_for(collector: Collector, stream: bool) -> None:
    rules = [says(f"{SECRET} {search()}", when=SECRET, times=1), says(SECRET)]
    async with app(collector, *rules, runs=[ScriptedTool()], api_keys=("sk-of-somebody",)) as bridge:
        body = ask(system=SECRET, tools=[SEARCH], stream=stream)
        assert (await bridge.post(body, headers={"x-api-key": "sk-of-somebody"})).status == 200
    told = b"".join(collector.raw)
    assert CHAT.encode() in told
    assert [word for word in (SECRET, "cats", "sk-of-somebody", "a.example") if word.encode() in told] == []


@pytest.mark.promise("otel.private")
async def test_conversations_are_told_where_they_are_asked_for_and_files_never(collector: Collector) -> None:
    data = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    rules = [says(f"I look. {search()}", when="Look", times=1), says("Done.")]
    system = [{"type": "text", "text": "Be brief."}]
    said = ask([picture, {"type": "text", "text": "Look."}], system=system, tools=[SEARCH])
    async with app(collector, *rules, content=True, runs=[ScriptedTool()]) as bridge:
        answer = await bridge.post(said)
        assert answer.status == 200, answer.body
    told = collector.span(CHAT).said
    parts = [{"type": "image"}, {"type": "text", "content": "Look."}]
    assert json.loads(told["gen_ai.input.messages"]) == [{"role": "user", "parts": parts}]
    assert json.loads(told["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be brief."}]
    [reply] = json.loads(told["gen_ai.output.messages"])
    assert (reply["role"], reply["finish_reason"]) == ("assistant", "end_turn")
    text, call, result, end = reply["parts"]
    assert (text["content"].strip(), end) == ("I look.", {"type": "text", "content": "Done."})
    assert (call["type"], call["name"], call["arguments"]) == ("tool_call", "web_search", {"query": "cats"})
    assert (result["type"], result["id"]) == ("tool_call_response", call["id"])
    run = collector.span("execute_tool web_search").said
    assert json.loads(run["gen_ai.tool.call.arguments"]) == {"query": "cats"}
    assert data.encode() not in b"".join(collector.raw)


@pytest.mark.promise("otel.dead-collector")
async def test_a_collector_that_does_not_answer_changes_no_reply(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("antiphon.telemetry.otlp.FLUSH", 0.05)
    collector.answers.clear()
    async with app(collector, says("Hello you!")) as bridge:
        assert (await bridge.post(ask())).status == 200
    assert not collector.answers.is_set()
    assert "otel: the collector did not take all that was left" in caplog.text


@pytest.mark.promise("otel.dead-collector")
async def test_a_collector_that_is_not_there_changes_no_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.telemetry.otlp.FLUSH", 0.05)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = Collector(f"http://127.0.0.1:{taken.getsockname()[1]}")
        async with app(nowhere, says("Hello you!")) as bridge:
            assert (await bridge.post(ask())).status == 200


async def test_the_keys_of_a_collector_are_those_that_the_environment_has(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=its-key")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    async with app(collector, says("Hello you!")) as bridge:
        await bridge.post(ask())
    assert collector.keys == {"its-key"}
    assert len(collector.spans) == 1


@pytest.mark.promise("otel.optional")
def test_without_the_packages_the_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "antiphon.telemetry.otlp", None)
    assert tracer_for(Settings()) is None
    with pytest.raises(StartError, match=re.escape("pip install 'antiphon[otel]'")):
        tracer_for(Settings(otel=OtelSettings("http://127.0.0.1:4318")))


def test_what_the_environment_says_wrongly_keeps_the_server_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "1")
    with pytest.raises(StartError, match=r"^otel: max_export_batch_size"):
        tracer_for(Settings(otel=OtelSettings("http://127.0.0.1:4318")))

"""Prompt caching in replies of several runs of the model, and in those that keep a client waiting."""

from typing import Any, Final

import pytest

from antiphon.engines.scripted import ScriptedEngine
from antiphon.stream.sse import WAITING
from antiphon.testing import engine_app
from antiphon.testing.app import MODEL
from tests.service.server_tools import ScriptedTool
from tests.web.conftest import Starter
from tests.web.searching_app import app, ask, resend, says, search
from tests.web.test_compaction import ANSWER, AT_THRESHOLD, ON_DEMAND, SUMMARY
from tests.web.test_compaction import request as compacting
from tests.web.thinking_app import ThinkingApp, reply, thought
from tests.web.thinking_app import ask as thinking_ask

Json = dict[str, Any]

BRIEF: Final = {"type": "ephemeral"}
HOUR: Final = {"type": "ephemeral", "ttl": "1h"}
WORDS: Final = "word " * 1200
SYSTEM: Final[list[Json]] = [{"type": "text", "text": WORDS, "cache_control": BRIEF}]
LASTING: Final[list[Json]] = [{"type": "text", "text": WORDS, "cache_control": HOUR}]
TWICE: Final = (
    says("Cats purr.", "All about cats"),
    says(f"More.\n\n{search('cats')}", "All about dogs"),
    says(f"Let me look.\n\n{search('dogs')}", "Tell me"),
)


def sums(usage: Json) -> tuple[int, int, int]:
    return usage["input_tokens"], usage["cache_creation_input_tokens"], usage["cache_read_input_tokens"]


@pytest.mark.promise("cache.rounds", "cache.partition")
@pytest.mark.parametrize("stream", [False, True])
async def test_each_round_writes_what_its_tools_found_and_the_next_one_reads_it(stream: bool) -> None:
    async with app(*TWICE, tools=[ScriptedTool()]) as served:
        asked = ask(system=SYSTEM, stream=stream)
        answer = await served.post(asked)
        lengths = [len(work.prompt.tokens) for work in served.engines["scripted"].asked]
        assert len(lengths) == 3
        if stream:
            used = next(event for event in answer.events if event["type"] == "message_delta")["usage"]
            opened = answer.events[0]["message"]["usage"]
            assert opened["cache_read_input_tokens"] == 0
            assert sum(sums(opened)) == lengths[0]
            first = opened["cache_creation_input_tokens"]
        else:
            used = answer.json["usage"]
            assert sum(used["cache_creation"].values()) == used["cache_creation_input_tokens"]
            first = 0
        assert sum(sums(used)) == sum(lengths)
        _, written, read = sums(used)
        assert read > written > first
        # What one round has written, the next one reads: the last one's results were never read.
        assert read < 2 * written


@pytest.mark.promise("cache.rounds")
async def test_what_rounds_write_lives_for_five_minutes_also_beside_marks_of_an_hour() -> None:
    async with app(*TWICE, tools=[ScriptedTool()]) as served:
        used = (await served.reply(ask(system=LASTING)))["usage"]
        kept = used["cache_creation"]
        assert kept["ephemeral_1h_input_tokens"] > 1024
        assert kept["ephemeral_5m_input_tokens"] > 0
        assert sum(kept.values()) == used["cache_creation_input_tokens"]


@pytest.mark.promise("cache.rounds", "cache.no-marks-no-counts")
async def test_rounds_of_a_request_without_marks_write_nothing() -> None:
    async with app(*TWICE, tools=[ScriptedTool()]) as served:
        _, written, read = sums((await served.reply(ask(system=WORDS)))["usage"])
        assert (written, read) == (0, 0)


@pytest.mark.promise("cache.rounds", "cache.automatic")
async def test_a_reply_that_comes_back_is_read_up_to_the_last_thing_that_was_found() -> None:
    async with app(*TWICE, says("Yes.", "And now"), tools=[ScriptedTool()]) as served:
        asked = ask(system=SYSTEM, cache_control=BRIEF)
        message = await served.reply(asked)
        before = len(served.engines["scripted"].asked[-1].prompt.tokens)
        again = resend(asked, message)
        again["messages"].append({"role": "user", "content": "And now?"})
        _, written, read = sums((await served.reply(again))["usage"])
        assert before - 24 < read < before
        assert 0 < written < 40


@pytest.mark.promise("cache.writes-then-reads")
async def test_a_reply_that_thinks_is_charged_for_its_prompt_once() -> None:
    async with ThinkingApp(thought("Hm.") + reply("Four.")) as served:
        asked = thinking_ask(system=[{**SYSTEM[0], "text": WORDS * 4}])
        first = (await served.reply(asked))["usage"]
        again = (await served.reply(asked))["usage"]
        counted = await served.count(asked)
    assert sum(sums(first)) == sum(sums(again)) == counted["input_tokens"]
    assert first["cache_creation_input_tokens"] == again["cache_read_input_tokens"] > 4096


@pytest.mark.promise("cache.partition")
async def test_a_summary_that_was_asked_for_counts_its_own_reading() -> None:
    async with ThinkingApp(SUMMARY + ANSWER) as served:
        marked = {"system": SYSTEM}
        await served.reply(compacting(**marked), ON_DEMAND)
        message = await served.reply(compacting(compaction={"type": "summarize"}, **marked), ON_DEMAND)
        prompt = len(served.engines["scripted"].asked[-1].prompt.tokens)
    [spent] = message["usage"]["iterations"]
    assert sum(sums(spent)) == prompt
    assert spent["cache_read_input_tokens"] > 1024
    assert sums(message["usage"]) == (0, 0, 0)


@pytest.mark.promise("cache.partition")
async def test_a_summary_before_an_answer_counts_apart_from_it() -> None:
    history = [{"role": "user", "content": "word " * 60_000}]
    edit = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 50_000}}
    asked = compacting(history, system=SYSTEM, context_management={"edits": [edit]})
    async with ThinkingApp(SUMMARY + ANSWER) as served:
        message = await served.reply(asked, AT_THRESHOLD)
        prompts = [len(work.prompt.tokens) for work in served.engines["scripted"].asked]
    summary, answer = message["usage"]["iterations"]
    assert [sum(sums(one)) for one in (summary, answer)] == prompts
    assert sums(message["usage"]) == sums(answer)
    assert answer["cache_read_input_tokens"] == summary["cache_creation_input_tokens"] > 1024


@pytest.mark.promise("cache.in-streams", "streaming.ping")
async def test_a_client_that_waits_for_the_engine_gets_comments_until_the_reply_opens(start: Starter) -> None:
    bridge = await start("[[reply]]\ntext = 'Hi.'\nprefill_ms = 600\n", commit_after=0.01, ping_after=0.02)
    async with bridge.open(
        "POST",
        "/v1/messages",
        {
            "model": "claude-opus-4-8",
            "max_tokens": 10,
            "stream": True,
            "system": SYSTEM,
            "messages": [{"role": "user", "content": "Hi"}],
        },
    ) as exchange:
        await exchange.begin()
        assert exchange.status == 200
        told = await exchange.read()
    comments, _, events = told.partition(b"event: message_start")
    assert comments == WAITING * comments.count(WAITING) != b""
    assert events.index(b"event: ping") < events.index(b"text_delta")


async def test_a_failure_before_the_engine_has_begun_is_a_true_status() -> None:
    script = "[[reply]]\nfail = 'unavailable'\nafter_chunks = 0\ntext = 'Hi.'\n"
    async with engine_app(ScriptedEngine(MODEL, script)) as bridge:
        asked = {"model": MODEL, "max_tokens": 5, "system": SYSTEM, "messages": [{"role": "user", "content": "Hi"}]}
        for stream in (False, True):
            answer = await bridge.post({**asked, "stream": stream})
            assert answer.status >= 500
            assert answer.json["type"] == "error"

"""Prompt caching as clients see it, over a model that knows what it has read; time is a test's own."""

import asyncio
from typing import Any, Final

import pytest

from antiphon.engines.scripted import ScriptedEngine
from antiphon.testing import Bridge, FixedClock, engine_app
from antiphon.testing.app import MODEL
from tests.web.conftest import Starter
from tests.web.thinking_app import WatchedEngine

Json = dict[str, Any]

OPUS: Final = "claude-opus-4-8"
LEAST: Final = 1024
SCRIPT: Final = '[[reply]]\ntext = "Hello."\n'
BRIEF: Final = {"type": "ephemeral"}
HOUR: Final = {"type": "ephemeral", "ttl": "1h"}
WORDS: Final = "word " * 1200
"""More tokens than any name's least that is asked here; a word is one."""


def text(words: str, mark: Json | None = None) -> Json:
    return {"type": "text", "text": words, **({} if mark is None else {"cache_control": mark})}


def user(*blocks: Json | str) -> Json:
    return {"role": "user", "content": [text(block) if isinstance(block, str) else block for block in blocks]}


def request(*messages: Json, **more: Any) -> Json:
    system = [text(WORDS, BRIEF)]
    return {"model": OPUS, "max_tokens": 10, "system": system, "messages": list(messages) or [user("Hi")], **more}


def tool(name: str, mark: Json | None = None) -> Json:
    marked = {} if mark is None else {"cache_control": mark}
    return {"name": name, "description": WORDS, "input_schema": {"type": "object", "properties": {}}, **marked}


async def usage(bridge: Bridge, asked: Json, **options: Any) -> Json:
    answer = await bridge.post(asked, **options)
    assert answer.status == 200, answer.body
    return answer.json["usage"]


async def counts(bridge: Bridge, asked: Json, **options: Any) -> tuple[int, int]:
    """The tokens written and read; with all the rest they are what counting says."""
    used = await usage(bridge, asked, **options)
    written, read = used["cache_creation_input_tokens"], used["cache_read_input_tokens"]
    assert sum(used["cache_creation"].values()) == written
    left_out = ("max_tokens", "stream", "diagnostics")
    counted = {key: value for key, value in asked.items() if key not in left_out}
    answer = await bridge.ask("POST", "/v1/messages/count_tokens", counted, **options)
    assert answer.json["input_tokens"] == used["input_tokens"] + written + read
    return written, read


@pytest.mark.promise("cache.writes-then-reads", "cache.partition")
async def test_a_marked_prefix_is_written_once_and_then_read(start: Starter) -> None:
    bridge = await start(SCRIPT)
    written, read = await counts(bridge, request())
    assert written > LEAST
    assert read == 0
    assert await counts(bridge, request()) == (0, written)
    assert await counts(bridge, request(user("Something else"))) == (0, written)


@pytest.mark.promise("cache.partition", "cache.automatic")
async def test_a_growing_conversation_reads_what_the_turn_before_has_written(start: Starter) -> None:
    bridge = await start(SCRIPT)
    messages, known = [user("Hi")], 0
    for turn in range(4):
        asked = request(*messages, cache_control=BRIEF)
        written, read = await counts(bridge, asked)
        assert read == known
        assert written > 0
        assert 0 < (await usage(bridge, asked))["input_tokens"] < 10
        known += written
        messages += [{"role": "assistant", "content": "Hello."}, user(f"And {turn}?")]


@pytest.mark.promise("cache.no-marks-no-counts")
async def test_without_marks_nothing_is_counted_though_the_engine_reads_nothing_twice(start: Starter) -> None:
    bridge = await start(SCRIPT)
    asked = request(system=WORDS)
    for _ in range(2):
        assert await counts(bridge, asked) == (0, 0)
    # What was read without a mark is written when the first mark comes.
    written, read = await counts(bridge, request())
    assert (written > LEAST, read) == (True, 0)


@pytest.mark.promise("cache.minimum")
@pytest.mark.parametrize(
    ("model", "words", "cached"),
    [
        ("claude-opus-4-8", 1000, False),
        ("claude-opus-4-8", 1024, True),
        ("claude-opus-5", 600, True),
        ("claude-haiku-4-5", 1200, False),
        (MODEL, 100, True),
        (MODEL, 20, False),
    ],
)
async def test_a_prefix_under_the_least_of_the_name_is_not_cached(
    start: Starter, model: str, words: int, cached: bool
) -> None:
    bridge = await start(SCRIPT)
    asked = request(model=model, system=[text("word " * words, BRIEF)], max_tokens=2000)
    for _ in range(2):
        assert (await counts(bridge, asked) != (0, 0)) is cached


@pytest.mark.promise("cache.look-back")
async def test_a_mark_finds_what_was_written_within_twenty_blocks(start: Starter) -> None:
    bridge = await start(SCRIPT)

    def blocks(many: int, *marks: int) -> Json:
        said = [
            text(f"Block {n}. {WORDS if n == 1 else ''}", BRIEF if n in marks else None) for n in range(1, many + 1)
        ]
        return request({"role": "user", "content": said}, system="Be brief.")

    first, _ = await counts(bridge, blocks(10, 10))
    more, read = await counts(bridge, blocks(15, 15))
    assert (more > 0, read) == (True, first)
    assert (await counts(bridge, blocks(35, 35)))[1] == 0
    bridge = await start(SCRIPT)
    first, _ = await counts(bridge, blocks(15, 15))
    assert (await counts(bridge, blocks(35, 35, 15)))[1] == first


@pytest.mark.promise("cache.lifetimes")
async def test_a_prefix_lives_for_its_time_from_the_last_request_on(start: Starter) -> None:
    clock = FixedClock()
    bridge = await start(SCRIPT, clock=clock)
    written, _ = await counts(bridge, request())
    for _ in range(3):
        clock.time += 299
        assert await counts(bridge, request()) == (0, written)
    clock.time += 300
    assert await counts(bridge, request()) == (written, 0)


@pytest.mark.promise("cache.lifetimes")
async def test_an_hour_s_prefix_outlives_five_minutes_and_is_counted_apart(start: Starter) -> None:
    clock = FixedClock()
    bridge = await start(SCRIPT, clock=clock)
    asked = request(user(text("Hi " + WORDS, BRIEF)), system=[text(WORDS, HOUR)])
    kept = (await usage(bridge, asked))["cache_creation"]
    assert kept["ephemeral_1h_input_tokens"] > LEAST
    assert kept["ephemeral_5m_input_tokens"] > LEAST
    clock.time += 3000
    used = await usage(bridge, asked)
    assert used["cache_read_input_tokens"] == kept["ephemeral_1h_input_tokens"]
    assert used["cache_creation"] == {**kept, "ephemeral_1h_input_tokens": 0}


@pytest.mark.promise("cache.invalidation")
async def test_tools_spoil_everything_system_the_messages_and_a_choice_the_messages_alone(start: Starter) -> None:
    bridge = await start(SCRIPT)

    def asked(**more: Any) -> Json:
        said = {"tools": [tool("look", BRIEF)], "system": [text(WORDS, BRIEF)], **more}
        return request(user(text("Hi " + WORDS, BRIEF)), **said)

    whole, _ = await counts(bridge, asked())
    assert await counts(bridge, asked()) == (0, whole)
    tools = (await counts(bridge, asked(system=[text("New. " + WORDS, BRIEF)])))[1]
    system = (await counts(bridge, asked(tool_choice={"type": "any"})))[1]
    assert LEAST < tools < system < whole
    assert (await counts(bridge, asked(tools=[tool("see", BRIEF)])))[1] == 0


@pytest.mark.promise("cache.tenants")
async def test_two_keys_share_nothing(start: Starter) -> None:
    bridge = await start(SCRIPT, api_keys=("one", "two"))
    one, two = {"x-api-key": "one"}, {"authorization": "Bearer two", "x-api-key": None}
    written, _ = await counts(bridge, request(), headers=one)
    assert await counts(bridge, request(), headers=two) == (written, 0)
    assert await counts(bridge, request(), headers=one) == (0, written)


@pytest.mark.promise("cache.in-streams")
async def test_a_stream_opens_with_all_counts_and_ends_with_the_sums(start: Starter) -> None:
    bridge = await start(SCRIPT)
    written, _ = await counts(bridge, request())
    events = (
        await bridge.post(request(user("More"), cache_control=HOUR, system=[text(WORDS, HOUR)], stream=True))
    ).events
    opened = events[0]["message"]["usage"]
    ended = next(event for event in events if event["type"] == "message_delta")["usage"]
    assert opened["cache_read_input_tokens"] == written
    assert opened["cache_creation"]["ephemeral_1h_input_tokens"] == opened["cache_creation_input_tokens"] > 0
    assert "cache_creation" not in ended
    for key in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"):
        assert ended[key] == opened[key]


@pytest.mark.promise("cache.warming")
async def test_a_request_for_no_tokens_writes_and_the_next_one_reads(start: Starter) -> None:
    bridge = await start(SCRIPT)
    answer = await bridge.post(request(max_tokens=0))
    warmed = answer.json
    assert (warmed["content"], warmed["stop_reason"]) == ([], "max_tokens")
    assert warmed["usage"]["output_tokens"] == 0
    written = warmed["usage"]["cache_creation_input_tokens"]
    assert written > LEAST
    assert await counts(bridge, request()) == (0, written)


@pytest.mark.promise("cache.marks-change-no-prompt")
async def test_the_reply_is_the_same_with_and_without_marks() -> None:
    engine = WatchedEngine(MODEL, SCRIPT)
    async with engine_app(engine) as bridge:
        marked = (await bridge.post(request(cache_control=BRIEF, tools=[tool("look", BRIEF)]))).json
        plain = (await bridge.post(request(system=[text(WORDS)], tools=[tool("look")]))).json
    assert marked["content"] == plain["content"]
    assert engine.asked[0].prompt.tokens == engine.asked[1].prompt.tokens


@pytest.mark.promise("cache.billing-line")
async def test_an_accounting_line_that_changes_does_not_stop_hits(start: Starter) -> None:
    bridge = await start(SCRIPT)

    def asked(nonce: str) -> Json:
        line = text(f"x-anthropic-billing-header: cc_version=2.1.37; cch={nonce};")
        return request(system=[line, text(WORDS, BRIEF)])

    written, _ = await counts(bridge, asked("a1b2"))
    assert await counts(bridge, asked("c3d4")) == (0, written)


@pytest.mark.promise("cache.visible-once-begun")
async def test_two_at_the_same_time_both_write(start: Starter) -> None:
    bridge = await start(SCRIPT + "prefill_ms = 50\n")
    both = await asyncio.gather(counts(bridge, request()), counts(bridge, request()))
    assert both[0] == both[1]
    assert both[0][1] == 0
    assert await counts(bridge, request()) == (0, both[0][0])


@pytest.mark.promise("cache.truth")
async def test_a_template_that_does_not_show_places_has_nothing_cached_and_the_owner_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sized = "{% for m in messages %}<|im_start|>{{ m.role }} {{ m.content | length }}\n{{ m.content }}{% endfor %}"
    async with engine_app(WatchedEngine(MODEL, SCRIPT, sized)) as bridge:
        for _ in range(2):
            assert await counts(bridge, request()) == (0, 0)
    assert [record.message.split(":")[0] for record in caplog.records if "cache marks" in record.message] == [
        f"the chat template of {MODEL} does not tell where in a prompt a text stands"
    ]


@pytest.mark.promise("cache.truth")
async def test_what_the_engine_has_lost_is_counted_as_written_again() -> None:
    engine = ScriptedEngine(MODEL, SCRIPT)
    async with engine_app(engine) as bridge:
        written, _ = await counts(bridge, request())
        engine.forget()
        assert await counts(bridge, request()) == (written, 0)
        assert await counts(bridge, request()) == (0, written)

"""What is counted, and that it stays within bounds."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from antiphon.dialogue.events import Begun, CallStart, Charge, Finish, Iteration, ReplyEvent, ServerAnswer, TextDelta
from antiphon.service.metrics import MOST_SERIES, Counts, Metrics, Sample, Times, Watch
from antiphon.service.reply.metering import metered

Batches = Sequence[list[ReplyEvent]]


async def told(batches: Batches) -> AsyncGenerator[list[ReplyEvent], None]:
    for batch in batches:
        yield batch


async def watched(metrics: Metrics, *batches: list[ReplyEvent]) -> None:
    """Everything that happens, seen to its end."""
    seen = [batch async for batch in metered(told(batches), None, Watch(metrics).of("opus", 7))]
    assert seen == list(batches)


def values(counts: Counts) -> dict[tuple[str, ...], float]:
    return {tuple(value for _, value in sample.labels): sample.value for sample in counts.family().samples}


@pytest.mark.promise("metrics.bounded")
def test_series_have_a_bound_and_what_is_beyond_is_counted_together():
    counts = Counts("requests", "", "model", "key")
    for number in range(MOST_SERIES + 10):
        counts.add("opus", str(number))
    counts.add("opus", "1")
    found = values(counts)
    assert len(found) == MOST_SERIES + 1
    assert (found["opus", "1"], found["other", "other"]) == (2, 10)


@pytest.mark.promise("metrics.format")
def test_buckets_hold_what_took_no_longer():
    times = Times("seconds", "", (0.5, 1.0))
    for seconds in (0.25, 0.5, 0.75, 4.0):
        times.add("opus", seconds)
    model = ("model", "opus")
    assert times.family().samples == (
        Sample((model, ("le", "0.5")), 2, "_bucket"),
        Sample((model, ("le", "1.0")), 3, "_bucket"),
        Sample((model, ("le", "+Inf")), 4, "_bucket"),
        Sample((model,), 5.5, "_sum"),
        Sample((model,), 4, "_count"),
    )


@pytest.mark.promise("metrics.truthful")
async def test_a_reply_is_counted_with_its_tokens_and_times():
    metrics = Metrics()
    await watched(metrics, [TextDelta("Hi")], [Finish("end_turn", 3)])
    assert values(metrics.replies) == {("opus", "end_turn"): 1}
    assert values(metrics.tokens) == {
        ("opus", "input"): 7,
        ("opus", "output"): 3,
        ("opus", "cache_read"): 0,
        ("opus", "cache_creation"): 0,
    }
    assert [family.samples[-1].value for family in (metrics.first.family(), metrics.each.family())] == [1, 1]
    assert values(metrics.prompts) == {}


@pytest.mark.promise("metrics.truthful")
async def test_what_a_cache_had_and_gets_is_counted_apart_and_summaries_with_the_rest():
    metrics = Metrics()
    summary = Iteration("compaction", Charge(100), 20)
    finish = Finish("end_turn", 3, iterations=(summary, Iteration("message", Charge(1, 2, 3, 4), 3)))
    await watched(metrics, [Begun(Charge(1, 2, 3, 4))], [TextDelta("Hi")], [finish])
    await watched(metrics, [Begun(Charge(5, 0, 6))], [TextDelta("Hi"), Finish("max_tokens", 1)])
    assert values(metrics.tokens) == {
        ("opus", "input"): 106,
        ("opus", "output"): 24,
        ("opus", "cache_read"): 2,
        ("opus", "cache_creation"): 13,
    }
    assert values(metrics.prompts) == {("opus", "hit"): 1, ("opus", "miss"): 1}


@pytest.mark.promise("metrics.truthful")
async def test_tools_of_the_server_are_counted_by_outcome_and_their_time_is_not_the_models():
    metrics = Metrics()
    error = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    await watched(
        metrics,
        [CallStart("srvtoolu_1", "web_search", server=True)],
        [ServerAnswer("srvtoolu_1", "web_search_tool_result", [])],
        [ServerAnswer("srvtoolu_2", "web_search_tool_result", error)],
        [Finish("end_turn", 30)],
    )
    assert values(metrics.tools) == {("web_search", "ok"): 1, ("web_search", "unavailable"): 1}
    assert metrics.each.family().samples == ()


@pytest.mark.promise("metrics.truthful")
async def test_a_reply_that_is_left_is_broken_and_its_tokens_are_counted():
    metrics = Metrics()

    async def endless() -> AsyncGenerator[list[ReplyEvent], None]:
        yield [TextDelta("one"), TextDelta("two")]
        await asyncio.Event().wait()

    watch = metered(endless(), None, Watch(metrics).of("opus", 7))
    await anext(watch)
    await watch.aclose()
    assert values(metrics.replies) == {("opus", "broken"): 1}
    assert values(metrics.tokens)["opus", "output"] == 2

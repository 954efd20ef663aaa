"""What is told of caching is what a real engine did: llama.cpp, which says what it did not have to compute again."""

from collections.abc import AsyncGenerator
from typing import Any, Final

import pytest
import pytest_asyncio

from antiphon.testing import Bridge, engine_app
from tests.engines.implementations import llama_cpp

Json = dict[str, Any]

pytestmark = pytest.mark.asyncio(loop_scope="module")

BRIEF: Final = {"type": "ephemeral"}
WORDS: Final = "The library opens at nine and closes at six; on Sundays it is shut. " * 5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bridge() -> AsyncGenerator[Bridge]:
    async with engine_app(llama_cpp(2048)) as made:
        yield made


async def usage(bridge: Bridge, asked: Json) -> tuple[int, int, int]:
    """Input, tokens written, tokens read: together they are what counting says."""
    answer = await bridge.post(asked)
    assert answer.status == 200, answer.body
    used = answer.json["usage"]
    found = used["input_tokens"], used["cache_creation_input_tokens"], used["cache_read_input_tokens"]
    counted = {key: value for key, value in asked.items() if key not in ("max_tokens", "temperature")}
    count = await bridge.ask("POST", "/v1/messages/count_tokens", counted)
    assert count.json["input_tokens"] == sum(found)
    return found


def request(topic: str, *messages: Json, **more: Any) -> Json:
    system = [{"type": "text", "text": f"{topic}. {WORDS}", "cache_control": BRIEF}]
    asked = list(messages) or [{"role": "user", "content": "When does it open?"}]
    return {
        "model": "tiny",
        "max_tokens": 8,
        "temperature": 0.0,
        "system": system,
        "messages": asked,
        **more,
    }


@pytest.mark.promise("cache.writes-then-reads", "cache.partition")
async def test_a_marked_prefix_is_written_once_and_then_read(bridge: Bridge) -> None:
    new, written, read = await usage(bridge, request("Libraries"))
    assert (written > 64, read) == (True, 0)
    assert await usage(bridge, request("Libraries")) == (new, 0, written)
    other = request("Libraries", {"role": "user", "content": "When does it close?"})
    assert (await usage(bridge, other))[1:] == (0, written)


@pytest.mark.promise("cache.automatic", "cache.truth")
async def test_each_turn_reads_what_was_written_by_the_turn_before(bridge: Bridge) -> None:
    messages: list[Json] = [{"role": "user", "content": "When does it open?"}]
    known = 0
    for turn in range(3):
        _, written, read = await usage(bridge, request("Museums", *messages, cache_control=BRIEF))
        assert read == known
        known += written
        messages += [{"role": "assistant", "content": "At nine."}, {"role": "user", "content": f"And on day {turn}?"}]


@pytest.mark.promise("cache.warming")
async def test_a_request_for_no_tokens_warms(bridge: Bridge) -> None:
    _, written, read = await usage(bridge, request("Theatres", max_tokens=0))
    assert (written > 64, read) == (True, 0)
    assert (await usage(bridge, request("Theatres")))[1:] == (0, written)


@pytest.mark.promise("cache.truth")
async def test_what_other_conversations_pushed_out_is_written_again_and_never_told_as_read(bridge: Bridge) -> None:
    _, written, _ = await usage(bridge, request("Gardens"))
    for number in range(3):
        await usage(bridge, request(f"Place {number}"))
    _, again, read = await usage(bridge, request("Gardens"))
    assert again + read == written


@pytest.mark.promise("cache.marks-change-no-prompt")
async def test_the_reply_is_the_same_with_and_without_marks(bridge: Bridge) -> None:
    marked = request("Stations", cache_control=BRIEF)
    plain: Json = {**marked, "system": [{"type": "text", "text": f"Stations. {WORDS}"}]}
    del plain["cache_control"]
    texts = [(await bridge.post(asked)).json["content"] for asked in (marked, plain, marked)]
    assert texts[0] == texts[1] == texts[2]

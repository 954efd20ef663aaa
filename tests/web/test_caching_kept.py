"""What is told of prefixes that are kept: a restart reads them, and what is lost is written again."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from antiphon.config import ModelSettings
from antiphon.engines.llamacpp import LlamaCppEngine
from antiphon.engines.llamacpp.kept.files import all_marks, states_in
from antiphon.engines.llamacpp.kept.keeping import Room
from antiphon.ports.caching import Entry
from antiphon.stores.caching import MemoryLedger
from antiphon.testing import Bridge, engine_app
from antiphon.testing.clock import FixedClock
from tests.engines.kept.doubles import MEBIBYTE
from tests.engines.shallow import TOKEN_BYTES, shallow_file

Json = dict[str, Any]

BRIEF: Final = {"type": "ephemeral"}
WORDS: Final = "The library opens at nine and closes at six; on Sundays it is shut. " * 6
TOOL_RESULT: Final = "The door is open. " * 3


@asynccontextmanager
async def serving(directory: Path, clock: FixedClock) -> AsyncGenerator[Bridge]:
    """A server with one slot, which knows what earlier ones have left in the directory."""
    ledger = MemoryLedger()
    ledger.know((Entry(mark.key, mark.seconds), mark.until) for mark in all_marks(directory))
    settings = ModelSettings("tiny", "builtin", context=2048, parallel=1)
    room = Room(64 * MEBIBYTE, 64 * MEBIBYTE, directory)
    engine = LlamaCppEngine(settings, shallow_file(), room=room, clock=clock.now)
    async with engine_app(engine, clock=clock, ledger=ledger) as bridge:
        yield bridge


def request(topic: str, question: str = "When does it open?", **more: Any) -> Json:
    system = [{"type": "text", "text": f"{topic}. {WORDS}", "cache_control": BRIEF}]
    messages = [{"role": "user", "content": question}]
    return {"model": "tiny", "max_tokens": 4, "temperature": 0.0, "system": system, "messages": messages, **more}


async def counts(bridge: Bridge, asked: Json) -> tuple[int, int]:
    """Tokens written and tokens read."""
    answer = await bridge.post(asked)
    assert answer.status == 200, answer.body
    used = answer.json["usage"]
    return used["cache_creation_input_tokens"], used["cache_read_input_tokens"]


@pytest.mark.promise("cache.kept-between-starts", "cache.kept-truth", "cache.kept-expires", "cache.kept-told")
async def test_after_a_restart_a_prefix_is_read_until_its_file_or_its_time_is_gone(tmp_path: Path) -> None:
    clock, place = FixedClock(), tmp_path / "states"
    async with serving(place, clock) as bridge:
        written, read = await counts(bridge, request("Libraries"))
        assert (written > 64, read) == (True, 0)
    clock.time += 200
    async with serving(place, clock) as bridge:
        assert await counts(bridge, request("Libraries", "When does it close?")) == (0, written)
        health = (await bridge.ask("GET", "/health")).json
        told = health["prompt_cache"]["tiny"]
        assert (told["works"], told["prefixes"], told["restored"]) == (True, 1, 1)
        assert told["files"] > 64 * TOKEN_BYTES
    clock.time += 200
    for path, _ in list(states_in(place)):
        path.write_bytes(path.read_bytes()[:-1])
    async with serving(place, clock) as bridge:
        # It was promised, and is lost.
        assert await counts(bridge, request("Libraries")) == (written, 0)
    clock.time += 300
    async with serving(place, clock) as bridge:
        assert await counts(bridge, request("Libraries")) == (written, 0)


@pytest.mark.promise("cache.kept-loop", "cache.kept-beyond-slots")
async def test_an_agents_loop_has_each_token_computed_once_also_beside_others(tmp_path: Path) -> None:
    clock = FixedClock()
    async with serving(tmp_path / "states", clock) as bridge:
        messages: list[Json] = [{"role": "user", "content": "Is the door open?"}]
        before = total = computed = 0
        for turn in range(6):
            asked = request("Doors", messages=messages, cache_control=BRIEF)
            used = (await bridge.post(asked)).json["usage"]
            read = used["cache_read_input_tokens"]
            total = used["input_tokens"] + used["cache_creation_input_tokens"] + read
            # What stands behind the last mark only opens the reply.
            assert read == before
            before, computed = read + used["cache_creation_input_tokens"], computed + total - read
            messages += [
                {"role": "assistant", "content": f"I look, for the time {turn}."},
                {"role": "user", "content": TOOL_RESULT},
            ]
            if turn % 2:
                await bridge.post(request(f"Other {turn}"))
        opening = total - before
        assert computed - 5 * opening <= 1.05 * total

"""How a prompt with marks is charged: what the ledger promises, what the engine has, and what is told."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from antiphon.dialogue.events import Begun, Charge, Finish, ReplyEvent
from antiphon.dialogue.thinking import OFF
from antiphon.errors import ApiError
from antiphon.ports.caching import Entry
from antiphon.ports.engine import Done, EngineOutput, Generation, Piece, PrefillProgress
from antiphon.service.reply.caching import Mark, Marked
from antiphon.service.reply.reply import Reply
from antiphon.service.reply.stretches import Stretches
from antiphon.service.reply.work import Work
from antiphon.stores.caching import MemoryLedger
from antiphon.wire.events import MessageDelta, MessageStart
from antiphon.wire.reply import Message
from tests.service.engines import PlannedEngine
from tests.service.works import work

BRIEF: Final = 300
LASTING: Final = 3600


def marked(tokens: int, found: int, *marks: tuple[int, int], ledger: MemoryLedger | None = None) -> Marked:
    entries = tuple(Mark(end, Entry(f"{end}".encode(), seconds)) for end, seconds in marks)
    return Marked(tokens, found, entries, ledger or MemoryLedger(), started=0.0)


@pytest.mark.promise("cache.partition")
@pytest.mark.parametrize("found", [0, 10, 40, 70, 90])
@pytest.mark.parametrize("reused", [0, 5, 40, 65, 99])
@pytest.mark.parametrize(
    "marks",
    [((90, BRIEF),), ((90, LASTING),), ((40, LASTING), (90, BRIEF)), ((10, LASTING), (70, LASTING), (90, 300))],
)
def test_every_token_is_counted_once(found: int, reused: int, marks: tuple[tuple[int, int], ...]) -> None:
    charge = marked(100, found, *marks).charge(reused)
    assert charge.input + charge.read + charge.written == 100
    assert min(charge.input, charge.read, charge.brief, charge.lasting) >= 0
    assert charge.read == min(found, reused)
    assert charge.input == 10


def test_what_is_kept_for_an_hour_comes_first() -> None:
    prompt = marked(100, 0, (40, LASTING), (90, BRIEF))
    assert prompt.charge(0) == Charge(10, 0, brief=50, lasting=40)
    assert marked(100, 20, (40, LASTING), (90, BRIEF)).charge(99) == Charge(10, 20, brief=50, lasting=20)
    assert marked(100, 60, (40, LASTING), (90, BRIEF)).charge(99) == Charge(10, 60, brief=30)


@pytest.mark.promise("cache.truth")
def test_what_the_engine_has_lost_is_written_again() -> None:
    prompt = marked(100, 90, (90, BRIEF))
    assert prompt.charge(99) == Charge(10, 90)
    assert prompt.charge(48) == Charge(10, 48, brief=42)
    assert prompt.charge(0) == Charge(10, 0, brief=90)


@pytest.mark.promise("cache.rounds")
def test_the_rounds_of_a_recorded_reply_sum_up_as_they_did() -> None:
    rounds = [
        marked(3070, 0, (3068, BRIEF)).charge(0),
        marked(3223, 3068, (3068, BRIEF), (3221, BRIEF)).charge(3222),
        marked(3339, 3221, (3068, BRIEF), (3337, BRIEF)).charge(3338),
    ]
    assert [(one.input, one.written, one.read) for one in rounds] == [(2, 3068, 0), (2, 153, 3068), (2, 116, 3221)]
    whole = sum(rounds, Charge(0))
    assert (whole.input, whole.written, whole.read) == (6, 3337, 6289)


@pytest.mark.promise("cache.visible-once-begun")
async def test_a_prefix_is_known_when_the_engine_has_begun() -> None:
    ledger = MemoryLedger()
    prompt = marked(100, 0, (40, LASTING), (90, BRIEF), ledger=ledger)
    assert await ledger.find([b"40", b"90"], 1.0) is None
    await prompt.begin(0)
    assert await ledger.find([b"90"], 299.0) == 0
    assert await ledger.find([b"40"], 3599.0) == 0
    assert await ledger.find([b"90"], 3599.0) is None


@dataclass
class TellingEngine(PlannedEngine):
    """An engine whose outputs are the test's own."""

    outputs: Sequence[EngineOutput] = ()

    async def generate(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        for output in self.outputs:
            yield output


def asked(*outputs: EngineOutput, found: int = 90) -> Work:
    """Work on a prompt of a hundred tokens, for an engine that says this."""
    plain = work(TellingEngine((), outputs=outputs), OFF)
    return replace(plain, marked=marked(100, found, (40, LASTING), (90, BRIEF)))


async def message(work_: Work) -> Message:
    return await Reply(work_, Stretches(work_).run(), whole=True).whole()


WRITTEN: Final = (Piece("Hi", 1), Piece(".", 2))


@pytest.mark.promise("cache.truth")
async def test_what_the_engine_says_first_is_what_the_reply_opens_with() -> None:
    told = asked(PrefillProgress(64, 100, 64), PrefillProgress(100, 100, 64), *WRITTEN, Done("end", 2, 64))
    reply = Reply(told, Stretches(told).run())
    assert not reply.opened
    assert reply.begin() == []
    batches = [batch async for batch in reply.run()]
    assert batches[0] == []
    [start] = reply.begin()
    assert isinstance(start, MessageStart)
    usage = start.message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (10, 64, 26)
    assert usage.cache_creation.ephemeral_5m_input_tokens == 26
    assert reply.begin() == []


@pytest.mark.promise("cache.truth", "cache.in-streams")
async def test_what_the_engine_says_at_its_end_is_what_the_reply_ends_with() -> None:
    told = asked(*WRITTEN, Done("end", 2, 64), found=64)
    reply = Reply(told, Stretches(told).run())
    events = [event async for batch in reply.run() for event in batch]
    [start] = reply.begin()
    assert isinstance(start, MessageStart)
    opened = start.message.usage
    assert (opened.input_tokens, opened.cache_read_input_tokens, opened.cache_creation_input_tokens) == (10, 0, 90)
    [ended] = [event.usage for event in events if isinstance(event, MessageDelta)]
    assert (ended.input_tokens, ended.cache_read_input_tokens, ended.cache_creation_input_tokens) == (10, 64, 26)
    assert ended.cache_creation is UNSET


@pytest.mark.promise("cache.partition")
@pytest.mark.parametrize("late", [False, True])
async def test_the_lifetimes_of_a_body_sum_up_to_what_is_written(late: bool) -> None:
    says = () if late else (PrefillProgress(30, 100, 30),)
    usage = (await message(asked(*says, *WRITTEN, Done("end", 2, 30)))).usage
    kept = usage.cache_creation
    assert (kept.ephemeral_1h_input_tokens, kept.ephemeral_5m_input_tokens) == (10, 50)
    assert (usage.cache_creation_input_tokens, usage.cache_read_input_tokens, usage.input_tokens) == (60, 30, 10)


async def test_an_engine_that_says_nothing_has_read_nothing() -> None:
    usage = (await message(asked(*WRITTEN, Done("end", 2)))).usage
    assert (usage.cache_creation_input_tokens, usage.cache_read_input_tokens) == (90, 0)


async def test_a_reply_that_fails_before_the_engine_has_begun_opens_to_fail() -> None:
    told = asked()
    reply = Reply(told, Stretches(told).run())
    failed = reply.fail(ApiError("api_error", "Oh."), "req_1")
    assert [event.type for event in (*reply.begin(), *failed)] == ["message_start", "error"]


async def test_work_without_marks_opens_at_once() -> None:
    plain = work(TellingEngine((), outputs=(*WRITTEN, Done("end", 2, 64))), OFF)
    reply = Reply(plain, Stretches(plain).run())
    assert [event.type for event in reply.begin()] == ["message_start"]
    events: list[ReplyEvent] = [event async for batch in Stretches(plain).run() for event in batch]
    assert not any(isinstance(event, Begun) for event in events)
    assert [event.charge for event in events if isinstance(event, Finish)] == [None]

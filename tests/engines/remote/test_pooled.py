"""An engine over several endpoints: who gets the work, and what becomes of it where one is lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from antiphon.engines.remote.agreement import Wishes
from antiphon.engines.remote.engine import RemoteEngine
from antiphon.errors import EngineDied, EngineFull, EngineNotBegun, EngineUnavailable
from antiphon.ports.engine import Done, EngineOutput, Generation
from tests.engines.remote.doubles import Told, work

SOON = 0.01
STORY = tuple(range(500))


@asynccontextmanager
async def over(*endpoints: Told, limit: int | None = None, queue: int = 100) -> AsyncGenerator[RemoteEngine]:
    """A started engine that looks at its endpoints often."""
    engine = RemoteEngine(Wishes("m"), endpoints, limit=limit, queue=queue, interval=SOON)
    await engine.start()
    try:
        async with asyncio.timeout(20):
            yield engine
    finally:
        await engine.aclose()


async def done(engine: RemoteEngine, wanted: Generation) -> list[EngineOutput]:
    return [output async for output in engine.generate(wanted)]


def begin(engine: RemoteEngine, wanted: Generation) -> "asyncio.Task[list[EngineOutput]]":
    return asyncio.create_task(done(engine, wanted))


async def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds; the engine's block bounds the wait."""
    while not holds():  # noqa: ASYNC110 - what is waited for happens inside of the engine
        await asyncio.sleep(0)


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


def is_up(engine: RemoteEngine, endpoint: Told) -> bool:
    return next(member.up for member in engine.members if member.endpoint is endpoint)


def served(*endpoints: Told) -> list[int]:
    return [len(endpoint.works) for endpoint in endpoints]


@pytest.mark.promise("pool.affinity")
async def test_a_conversations_turns_reach_one_endpoint_and_others_spread():
    one, two = Told("one"), Told("two")
    async with over(one, two) as engine:
        for number in range(10):
            for turn in range(3):
                await done(engine, work((*range(number, number + 200 + turn), 7), conversation=f"c{number}"))
    for endpoint in (one, two):
        counts = Counter(wanted.conversation for wanted in endpoint.works)
        assert set(counts.values()) == {3}
        assert 3 <= len(counts) <= 7


@pytest.mark.promise("pool.loss")
@pytest.mark.parametrize("fault", [EngineNotBegun("refused"), EngineUnavailable("503")], ids=["lost", "unavailable"])
async def test_what_was_not_begun_is_done_by_another_endpoint(fault: EngineUnavailable):
    one, two = Told("one"), Told("two")
    async with over(one, two) as engine:
        await done(engine, work(STORY, conversation="c"))
        home, other = (one, two) if one.works else (two, one)
        home.fails.append(fault)
        assert (await done(engine, work((*STORY, 1), conversation="c")))[-1] == Done("end", 1)
        assert served(home, other) == [1, 1]


@pytest.mark.promise("pool.loss")
async def test_what_no_endpoint_begins_is_tried_twice_and_no_more():
    endpoints = [Told(name, fails=[EngineNotBegun("refused")] * 5) for name in ("one", "two", "three")]
    async with over(*endpoints) as engine:
        with pytest.raises(EngineUnavailable):
            await done(engine, work())
    assert sum(len(endpoint.fails) for endpoint in endpoints) == 13


@pytest.mark.promise("pool.loss")
async def test_an_endpoint_that_is_lost_ends_only_its_own_streams():
    one, two = Told("one"), Told("two")
    for endpoint in (one, two):
        endpoint.open.clear()
    async with over(one, two) as engine:
        running = [begin(engine, work(conversation=f"c{number}")) for number in range(6)]
        await until(lambda: sum(served(one, two)) == 6)
        one.breaks, one.away = EngineDied("cut"), True
        one.open.set()
        two.open.set()
        ends = await asyncio.gather(*running, return_exceptions=True)
        died = [end for end in ends if isinstance(end, EngineDied)]
        assert (len(died), len(ends) - len(died)) == tuple(served(one, two))
        await until(lambda: not is_up(engine, one))
        before = served(one)
        for number in range(6):
            await done(engine, work(conversation=f"c{number}"))
        assert served(one) == before


@pytest.mark.promise("pool.return")
async def test_an_endpoint_that_comes_back_gets_work_again():
    one, two = Told("one"), Told("two")
    async with over(one, two) as engine:
        one.away = True
        await until(lambda: not is_up(engine, one))
        for number in range(4):
            await done(engine, work(conversation=f"c{number}"))
        assert served(one, two) == [0, 4]
        one.away = False
        await until(lambda: is_up(engine, one))
        for number in range(4, 12):
            await done(engine, work(conversation=f"c{number}"))
        assert served(one)[0] >= 3


@pytest.mark.promise("pool.return")
async def test_one_that_comes_back_with_another_model_does_not():
    one, two = Told("one"), Told("two")
    async with over(one, two) as engine:
        one.model = "another"
        await until(lambda: not is_up(engine, one))
        for number in range(4):
            await done(engine, work(conversation=f"c{number}"))
        assert served(one, two) == [0, 4]
        assert "another" in next(member.detail for member in engine.members if member.endpoint is one)


@pytest.mark.promise("pool.drain")
async def test_an_endpoint_that_is_not_well_finishes_what_it_has_and_gets_nothing_new():
    one, two = Told("one"), Told("two")
    one.open.clear()
    async with over(one, two) as engine:
        running = [begin(engine, work(conversation=f"c{number}")) for number in range(4)]
        await until(lambda: sum(served(one, two)) == 4)
        had = served(one)[0]
        assert had
        one.unwell = True
        await until(lambda: not is_up(engine, one))
        for number in range(4, 8):
            await done(engine, work(conversation=f"c{number}"))
        assert served(one) == [had]
        one.open.set()
        ends = await asyncio.gather(*running)
        assert all(end[-1] == Done("end", 1) for end in ends)
        one.unwell = False
        await until(lambda: is_up(engine, one))


async def test_an_endpoint_that_is_full_is_left_alone_for_a_moment():
    one, two = Told("one"), Told("two")
    async with over(one, two) as engine:
        one.fails.append(EngineFull("busy", retry_after=0.05))
        two.fails.append(EngineFull("busy", retry_after=0.05))
        with pytest.raises(EngineFull):
            await done(engine, work())
        # Both rest: what comes now waits for the first of them.
        assert (await done(engine, work()))[-1] == Done("end", 1)
        assert all(is_up(engine, endpoint) for endpoint in (one, two))


@pytest.mark.promise("pool.full")
async def test_more_than_the_queue_holds_are_turned_away():
    one = Told("one", places=1)
    one.open.clear()
    async with over(one, queue=2) as engine:
        running = [begin(engine, work(conversation=f"c{number}")) for number in range(3)]
        await until(lambda: served(one) == [1])
        await settle()
        with pytest.raises(EngineFull) as full:
            await done(engine, work(conversation="c3"))
        assert full.value.retry_after >= 1
        one.open.set()
        await asyncio.gather(*running)
    assert served(one) == [3]


@pytest.mark.promise("pool.no-trace")
async def test_who_gives_up_waiting_is_never_worked_for():
    one = Told("one", places=1)
    one.open.clear()
    async with over(one) as engine:
        first = begin(engine, work(conversation="first"))
        await until(lambda: served(one) == [1])
        gone = [begin(engine, work(conversation="gone")) for _ in range(5)]
        last = begin(engine, work(conversation="last"))
        await settle()
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        one.open.set()
        await asyncio.gather(first, last)
    assert [wanted.conversation for wanted in one.works] == ["first", "last"]


@pytest.mark.promise("pool.no-trace")
async def test_who_goes_away_in_the_middle_frees_the_place():
    one = Told("one", places=1)
    one.open.clear()
    async with over(one) as engine:
        first = begin(engine, work(conversation="first"))
        await until(lambda: served(one) == [1])
        second = begin(engine, work(conversation="second"))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await until(lambda: served(one) == [2])
        assert one.running == 1
        one.open.set()
        await second


async def test_what_goes_on_from_a_reply_goes_before_all_who_wait():
    one = Told("one", places=1)
    one.open.clear()
    async with over(one, queue=1) as engine:
        thought = begin(engine, work(STORY, conversation="reply", stops=("</think>",)))
        await until(lambda: served(one) == [1])
        other = begin(engine, work(conversation="other"))
        await settle()
        one.open.set()
        await thought
        await done(engine, work((*STORY, 1), conversation="reply"))
        await other
    assert [wanted.conversation for wanted in one.works] == ["reply", "reply", "other"]


async def test_who_waits_is_told_when_the_last_endpoint_goes():
    one = Told("one", places=1)
    one.open.clear()
    async with over(one) as engine:
        first = begin(engine, work(conversation="first"))
        await until(lambda: served(one) == [1])
        second = begin(engine, work(conversation="second"))
        await settle()
        one.away = True
        with pytest.raises(EngineUnavailable):
            await second
        with pytest.raises(EngineUnavailable):
            await done(engine, work())
        one.breaks = EngineDied("cut")
        one.open.set()
        with pytest.raises(EngineDied):
            await first


@pytest.mark.parametrize(("limit", "at_once"), [(None, 3), (2, 2)])
async def test_how_much_an_endpoint_does_at_once_is_what_it_says_unless_its_owner_does(
    limit: int | None, at_once: int
):
    one = Told("one", places=3)
    one.open.clear()
    async with over(one, limit=limit) as engine:
        running = [begin(engine, work(conversation=f"c{number}")) for number in range(5)]
        await until(lambda: one.running == at_once)
        await settle()
        assert one.running == at_once
        one.open.set()
        await asyncio.gather(*running)


@pytest.mark.promise("pool.router-grows")
async def test_who_waits_begins_as_soon_as_an_endpoint_does_more_at_once():
    one = Told("one", places=1)
    async with over(one) as engine:
        one.open.clear()
        first, second, third = (begin(engine, work(conversation=str(number))) for number in range(3))
        await settle()
        assert one.running == 1
        one.places = 2
        await until(lambda: one.running == 2)
        one.places = 1
        await until(lambda: engine.members[0].findings is not None and engine.members[0].findings.places == 1)
        one.open.set()
        for wanted in (first, second, third):
            assert isinstance((await wanted)[-1], Done)
        assert len(one.works) == 3

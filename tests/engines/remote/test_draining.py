"""Endpoints that their owner takes out of service, at the port of the engine."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from antiphon.engines.remote.agreement import Wishes
from antiphon.engines.remote.draining import Draining
from antiphon.engines.remote.engine import RemoteEngine
from antiphon.errors import EngineUnavailable
from antiphon.ports.engine import Done, EngineOutput
from tests.engines.remote.doubles import Told, work

STORY = tuple(range(500))


@dataclass
class Word:
    """What the owner says, and who says that it still works at a drained endpoint."""

    out: set[str] = field(default_factory=set[str])
    held: list[str] = field(default_factory=list[str])

    def drained(self) -> set[str]:
        return self.out

    def hold(self, url: str) -> Callable[[], None]:
        self.held.append(url)
        return lambda: self.held.remove(url)


class City:
    """An engine over endpoints whose owner is heeded when a test says so."""

    def __init__(self, engine: RemoteEngine, word: Word, draining: Draining) -> None:
        self.engine = engine
        self.word = word
        self.heed = draining.look

    def begin(self, conversation: str = "c") -> "asyncio.Task[list[EngineOutput]]":
        async def done() -> list[EngineOutput]:
            return [output async for output in self.engine.generate(work(STORY, conversation=conversation))]

        return asyncio.create_task(done())


@asynccontextmanager
async def city(
    *endpoints: Told, monkeypatch: pytest.MonkeyPatch, limit: int | None = None, word: Word | None = None
) -> AsyncGenerator[City]:
    made: list[Draining] = []
    look = Draining.look

    def noted(self: Draining) -> None:
        made.append(self)
        look(self)

    monkeypatch.setattr(Draining, "look", noted)
    word = word or Word()
    engine = RemoteEngine(Wishes("m"), endpoints, limit=limit, drains=word, interval=3600)
    await engine.start()
    try:
        async with asyncio.timeout(20):
            yield City(engine, word, made[0])
    finally:
        await engine.aclose()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.promise("pool.draining")
async def test_a_drained_endpoint_finishes_what_it_has_and_gets_nothing_new(monkeypatch: pytest.MonkeyPatch):
    one, two = Told("one"), Told("two")
    async with city(one, two, monkeypatch=monkeypatch) as made:
        one.open.clear()
        two.open.clear()
        first = made.begin()
        await settle()
        home, other = (one, two) if one.running else (two, one)
        made.word.out.add(home.url)
        made.heed()
        assert made.word.held == [home.url]
        health = await made.engine.health()
        assert (health.ready, health.parts[other.url]) == (True, "in service")
        assert health.parts[home.url] == "drained, 1 of this process's requests open"
        other.open.set()
        for _ in range(3):
            await made.begin()
        assert (len(home.works), len(other.works)) == (1, 3)
        home.open.set()
        assert isinstance((await first)[-1], Done)
        made.heed()
        assert made.word.held == []
        assert (await made.engine.health()).parts[home.url] == "drained"
        made.word.out.clear()
        made.heed()
        other.away = True
        await made.begin()
        assert len(home.works) == 2


@pytest.mark.promise("pool.draining")
async def test_who_waits_for_a_drained_endpoint_goes_to_another(monkeypatch: pytest.MonkeyPatch):
    one, two = Told("one"), Told("two")
    async with city(one, two, monkeypatch=monkeypatch, limit=1) as made:
        await made.begin()
        home, other = (one, two) if one.works else (two, one)
        home.open.clear()
        first = made.begin()
        await settle()
        waits = made.begin()
        await settle()
        assert len(other.works) == 0
        made.word.out.add(home.url)
        made.heed()
        await waits
        assert len(other.works) == 1
        home.open.set()
        await first


@pytest.mark.promise("pool.draining")
async def test_where_all_are_drained_nobody_is_kept_waiting(monkeypatch: pytest.MonkeyPatch):
    one = Told("one")
    async with city(one, monkeypatch=monkeypatch, limit=1) as made:
        one.open.clear()
        first, waits = made.begin(), made.begin("d")
        await settle()
        made.word.out.add(one.url)
        made.heed()
        with pytest.raises(EngineUnavailable, match="drained"):
            await waits
        with pytest.raises(EngineUnavailable, match="http://one: drained, 1 of"):
            await made.begin()
        assert not (await made.engine.health()).ready
        one.open.set()
        assert isinstance((await first)[-1], Done)


@pytest.mark.promise("pool.draining")
async def test_what_is_drained_before_the_start_gets_nothing(monkeypatch: pytest.MonkeyPatch):
    one, two = Told("one"), Told("two")
    async with city(one, two, monkeypatch=monkeypatch, word=Word({one.url})) as made:
        for number in range(6):
            await made.begin(str(number))
        assert (len(one.works), len(two.works)) == (0, 6)
        assert made.engine.members[0].up

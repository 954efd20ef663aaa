"""Work that comes again and again, on one of several servers."""

import asyncio

import pytest

from antiphon.ports.stores import StoreUnavailable
from antiphon.service.sweeping import Sweeper
from antiphon.testing import CountingEntropy, FixedClock

BOUND = 10.0


class Turns:
    """Turns in this process."""

    def __init__(self) -> None:
        self.until: dict[str, float] = {}
        self.gone = False

    async def take(self, name: str, holder: str, now: float, lasting: float) -> bool:
        if self.gone:
            raise StoreUnavailable("gone")
        if now < self.until.get(name, 0.0):
            return False
        self.until[name] = now + lasting
        return True

    async def release(self, name: str, holder: str) -> None:
        self.until.pop(name)


class Bench:
    """Two servers over one store."""

    def __init__(self) -> None:
        self.turns, self.clock = Turns(), FixedClock()
        self.servers = [Sweeper(self.turns, self.clock, CountingEntropy()) for _ in range(2)]
        self.ran: list[tuple[str, float]] = []

    def add(self, name: str, every: float) -> None:
        async def sweep(now: float) -> None:
            self.ran.append((name, now))

        for server in self.servers:
            server.add(name, every, sweep)

    async def look(self) -> list[str]:
        """Both look; which jobs ran."""
        self.ran.clear()
        for server in self.servers:
            await server.sweep()
        return [name for name, _ in self.ran]


async def test_a_job_runs_once_when_it_is_due_on_all_servers_together() -> None:
    bench = Bench()
    bench.add("hourly", 3600.0)
    bench.add("often", 60.0)
    assert await bench.look() == ["hourly", "often"]
    assert await bench.look() == []
    bench.clock.time += 60.0
    assert await bench.look() == ["often"]
    bench.clock.time += 3540.0
    assert await bench.look() == ["hourly", "often"]
    assert bench.ran[0][1] == bench.clock.time


async def test_a_job_that_fails_stops_no_other_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    fails = 2

    async def broken(now: float) -> None:
        nonlocal fails
        fails -= 1
        if fails >= 0:
            raise RuntimeError("broken")
        bench.ran.append(("broken", now))

    bench.servers[0].add("broken", 60.0, broken)
    bench.add("sound", 60.0)
    assert await bench.look() == ["sound"]
    bench.clock.time += 60.0
    assert await bench.look() == ["sound"]
    bench.clock.time += 60.0
    assert await bench.look() == ["broken", "sound"]
    assert caplog.text.count("broken failed, and is tried again later") == 2


async def test_a_store_that_is_gone_for_a_while_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.add("job", 60.0)
    bench.turns.gone = True
    assert await bench.look() == []
    assert "job: not done, and tried again later: gone" in caplog.text
    bench.turns.gone = False
    assert await bench.look() == ["job"]


async def test_what_has_started_looks_at_once_and_ends_when_it_is_closed() -> None:
    bench, ran, ended = Bench(), asyncio.Event(), asyncio.Event()

    async def sweep(now: float) -> None:
        ran.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    server = bench.servers[0]
    server.add("job", 60.0, sweep)
    server.start()
    async with asyncio.timeout(BOUND):
        await ran.wait()
        await server.aclose()
    assert ended.is_set()
    assert len(asyncio.all_tasks()) == 1


async def test_without_a_job_nothing_runs() -> None:
    server = Bench().servers[0]
    server.start()
    assert len(asyncio.all_tasks()) == 1
    await server.aclose()

"""The runner of batches, turn by turn, over a real database, with requests that end when a test says so."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Literal

import pytest

from antiphon.ports.batches import Batch, Counts, Leased, NewRow, Outcome, Said
from antiphon.ports.stores import StoreUnavailable
from antiphon.service.batches.policy import LEAST_PAUSE, LOOK, Policy
from antiphon.service.batches.rows import MOST_ATTEMPTS, Later
from antiphon.service.batches.runner import BatchRunner
from antiphon.service.traffic import Traffic
from antiphon.stores.sql.batches import SqlBatches
from antiphon.stores.sql.database import Database
from antiphon.testing import FixedClock
from antiphon.wire.moments import micros

LEASE = 30.0
BOUND = 30.0
DAY = 86_400.0

End = Literal["succeeded", "unavailable", "died"]


class Rows:
    """Requests that end when they are told to, and how."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.cut: list[int] = []
        self._ends: dict[int, asyncio.Future[End]] = {}

    async def run(self, leased: Leased) -> Outcome | Later:
        self.begun.append(leased.number)
        end = self._ends[leased.number] = asyncio.get_running_loop().create_future()
        try:
            how = await end
        except asyncio.CancelledError:
            self.cut.append(leased.number)
            raise
        return Outcome(leased, "succeeded", b"{}") if how == "succeeded" else Later(leased, how)

    async def end(self, *numbers: int, how: End = "succeeded") -> None:
        """Let them end, and what follows from it happen."""
        for number in numbers:
            self._ends.pop(number).set_result(how)
        await settle()


async def settle() -> None:
    """Let every task do what it can do at once."""
    for _ in range(5):
        await asyncio.sleep(0)


class Bench:
    """A runner, and what it works with."""

    def __init__(
        self, store: SqlBatches, clock: FixedClock, owner: str = "mine", policy: Policy | None = None
    ) -> None:
        self.store = store
        self.clock = clock
        self.rows = Rows()
        self.traffic = Traffic()
        self.runner = BatchRunner(store, self.rows, self.traffic, policy or Policy(2, None, LEASE), clock, owner)

    async def turn(self, after: float = 0.0) -> None:
        """So much later, a turn of the runner."""
        self.clock.time += after
        async with asyncio.timeout(BOUND):
            await self.runner.turn()
        await settle()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlBatches]:
    database = await Database.open(f"sqlite:///{tmp_path / 'antiphon.db'}")
    yield SqlBatches(database)
    await database.aclose()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


async def made(store: SqlBatches, clock: FixedClock, count: int, name: str = "1", tenant: str = "me") -> Batch:
    now = micros(clock.now())
    key = await store.begin(f"msgbatch_{name}", tenant, Said(), now)
    await store.add(key, [NewRow(number, f"id-{number}", b"{}", "") for number in range(count)])
    return await store.complete(key, count, now, now + micros(DAY))


async def counts(store: SqlBatches, batch: Batch) -> Counts:
    found = await store.get(batch.tenant, batch.id)
    assert found is not None
    return found.counts


async def test_as_many_run_as_may_and_the_next_begins_when_one_ends(store: SqlBatches, clock: FixedClock) -> None:
    bench = Bench(store, clock)
    batch = await made(store, clock, 5)
    await bench.turn()
    assert bench.rows.begun == [0, 1]
    await bench.rows.end(1)
    assert bench.rows.begun == [0, 1, 2]  # without a word to the store: more was taken than was begun
    await bench.turn()
    assert await counts(store, batch) == Counts(succeeded=1)
    await bench.rows.end(0, 2)
    await bench.turn()
    await bench.rows.end(3, 4)
    await bench.turn()
    assert await counts(store, batch) == Counts(succeeded=5)


@pytest.mark.promise("batches.give-way")
async def test_what_somebody_waits_for_keeps_requests_from_being_begun_and_stops_none(
    store: SqlBatches, clock: FixedClock
) -> None:
    bench = Bench(store, clock)
    await made(store, clock, 5)
    bench.traffic.come()
    await bench.turn()
    assert bench.rows.begun == [0]
    bench.traffic.come()
    await bench.rows.end(0)
    assert bench.rows.begun == [0]
    bench.runner.start()
    bench.traffic.gone()
    await settle()
    assert bench.rows.begun == [0, 1]
    bench.traffic.gone()
    await settle()
    assert bench.rows.begun == [0, 1, 2]
    bench.traffic.come()
    bench.traffic.come()
    assert bench.rows.cut == []
    await bench.runner.aclose()


@pytest.mark.promise("batches.restart")
async def test_at_the_end_what_runs_may_finish_and_the_rest_is_given_back_as_if_never_begun(
    store: SqlBatches, clock: FixedClock
) -> None:
    bench, batch = Bench(store, clock), await made(store, clock, 5)
    await bench.turn()
    bench.runner.start()
    bench.runner.stop()
    await settle()
    closing = asyncio.create_task(bench.runner.aclose(BOUND))
    await settle()
    await bench.rows.end(0, 1)
    async with asyncio.timeout(BOUND):
        await closing
    assert bench.rows.begun == [0, 1]
    assert bench.rows.cut == []
    assert await counts(store, batch) == Counts(succeeded=2)
    left = await store.lease(batch, "other", 9, micros(clock.now()), micros(clock.now() + LEASE))
    assert [(each.number, each.attempts) for each in left] == [(2, 1), (3, 1), (4, 1)]


@pytest.mark.promise("batches.restart")
async def test_what_is_cut_off_at_the_end_is_run_again_and_counted_once(store: SqlBatches, clock: FixedClock) -> None:
    first, batch = Bench(store, clock), await made(store, clock, 2)
    await first.turn()
    await first.runner.aclose()
    assert sorted(first.rows.cut) == [0, 1]
    second = Bench(store, clock, "other")
    await second.turn()
    await second.rows.end(0, 1)
    await second.turn()
    assert await counts(store, batch) == Counts(succeeded=2)
    assert (await store.get("me", batch.id) or batch).ended_at is not None


@pytest.mark.promise("batches.restart", "batches.fronts")
async def test_what_a_dead_runner_had_taken_is_run_by_another_when_its_lease_is_over(
    store: SqlBatches, clock: FixedClock
) -> None:
    dead, alive = Bench(store, clock, "dead"), Bench(store, clock, "alive")
    batch = await made(store, clock, 2)
    await dead.turn()
    await alive.turn(LEASE - 1)
    assert alive.rows.begun == []
    await alive.turn(2)
    assert alive.rows.begun == [0, 1]
    await alive.rows.end(0, 1)
    await alive.turn()
    await dead.rows.end(0, 1)  # it was not dead, only slow
    await dead.turn()
    assert await counts(store, batch) == Counts(succeeded=2)


async def test_what_takes_longer_than_a_lease_is_kept_by_saying_so(store: SqlBatches, clock: FixedClock) -> None:
    slow, other = Bench(store, clock, "slow"), Bench(store, clock, "other")
    batch = await made(store, clock, 1)
    await slow.turn()
    for _ in range(12):
        await slow.turn(LEASE / 3)
        await other.turn()
    assert other.rows.begun == []
    await slow.rows.end(0)
    await slow.turn()
    assert await counts(store, batch) == Counts(succeeded=1)


async def test_a_clock_that_jumps_makes_work_twice_and_no_result(store: SqlBatches, clock: FixedClock) -> None:
    one, other = Bench(store, clock, "one"), Bench(store, clock, "other")
    batch = await made(store, clock, 1)
    await one.turn()
    await other.turn(3600)
    assert other.rows.begun == [0]
    clock.time -= 3600
    await one.rows.end(0)
    await one.turn()
    await other.rows.end(0)
    await other.turn(LOOK)
    assert await counts(store, batch) == Counts(succeeded=1)


async def test_while_the_engine_cannot_requests_wait_and_no_attempt_is_counted(
    store: SqlBatches, clock: FixedClock
) -> None:
    bench, batch = Bench(store, clock, policy=Policy(1, None, LEASE)), await made(store, clock, 1)
    pause = LEAST_PAUSE
    for _ in range(2 * MOST_ATTEMPTS):
        await bench.turn()
        await bench.rows.end(0, how="unavailable")
        await bench.turn()
        begun = len(bench.rows.begun)
        await bench.turn(LOOK / 100)
        assert len(bench.rows.begun) == begun
        await bench.turn(2 * pause + LOOK)
        pause = min(30.0, 2 * pause)
    await bench.rows.end(0)
    await bench.turn()
    assert await counts(store, batch) == Counts(succeeded=1)


async def test_a_request_in_which_the_engine_dies_is_tried_again_as_another_attempt(
    store: SqlBatches, clock: FixedClock
) -> None:
    bench, batch = Bench(store, clock), await made(store, clock, 1)
    await bench.turn()
    await bench.rows.end(0, how="died")
    await bench.turn(1)
    bench.runner.wake()
    await bench.turn(1)
    assert bench.rows.begun == [0, 0]
    await bench.rows.end(0)
    await bench.turn()
    assert await counts(store, batch) == Counts(succeeded=1)


async def test_of_a_batch_that_is_canceled_nothing_more_is_begun_and_it_ends_with_what_runs(
    store: SqlBatches, clock: FixedClock
) -> None:
    bench, batch = Bench(store, clock, policy=Policy(1, None, LEASE)), await made(store, clock, 9)
    await bench.turn()
    await store.cancel("me", batch.id, micros(clock.now()))
    bench.runner.wake()
    await bench.turn()
    await bench.rows.end(0)
    await bench.turn()
    assert bench.rows.begun == [0]  # what was taken together with it is given back
    assert await counts(store, batch) == Counts(succeeded=1, canceled=8)
    assert (await store.get("me", batch.id) or batch).ended_at is not None


class Flaky(SqlBatches):
    """A store that is away for a while."""

    away = False

    async def finish(self, owner: str, outcomes: Sequence[Outcome], now: int) -> int:
        if self.away:
            raise StoreUnavailable("away")
        return await super().finish(owner, outcomes, now)


async def test_what_ends_while_the_store_is_away_is_kept_when_it_is_back(tmp_path: Path, clock: FixedClock) -> None:
    database = await Database.open(f"sqlite:///{tmp_path / 'antiphon.db'}")
    store = Flaky(database)
    bench, batch = Bench(store, clock), await made(store, clock, 3)
    await bench.turn()
    store.away = True
    await bench.rows.end(0, 1)
    for _ in range(3):
        await bench.turn(1)
    store.away = False
    await bench.turn(30)
    assert await counts(store, batch) == Counts(succeeded=2)
    await bench.rows.end(2)
    await bench.turn(30)
    assert await counts(store, batch) == Counts(succeeded=3)
    await database.aclose()


class Breaking(SqlBatches):
    """A store whose connection breaks when it has given something."""

    breaks = True

    async def lease(self, batch: Batch, owner: str, most: int, now: int, until: int) -> Sequence[Leased]:
        given = await super().lease(batch, owner, most, now, until)
        if self.breaks:
            raise StoreUnavailable("broken")
        return given


async def test_what_was_given_without_our_knowing_is_free_again_in_a_while(tmp_path: Path, clock: FixedClock) -> None:
    database = await Database.open(f"sqlite:///{tmp_path / 'antiphon.db'}")
    store = Breaking(database)
    bench, batch = Bench(store, clock), await made(store, clock, 1)
    await bench.turn()
    store.breaks = False
    for _ in range(4):
        await bench.turn(LEASE / 3)
    assert bench.rows.begun == [0]
    await bench.rows.end(0)
    await bench.turn()
    assert await counts(store, batch) == Counts(succeeded=1)
    await database.aclose()


async def test_batches_of_many_tenants_run_side_by_side(store: SqlBatches, clock: FixedClock) -> None:
    bench = Bench(store, clock, policy=Policy(1, None, LEASE))
    large = await made(store, clock, 50, "1", "one")
    small = await made(store, clock, 2, "2", "two")
    for _ in range(8):
        await bench.turn()
        await bench.rows.end(bench.rows.begun[-1])
    assert await counts(store, small) == Counts(succeeded=2)
    assert (await counts(store, large)).succeeded >= 4

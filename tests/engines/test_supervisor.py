"""A child that dies comes back, later and later; requests wait for it as long as they may."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from antiphon.engines.supervisor import FIRST_DELAY, HEALTHY_AFTER, LONGEST_DELAY, Supervisor
from antiphon.errors import EngineFault, EngineUnavailable

PATIENCE = 10.0


class FakeChild:
    """Lives until it is killed or stopped."""

    def __init__(self) -> None:
        self.stopped = False
        self._end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def die(self, cause: str = "it was killed.") -> None:
        self._end.set_result(cause)

    async def wait(self) -> str:
        return await asyncio.shield(self._end)

    async def stop(self) -> None:
        self.stopped = True
        if not self._end.done():
            self.die("it was stopped.")


class Stage:
    """Launches fake children; its clock moves when it is told to, its sleeps end when they are released."""

    def __init__(self) -> None:
        self.time = 0.0
        self.failures: list[str] = []
        self.children: list[FakeChild] = []
        self.slept: list[float] = []
        self.sleeping = asyncio.Event()
        self.woken = asyncio.Event()
        self.supervisor = Supervisor(self.launch, clock=lambda: self.time, sleep=self.sleep)

    async def launch(self) -> FakeChild:
        if self.failures:
            raise EngineFault(self.failures.pop(0))
        self.children.append(FakeChild())
        return self.children[-1]

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        self.sleeping.set()
        await self.woken.wait()

    async def restart(self, after: float = 0.0) -> FakeChild:
        """Let the child die after so many seconds; the next one."""
        self.time += after
        self.woken.set()
        child = self.children[-1]
        child.die()
        await self.supervisor.lost(child, PATIENCE)
        return await self.supervisor.ready(PATIENCE)


@pytest.fixture
async def stage() -> AsyncGenerator[Stage]:
    made = Stage()
    yield made
    await made.supervisor.aclose()


async def test_a_running_child_is_ready_at_once(stage: Stage):
    child = await stage.supervisor.start()
    assert await stage.supervisor.ready(0.0) is child
    assert stage.supervisor.detail == ""


async def test_a_first_launch_that_fails_is_the_callers_to_know(stage: Stage):
    stage.failures = ["no such model"]
    with pytest.raises(EngineFault, match="no such model"):
        await stage.supervisor.start()
    assert stage.slept == []


@pytest.mark.promise("engine.restart")
async def test_a_child_that_dies_is_followed_by_another(stage: Stage):
    first = await stage.supervisor.start()
    second = await stage.restart()
    assert second is not first
    assert stage.supervisor.child is second


@pytest.mark.promise("engine.restart")
async def test_each_death_doubles_the_delay_up_to_a_limit(stage: Stage):
    await stage.supervisor.start()
    for _ in range(9):
        await stage.restart()
    assert stage.slept == [FIRST_DELAY * 2**power for power in range(6)] + [LONGEST_DELAY] * 3


async def test_a_healthy_minute_sets_the_delay_back(stage: Stage):
    await stage.supervisor.start()
    await stage.restart()
    await stage.restart(after=HEALTHY_AFTER - 1)
    await stage.restart(after=HEALTHY_AFTER)
    assert stage.slept == [FIRST_DELAY, FIRST_DELAY * 2, FIRST_DELAY]


async def test_launches_that_fail_count_like_deaths(stage: Stage):
    await stage.supervisor.start()
    stage.failures = ["still broken", "still broken"]
    await stage.restart()
    assert stage.slept == [FIRST_DELAY, FIRST_DELAY * 2, FIRST_DELAY * 4]


@pytest.mark.promise("engine.restart")
async def test_a_request_waits_for_the_restart(stage: Stage):
    child = await stage.supervisor.start()
    child.die()
    await asyncio.wait_for(stage.sleeping.wait(), PATIENCE)
    waiting = asyncio.create_task(stage.supervisor.ready(PATIENCE))
    stage.woken.set()
    assert await waiting is stage.children[1]


async def test_a_request_that_may_not_wait_longer_is_told_why(stage: Stage):
    child = await stage.supervisor.start()
    child.die("the engine process was ended by SIGSEGV.")
    await asyncio.wait_for(stage.sleeping.wait(), PATIENCE)
    with pytest.raises(EngineUnavailable, match="being restarted: the engine process was ended by SIGSEGV"):
        await stage.supervisor.ready(0.01)


async def test_a_stop_ends_the_child_and_every_wait(stage: Stage):
    child = await stage.supervisor.start()
    child.die()
    await asyncio.wait_for(stage.sleeping.wait(), PATIENCE)
    waiting = asyncio.create_task(stage.supervisor.ready(PATIENCE))
    await asyncio.sleep(0)
    await stage.supervisor.aclose()
    with pytest.raises(EngineUnavailable, match="the engine is stopped"):
        await waiting
    assert len(stage.children) == 1


async def test_a_stop_may_be_asked_for_twice_and_is_final(stage: Stage):
    child = await stage.supervisor.start()
    await stage.supervisor.aclose()
    await stage.supervisor.aclose()
    assert child.stopped
    with pytest.raises(EngineUnavailable, match="the engine is stopped"):
        await stage.supervisor.ready(PATIENCE)


async def test_before_its_start_nothing_is_waited_for(stage: Stage):
    with pytest.raises(EngineUnavailable, match="has not been started"):
        await stage.supervisor.ready(PATIENCE)

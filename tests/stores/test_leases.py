"""Turns that several processes take, in both databases."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from antiphon.ports.leases import Leases
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.leases import SqlLeases

BOUND = 60.0


@pytest.fixture
async def leases(database_url: str) -> AsyncIterator[Leases]:
    database = await Database.open(database_url)
    yield SqlLeases(database)
    await database.aclose()


async def test_a_turn_is_one_holders_until_its_time_is_over(leases: Leases) -> None:
    assert await leases.take("sweep", "a", 1000.0, 60.0)
    assert not await leases.take("sweep", "b", 1059.9, 60.0)
    assert await leases.take("sweep", "b", 1060.0, 60.0)
    assert not await leases.take("sweep", "a", 1061.0, 60.0)
    assert await leases.take("other", "a", 1061.0, 60.0)


async def test_who_has_a_turn_may_have_it_for_longer(leases: Leases) -> None:
    assert await leases.take("sweep", "a", 1000.0, 60.0)
    assert await leases.take("sweep", "a", 1050.0, 60.0)
    assert not await leases.take("sweep", "b", 1100.0, 60.0)


async def test_a_turn_that_was_given_up_is_anybodys(leases: Leases) -> None:
    assert await leases.take("sweep", "a", 1000.0, 60.0)
    await leases.release("sweep", "b")
    assert not await leases.take("sweep", "b", 1001.0, 60.0)
    await leases.release("sweep", "a")
    assert await leases.take("sweep", "b", 1001.0, 60.0)


@pytest.mark.promise("stores.clock-set-back")
async def test_a_turn_taken_by_a_clock_that_was_set_back_since_holds_nobody_up(leases: Leases) -> None:
    assert await leases.take("sweep", "a", 1_000_000.0, 60.0)
    assert not await leases.take("sweep", "b", 999_980.0, 60.0)
    assert await leases.take("sweep", "b", 1000.0, 60.0)
    assert not await leases.take("sweep", "a", 1010.0, 60.0)


async def test_of_many_that_ask_at_once_one_has_the_turn(leases: Leases) -> None:
    async with asyncio.timeout(BOUND):
        for start in (1000.0, 2000.0):
            taken = await asyncio.gather(*(leases.take("sweep", f"h{n}", start, 60.0) for n in range(12)))
            assert sum(taken) == 1

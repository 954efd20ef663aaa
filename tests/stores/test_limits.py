"""Buckets, in a process and in a server that processes share."""

from collections.abc import AsyncIterator

import pytest

from antiphon.ports.limits import Buckets, Draw
from antiphon.stores.limits import MemoryBuckets
from antiphon.stores.redis_limits import RedisBuckets
from antiphon.testing.clock import FixedClock
from tests.stores.implementations import StoreServer, client


@pytest.fixture(params=["memory", "redis"])
async def buckets(request: pytest.FixtureRequest) -> AsyncIterator[Buckets]:
    if request.param == "memory":
        yield MemoryBuckets(FixedClock())
        return
    server: StoreServer = request.getfixturevalue("redis_server")
    async with client(server.url) as redis:
        await redis.flushall()
    made = RedisBuckets(server.url)
    yield made
    await made.aclose()


def draw(bucket: str, need: float, take: float, size: int = 6) -> Draw:
    """Of a bucket that fills too slowly to be seen."""
    return Draw(bucket, size, need, take)


async def levels(buckets: Buckets, *draws: Draw) -> tuple[bool, list[int]]:
    """What came of it, in whole numbers."""
    drawn = await buckets.draw(draws)
    assert drawn is not None
    return drawn.granted, [round(level) for level in drawn.levels]


async def test_all_or_nothing_is_taken(buckets: Buckets) -> None:
    assert await levels(buckets, draw("a", 1, 1), draw("b", 4, 4)) == (True, [5, 2])
    assert await levels(buckets, draw("a", 1, 1), draw("b", 4, 4)) == (False, [5, 2])
    assert await levels(buckets, draw("a", 1, 1), draw("c", 1, 0)) == (True, [4, 6])


async def test_what_turns_out_later_is_taken_or_given_back(buckets: Buckets) -> None:
    assert await levels(buckets, draw("a", 6, 10)) == (True, [-4])
    buckets.settle([draw("a", 0, -3)])
    await buckets.aclose()
    assert await levels(buckets, draw("a", 1, 1)) == (False, [-1])
    buckets.settle([draw("a", 0, -30)])
    await buckets.aclose()
    assert await levels(buckets, draw("a", 1, 0)) == (True, [6])


async def test_a_bucket_is_full_again_in_a_minute_and_no_fuller() -> None:
    clock = FixedClock()
    buckets = MemoryBuckets(clock)
    assert await levels(buckets, draw("a", 1, 6)) == (True, [0])
    clock.time += 10.0
    assert await levels(buckets, draw("a", 1, 0)) == (True, [1])
    clock.time += 600.0
    assert await levels(buckets, draw("a", 1, 0)) == (True, [6])


@pytest.mark.promise("limits.shared")
async def test_servers_of_one_store_take_from_the_same_buckets(redis_server: StoreServer) -> None:
    async with client(redis_server.url) as redis:
        await redis.flushall()
    one, other = RedisBuckets(redis_server.url), RedisBuckets(redis_server.url)
    assert await levels(one, draw("a", 1, 4)) == (True, [2])
    assert await levels(other, draw("a", 4, 4)) == (False, [2])
    async with client(redis_server.url) as redis:
        # As if it had been longer ago.
        at = float(await redis.hget("antiphon:limit:a", "at"))
        await redis.hset("antiphon:limit:a", "at", str(at - 20))
        assert 60 < await redis.ttl("antiphon:limit:a") <= 101
    assert await levels(other, draw("a", 4, 4)) == (True, [0])
    await one.aclose()
    await other.aclose()


@pytest.mark.promise("limits.shared")
async def test_where_the_store_is_gone_nothing_is_limited_and_it_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    buckets = RedisBuckets("redis://127.0.0.1:1/0")
    for _ in range(3):
        assert await buckets.draw([draw("a", 1, 1)]) is None
        buckets.settle([draw("a", 0, 1)])
    await buckets.aclose()
    assert caplog.text.count("nothing is limited for a while") == 1

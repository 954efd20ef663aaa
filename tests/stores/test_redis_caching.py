"""The ledger of cached prefixes in a store that servers share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from antiphon.ports.caching import Entry
from antiphon.stores.caching import MemoryLedger
from antiphon.stores.redis_caching import RedisLedger
from tests.stores.implementations import StoreServer, client

A, B, C = b"\x00a", b"b\xff", b"c"


@asynccontextmanager
async def ledgers(*urls: str) -> AsyncGenerator[list[RedisLedger]]:
    """A ledger of a server of its own for each URL."""
    made = [RedisLedger(url, MemoryLedger()) for url in urls]
    try:
        yield made
    finally:
        for ledger in made:
            await ledger.aclose()


@pytest.mark.promise("cache.shared-ledger")
async def test_what_one_server_has_marked_all_find(redis_server: StoreServer) -> None:
    async with ledgers(redis_server.url, redis_server.url) as (one, other):
        await one.keep([Entry(A, 300), Entry(B, 3600)], 0.0)
        assert await other.find([C, B, A], 0.0) == 1
        assert await other.find([C], 0.0) is None
        assert await other.find([], 0.0) is None


@pytest.mark.promise("cache.shared-ledger")
async def test_it_is_known_for_its_time_from_each_reading_and_keeps_the_longer_one(redis_server: StoreServer) -> None:
    key = f"antiphon:prefix:{A.hex()}"
    async with ledgers(redis_server.url) as (ledger,), client(redis_server.url) as redis:
        await redis.flushall()
        await ledger.keep([Entry(A, 300)], 0.0)
        assert 290 < await redis.ttl(key) <= 300
        await redis.expire(key, 5)
        assert await ledger.find([A], 0.0) == 0
        assert 290 < await redis.ttl(key) <= 300
        await ledger.keep([Entry(A, 3600)], 0.0)
        await ledger.keep([Entry(A, 300)], 0.0)
        assert 3590 < await redis.ttl(key) <= 3600


@pytest.mark.promise("cache.shared-ledger")
async def test_where_the_store_is_gone_a_server_knows_its_own(caplog: pytest.LogCaptureFixture) -> None:
    async with ledgers("redis://127.0.0.1:1/0") as (ledger,):
        for _ in range(3):
            await ledger.keep([Entry(A, 300)], 0.0)
            assert await ledger.find([B, A], 1.0) == 1
    assert caplog.text.count("what other servers have marked is not known") == 1

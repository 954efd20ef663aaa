"""What every store of conversations keeps to, and what each does of its own."""

import asyncio
import os
import signal
from collections import Counter

import pytest

from antiphon.ports.threads import Claim, StoreGone, ThreadStore
from antiphon.seals import Seals
from antiphon.stores.threads import ENTRY_BYTES
from tests.stores.implementations import LIFETIME, Bench, StoreServer, client, memory, shared

HELLO = '{"messages": ["hé"]}'.encode()


async def claimed(store: ThreadStore, id_: str = "msg_1", tenant: str = "") -> Claim:
    found = await store.claim(tenant, id_)
    assert isinstance(found, Claim), found
    return found


async def test_what_is_kept_is_had_back_whole(bench: Bench) -> None:
    await bench.store.keep("", "msg_1", HELLO, None)
    claim = await claimed(bench.store)
    assert (claim.tenant, claim.id, claim.data) == ("", "msg_1", HELLO)


async def test_a_store_that_is_there_answers(bench: Bench) -> None:
    await bench.store.check()


@pytest.mark.promise("threads.not-found")
async def test_what_was_never_kept_and_what_another_tenant_kept_is_unknown(bench: Bench) -> None:
    await bench.store.keep("one", "msg_1", HELLO, None)
    assert await bench.store.claim("one", "msg_2") == "unknown"
    assert await bench.store.claim("two", "msg_1") == "unknown"
    assert await bench.store.claim("", "msg_1") == "unknown"
    assert await bench.store.claim("", "é" * 10_000) == "unknown"


@pytest.mark.promise("threads.once")
async def test_what_is_claimed_is_in_flight_until_it_is_released(bench: Bench) -> None:
    await bench.store.keep("", "msg_1", HELLO, None)
    first = await claimed(bench.store)
    assert await bench.store.claim("", "msg_1") == "in flight"
    await bench.store.release(first)
    assert (await claimed(bench.store)).data == HELLO


@pytest.mark.promise("threads.once")
async def test_what_was_gone_on_from_is_continued_and_what_came_of_it_is_kept(bench: Bench) -> None:
    await bench.store.keep("", "msg_1", HELLO, None)
    await bench.store.keep("", "msg_2", b"[2]", await claimed(bench.store))
    assert await bench.store.claim("", "msg_1") == "continued"
    assert (await claimed(bench.store, "msg_2")).data == b"[2]"


async def test_what_came_to_nothing_that_can_be_kept_is_continued_all_the_same(bench: Bench) -> None:
    await bench.store.keep("", "msg_1", HELLO, None)
    await bench.store.keep("", "msg_2", None, await claimed(bench.store))
    assert await bench.store.claim("", "msg_1") == "continued"
    assert await bench.store.claim("", "msg_2") == "unknown"


async def test_a_claim_that_is_over_changes_nothing(bench: Bench) -> None:
    await bench.store.keep("", "msg_1", HELLO, None)
    over = await claimed(bench.store)
    await bench.store.release(over)
    await claimed(bench.store)
    await bench.store.release(over)
    assert await bench.store.claim("", "msg_1") == "in flight"
    await bench.store.keep("", "msg_2", None, over)
    assert await bench.store.claim("", "msg_1") == "in flight"


@pytest.mark.promise("threads.once")
async def test_of_many_at_once_one_goes_on(bench: Bench) -> None:
    await bench.store.keep("", "msg_1", HELLO, None)
    async with asyncio.timeout(20):
        found = await asyncio.gather(*(bench.store.claim("", "msg_1") for _ in range(20)))
    assert Counter(one if isinstance(one, str) else "claimed" for one in found) == {"claimed": 1, "in flight": 19}


@pytest.mark.promise("threads.lifetime")
async def test_it_is_kept_for_its_lifetime_from_its_last_use(bench: Bench) -> None:
    await bench.store.keep("", "msg_1", HELLO, None)
    await bench.pass_time(LIFETIME - 10)
    await bench.store.release(await claimed(bench.store))
    await bench.pass_time(LIFETIME - 10)
    await bench.store.keep("", "msg_2", b"[2]", await claimed(bench.store))
    await bench.pass_time(LIFETIME - 10)
    assert await bench.store.claim("", "msg_1") == "continued"
    assert (await claimed(bench.store, "msg_2")).data == b"[2]"
    await bench.pass_time(LIFETIME + 1)
    assert await bench.store.claim("", "msg_1") == "unknown"
    assert await bench.store.claim("", "msg_2") == "unknown"


async def test_what_is_forgotten_while_it_is_claimed_is_neither_given_back_nor_continued(bench: Bench) -> None:
    await bench.store.keep("", "msg_1", HELLO, None)
    claim = await claimed(bench.store)
    await bench.pass_time(LIFETIME + 1)
    await bench.store.release(claim)
    assert await bench.store.claim("", "msg_1") == "unknown"
    await bench.store.keep("", "msg_2", b"[2]", claim)
    assert (await claimed(bench.store, "msg_2")).data == b"[2]"


@pytest.mark.promise("threads.lifetime")
async def test_memory_is_bounded_and_the_longest_unused_goes_first() -> None:
    async with memory(3 * (1000 + ENTRY_BYTES)) as bench:
        for id_ in ("a", "b", "c"):
            await bench.store.keep("", id_, bytes(1000), None)
        await bench.store.release(await claimed(bench.store, "a"))
        await bench.store.keep("", "d", bytes(1000), None)
        assert bench.store.weight == 3 * (1000 + ENTRY_BYTES)
        assert await bench.store.claim("", "b") == "unknown"
        for id_ in ("a", "c", "d"):
            assert len((await claimed(bench.store, id_)).data) == 1000


@pytest.mark.promise("threads.lifetime")
async def test_what_is_more_than_all_memory_is_not_kept_and_nothing_else_goes_for_it() -> None:
    async with memory(2000) as bench:
        await bench.store.keep("", "a", bytes(1000), None)
        await bench.store.keep("", "b", bytes(1500), None)
        assert await bench.store.claim("", "b") == "unknown"
        assert await bench.store.claim("", "a") != "unknown"


@pytest.mark.promise("threads.lifetime")
async def test_a_continued_conversation_takes_no_memory_for_its_messages() -> None:
    async with memory() as bench:
        await bench.store.keep("", "a", bytes(1000), None)
        await bench.store.keep("", "b", bytes(1100), await claimed(bench.store, "a"))
        assert bench.store.weight == 1100 + 2 * ENTRY_BYTES
        await bench.pass_time(LIFETIME)
        await bench.store.claim("", "x")
        assert bench.store.weight == 0


@pytest.mark.promise("threads.shared-store")
async def test_two_servers_over_one_store_go_on_with_each_other_s_conversations(redis_server: StoreServer) -> None:
    async with shared(redis_server.url) as one, shared(redis_server.url) as two:
        await one.store.keep("", "msg_across", HELLO, None)
        claim = await claimed(two.store, "msg_across")
        assert claim.data == HELLO
        assert await one.store.claim("", "msg_across") == "in flight"
        await two.store.keep("", "msg_next", b"[2]", claim)
        assert await one.store.claim("", "msg_across") == "continued"
        assert (await claimed(one.store, "msg_next")).data == b"[2]"


@pytest.mark.promise("threads.shared-store")
async def test_of_many_servers_one_goes_on(redis_server: StoreServer) -> None:
    async with shared(redis_server.url) as one, shared(redis_server.url) as two, asyncio.timeout(20):
        await one.store.keep("", "msg_race", HELLO, None)
        found = await asyncio.gather(*(bench.store.claim("", "msg_race") for bench in (one, two) * 20))
    assert Counter(one if isinstance(one, str) else "claimed" for one in found) == {"claimed": 1, "in flight": 39}


async def test_the_shared_store_holds_neither_words_nor_names_and_forgets_by_itself(
    redis_server: StoreServer,
) -> None:
    async with shared(redis_server.url) as bench, client(redis_server.url) as redis:
        await redis.flushall()
        await bench.store.keep("tenant", "msg_secret", b'"the words of a client"', None)
        [key] = await redis.keys("*")
        held = b"".join([key, *(await redis.hgetall(key)).values()])
        assert not [word for word in (b"tenant", b"msg_secret", b"the words") if word in held]
        assert 0 < await redis.pttl(key) <= LIFETIME * 1000


@pytest.mark.promise("threads.never-shortened")
async def test_what_another_s_seal_closes_and_what_is_damaged_is_unknown(redis_server: StoreServer) -> None:
    async with (
        shared(redis_server.url) as bench,
        shared(redis_server.url, Seals([bytes(range(32))])) as other,
        client(redis_server.url) as redis,
    ):
        await redis.flushall()
        await bench.store.keep("", "msg_1", HELLO, None)
        [key] = await redis.keys("*")
        assert await other.store.claim("", "msg_1") == "unknown"
        await bench.store.keep("", "msg_1", HELLO, None)
        sealed = await redis.hget(key, "data")
        for damaged in (sealed[:-8], b"", b"\xff\xfe", sealed.swapcase()):
            await redis.hset(key, mapping={"state": "open", "data": damaged})
            assert await bench.store.claim("", "msg_1") == "unknown"
        # What stands under another id is not this one's.
        await bench.store.keep("", "msg_2", b"[2]", None)
        [second] = [found for found in await redis.keys("*") if found != key]
        await redis.hset(second, mapping={"state": "open", "data": sealed})
        assert await bench.store.claim("", "msg_2") == "unknown"


@pytest.mark.promise("threads.store-gone")
async def test_a_store_that_is_gone_says_so_and_one_that_is_back_is_used(redis_server: StoreServer) -> None:
    async with shared(redis_server.url) as bench, asyncio.timeout(30):
        await bench.store.keep("", "msg_1", HELLO, None)
        claim = await claimed(bench.store)
        redis_server.stop()
        for work in (
            bench.store.check(),
            bench.store.claim("", "msg_1"),
            bench.store.release(claim),
            bench.store.keep("", "msg_2", HELLO, claim),
        ):
            with pytest.raises(StoreGone):
                await work
        redis_server.start()
        await bench.store.keep("", "msg_3", HELLO, None)
        assert (await claimed(bench.store, "msg_3")).data == HELLO


@pytest.mark.promise("threads.store-gone")
async def test_nobody_waits_long_for_a_store_that_hangs(
    redis_server: StoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("antiphon.stores.redis_threads.PATIENCE", 0.2)
    async with shared(redis_server.url) as bench, asyncio.timeout(30):
        await bench.store.keep("", "msg_1", HELLO, None)
        os.kill(redis_server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(StoreGone, match=r"^no answer within 0\.2 seconds$"):
                await bench.store.claim("", "msg_1")
            with pytest.raises(StoreGone, match="a moment ago"):
                await bench.store.claim("", "msg_1")
        finally:
            os.kill(redis_server.pid, signal.SIGCONT)


@pytest.mark.promise("threads.given-back")
async def test_a_claim_that_is_cut_off_does_not_stay(redis_server: StoreServer) -> None:
    async with shared(redis_server.url) as bench, shared(redis_server.url) as other, asyncio.timeout(30):
        await bench.store.keep("", "msg_cut", HELLO, None)
        for _ in range(5):
            cut = asyncio.create_task(bench.store.claim("", "msg_cut"))
            await asyncio.sleep(0)
            cut.cancel()
            await asyncio.gather(cut, return_exceptions=True)
        await bench.store.aclose()
        assert (await claimed(other.store, "msg_cut")).data == HELLO

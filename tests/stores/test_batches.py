"""Batches in both databases: seen when they are whole, run once, counted once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from antiphon.ports.batches import Batch, Counts, Endings, Leased, NewRow, NoRoom, Outcome, Room, Said
from antiphon.stores.sql.batches import SqlBatches
from antiphon.stores.sql.database import Database

ENDINGS = Endings(b"CANCELED", b"EXPIRED", b"LOST", most_attempts=3)
SAID = Said("2023-06-01", ("one", "two"), "a client")
NOW, DAY = 1_764_384_000_000_000, 86_400_000_000
MINUTE = 60_000_000


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[SqlBatches]:
    database = await Database.open(database_url)
    yield SqlBatches(database)
    await database.aclose()


def rows(*prefixes: str) -> list[NewRow]:
    return [
        NewRow(number, f"id-{number}", b'{"n":%d}' % number, prefix) for number, prefix in enumerate(prefixes or "a")
    ]


async def made(
    store: SqlBatches, id_: str = "msgbatch_1", *prefixes: str, tenant: str = "me", now: int = NOW
) -> Batch:
    key = await store.begin(id_, tenant, SAID, now)
    new = rows(*prefixes)
    await store.add(key, new)
    return await store.complete(key, len(new), now, now + DAY)


async def leased(store: SqlBatches, batch: Batch, most: int, owner: str = "mine", now: int = NOW) -> Sequence[Leased]:
    return await store.lease(batch, owner, most, now, now + MINUTE)


async def current(store: SqlBatches, batch: Batch) -> Batch:
    found = await store.get(batch.tenant, batch.id)
    assert found is not None
    return found


def outcomes(taken: Sequence[Leased]) -> list[Outcome]:
    return [Outcome(each, "succeeded", b"R%d" % each.number) for each in taken]


async def test_a_batch_is_there_when_it_is_complete_and_not_before(store: SqlBatches) -> None:
    key = await store.begin("msgbatch_1", "me", SAID, NOW)
    await store.add(key, rows("a", "b"))
    assert await store.get("me", "msgbatch_1") is None
    page = await store.page("me", 20, after=None, before=None)
    assert page is not None
    assert page.batches == ()
    assert await store.open(NOW) == []
    batch = await store.complete(key, 2, NOW + 5, NOW + 5 + DAY)
    assert batch == Batch(key, "msgbatch_1", "me", NOW + 5, NOW + 5 + DAY, 2, SAID)
    assert await current(store, batch) == batch
    assert await store.open(NOW) == [batch]


async def test_a_batch_is_its_tenants_alone(store: SqlBatches) -> None:
    batch = await made(store)
    assert await store.get("you", batch.id) is None
    assert await store.cancel("you", batch.id, NOW) is None
    assert await store.delete("you", batch.id) is None
    assert await store.page("you", 20, after=batch.id, before=None) is None


@pytest.mark.promise("errors.no-request-is-a-500")
@pytest.mark.parametrize("id_", ["a\0b", "é", "\n"])
async def test_what_no_id_can_be_is_no_batch(store: SqlBatches, id_: str) -> None:
    await made(store)
    assert await store.get("me", id_) is None
    assert await store.cancel("me", id_, NOW) is None
    assert await store.delete("me", id_) is None
    assert await store.page("me", 20, after=id_, before=None) is None


async def test_an_abandoned_batch_leaves_nothing(store: SqlBatches) -> None:
    key = await store.begin("msgbatch_1", "me", SAID, NOW)
    await store.add(key, rows("a"))
    await store.abandon(key)
    await made(store)  # under the same id


@pytest.mark.promise("batches.list")
async def test_pages_go_both_ways_newest_first(store: SqlBatches) -> None:
    made_ones = [await made(store, f"msgbatch_{n}", now=NOW + n // 2) for n in range(7)]
    await made(store, "msgbatch_other", tenant="you", now=NOW + 3)
    newest = [batch.id for batch in reversed(made_ones)]
    seen: list[str] = []
    after: str | None = None
    while True:
        page = await store.page("me", 2, after=after, before=None)
        assert page is not None
        seen += [batch.id for batch in page.batches]
        if not page.more:
            break
        after = seen[-1]
    assert seen == newest
    back: list[str] = []
    before = newest[-1]
    while True:
        page = await store.page("me", 2, after=None, before=before)
        assert page is not None
        back = [batch.id for batch in page.batches] + back
        if not page.more:
            break
        before = back[0]
    assert back == newest[:-1]


async def test_requests_that_begin_alike_follow_each_other(store: SqlBatches) -> None:
    batch = await made(store, "msgbatch_1", "b", "a", "b", "a", "b")
    first = await leased(store, batch, 3)
    rest = await leased(store, batch, 9)
    assert [each.number for each in (*first, *rest)] == [1, 3, 0, 2, 4]
    assert first[0].params == b'{"n":1}'
    assert first[0].attempts == 1
    assert await leased(store, batch, 9) == []
    assert await store.open(NOW) == []


async def test_a_result_is_kept_once_and_counted_with_it(store: SqlBatches) -> None:
    batch = await made(store, "msgbatch_1", "a", "a")
    one, two = await leased(store, batch, 2)
    done = outcomes([one])
    assert await store.finish("mine", done, NOW + 1) == 1
    assert await store.finish("mine", done, NOW + 2) == 0
    assert (await current(store, batch)).counts == Counts(succeeded=1)
    assert (await current(store, batch)).ended_at is None
    assert await store.finish("mine", [Outcome(two, "errored", b"E")], NOW + 3) == 1
    ended = await current(store, batch)
    assert ended.counts == Counts(succeeded=1, errored=1)
    assert ended.ended_at == NOW + 3
    found = await store.results(batch.key, -1, 10)
    assert [(each.custom_id, each.result) for each in found] == [("id-0", b"R0"), ("id-1", b"E")]
    assert [each.number for each in await store.results(batch.key, 0, 1)] == [1]


async def test_what_is_not_heard_of_any_more_is_given_to_others_and_its_late_result_is_not_kept(
    store: SqlBatches,
) -> None:
    batch = await made(store)
    taken = await leased(store, batch, 1, "dead")
    assert not await store.settle(ENDINGS, NOW + MINUTE)
    assert await store.settle(ENDINGS, NOW + MINUTE + 1)
    again = await leased(store, batch, 1, "alive", NOW + MINUTE + 1)
    assert [each.attempts for each in again] == [2]
    assert await store.finish("dead", outcomes(taken), NOW) == 0
    assert await store.finish("alive", outcomes(again), NOW) == 1
    assert (await current(store, batch)).counts == Counts(succeeded=1)


async def test_one_owner_that_took_a_request_twice_finishes_it_by_its_last_lease(store: SqlBatches) -> None:
    batch = await made(store)
    old = await leased(store, batch, 1)
    await store.settle(ENDINGS, NOW + 2 * MINUTE)
    new = await leased(store, batch, 1, now=NOW + 2 * MINUTE)
    assert await store.finish("mine", outcomes(old), NOW) == 0
    assert await store.finish("mine", outcomes(new), NOW) == 1


async def test_a_lease_that_is_renewed_holds(store: SqlBatches) -> None:
    batch = await made(store)
    taken = await leased(store, batch, 1)
    await store.renew("mine", taken, NOW + 5 * MINUTE)
    assert not await store.settle(ENDINGS, NOW + 4 * MINUTE)
    assert await store.finish("mine", outcomes(taken), NOW) == 1


async def test_nobody_renews_what_is_anothers_or_what_it_does_not_name(store: SqlBatches) -> None:
    batch = await made(store, "msgbatch_1", "a", "a")
    one, two = await leased(store, batch, 2)
    await store.renew("other", [one], NOW + 5 * MINUTE)
    await store.renew("mine", [two], NOW + 5 * MINUTE)
    assert await store.settle(ENDINGS, NOW + 2 * MINUTE)
    assert [each.number for each in await leased(store, batch, 9, now=NOW + 2 * MINUTE)] == [0]


async def test_what_was_begun_too_often_is_an_error(store: SqlBatches) -> None:
    batch = await made(store)
    now = NOW
    for attempt in range(1, ENDINGS.most_attempts + 1):
        assert [each.attempts for each in await leased(store, batch, 1, f"o{attempt}", now)] == [attempt]
        now += MINUTE + 1
        await store.settle(ENDINGS, now)
    ended = await current(store, batch)
    assert ended.counts == Counts(errored=1)
    assert ended.ended_at == now
    assert [each.result for each in await store.results(batch.key, -1, 9)] == [b"LOST"]


async def test_what_is_given_back_is_an_attempt_only_where_it_is_counted(store: SqlBatches) -> None:
    batch = await made(store)
    await store.give_back("mine", await leased(store, batch, 1), counted=False)
    again = await leased(store, batch, 1)
    assert [each.attempts for each in again] == [1]
    await store.give_back("mine", again, counted=True)
    assert [each.attempts for each in await leased(store, batch, 1)] == [2]


async def test_a_canceled_batch_keeps_what_is_done_and_lets_what_runs_end(store: SqlBatches) -> None:
    batch = await made(store, "msgbatch_1", *"aaaa")
    one, two = await leased(store, batch, 2)
    await store.finish("mine", outcomes([one]), NOW)
    canceled = await store.cancel("me", batch.id, NOW + 7)
    assert canceled is not None
    assert canceled.cancel_initiated_at == NOW + 7
    assert canceled.ended_at is None
    assert await leased(store, batch, 9) == []
    assert await store.settle(ENDINGS, NOW + 8)
    assert (await current(store, batch)).ended_at is None
    await store.finish("mine", outcomes([two]), NOW + 9)
    ended = await current(store, batch)
    assert ended.counts == Counts(succeeded=2, canceled=2)
    assert ended.ended_at == NOW + 9
    again = await store.cancel("me", batch.id, NOW + 10)
    assert again == ended


async def test_after_its_day_a_batch_is_expired_but_for_what_runs(store: SqlBatches) -> None:
    batch = await made(store, "msgbatch_1", *"aaa")
    taken = await leased(store, batch, 1, now=NOW + DAY - 1)
    assert await leased(store, batch, 1, now=NOW + DAY) == []
    assert await store.settle(ENDINGS, NOW + DAY)
    await store.finish("mine", outcomes(taken), NOW + DAY + 1)
    ended = await current(store, batch)
    assert ended.counts == Counts(succeeded=1, expired=2)
    assert ended.ended_at == NOW + DAY + 1


async def test_what_was_lost_in_a_canceled_batch_is_canceled(store: SqlBatches) -> None:
    batch = await made(store)
    await leased(store, batch, 1)
    await store.cancel("me", batch.id, NOW)
    await store.settle(ENDINGS, NOW + 2 * MINUTE)
    assert (await current(store, batch)).counts == Counts(canceled=1)


async def test_a_running_batch_is_not_deleted_and_an_ended_one_is_gone(store: SqlBatches) -> None:
    batch = await made(store)
    assert await store.delete("me", batch.id) == "running"
    await store.finish("mine", outcomes(await leased(store, batch, 1)), NOW)
    assert await store.delete("me", batch.id) == "deleted"
    assert await store.delete("me", batch.id) is None
    assert await store.get("me", batch.id) is None
    assert await store.results(batch.key, -1, 9) == []


async def test_results_go_after_their_time_and_the_batch_stays(store: SqlBatches) -> None:
    batch = await made(store)
    await store.forget(NOW + 1, 0, NOW + 1)
    assert (await current(store, batch)).archived_at is None  # it runs
    await store.finish("mine", outcomes(await leased(store, batch, 1)), NOW)
    await store.forget(NOW, 0, NOW + 1)
    assert (await current(store, batch)).archived_at is None  # it is young
    await store.forget(NOW + 1, 0, NOW + 2)
    archived = await current(store, batch)
    assert archived.archived_at == NOW + 2
    assert archived.counts == Counts(succeeded=1)
    assert await store.results(batch.key, -1, 9) == []


async def test_batches_that_never_became_complete_go(store: SqlBatches) -> None:
    key = await store.begin("msgbatch_1", "me", SAID, NOW)
    await store.add(key, rows("a"))
    await store.forget(0, NOW, NOW)
    await store.forget(0, NOW + 1, NOW)
    await made(store)  # the id is free


async def test_many_that_take_at_once_never_take_the_same(store: SqlBatches) -> None:
    batch = await made(store, "msgbatch_1", *"a" * 60)
    async with asyncio.timeout(60):
        parts = await asyncio.gather(*(leased(store, batch, 5, f"o{n}") for n in range(12)))
        taken = [each.number for part in parts for each in part]
        assert len(taken) == len(set(taken))
        ours = [(f"o{n}", outcomes(part)) for n, part in enumerate(parts)]
        kept = await asyncio.gather(*(store.finish(owner, done, NOW) for owner, done in ours if done))
    assert sum(kept) == len(taken)
    left = [each for n in range(60) for each in await leased(store, batch, 5, f"r{n}")]
    assert len(left) == 60 - len(taken)
    assert (await current(store, batch)).counts.succeeded == len(taken)


async def test_a_late_result_of_somebody_elses_request_changes_nothing(store: SqlBatches) -> None:
    batch = await made(store, "msgbatch_1", "a", "a")
    (mine,) = await leased(store, batch, 1)
    theirs = replace(mine, number=1)
    assert await store.finish("mine", outcomes([theirs]), NOW) == 0
    assert (await current(store, batch)).counts == Counts()


@pytest.mark.promise("limits.enqueued")
async def test_of_batches_that_come_at_once_only_those_are_created_for_which_there_is_room(store: SqlBatches) -> None:
    refusing: list[Room] = []

    async def create(name: str) -> bool:
        key = await store.begin(f"msgbatch_{name}", "me", Said(key="k"), NOW)
        await store.add(key, [NewRow(number, f"id-{number}", b"{}", "") for number in range(2)])
        try:
            await store.complete(key, 2, NOW, NOW + DAY, [Room(9, "you"), Room(9, "me", "other"), Room(5, "me", "k")])
        except NoRoom as narrow:
            refusing.append(narrow.room)
            return False
        return True

    async with asyncio.timeout(60):
        created = await asyncio.gather(*(create(f"n{number}") for number in range(6)))
    assert sorted(created) == [False] * 4 + [True] * 2
    assert refusing == [Room(5, "me", "k")] * 4

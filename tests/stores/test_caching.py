"""The ledger of cached prefixes, in one process's memory."""

from antiphon.ports.caching import Entry
from antiphon.stores.caching import MemoryLedger

A, B = b"a", b"b"


async def kept(*entries: Entry, at: float = 0.0, most: int = 10) -> MemoryLedger:
    ledger = MemoryLedger(most)
    await ledger.keep(entries, at)
    return ledger


async def test_the_first_key_that_is_known_is_found() -> None:
    ledger = await kept(Entry(A, 300), Entry(B, 300))
    assert await ledger.find([b"c", B, A], 1.0) == 1
    assert await ledger.find([b"c"], 1.0) is None


async def test_a_prefix_is_known_until_its_time_is_over() -> None:
    ledger = await kept(Entry(A, 300), Entry(B, 3600))
    assert await ledger.find([A], 299.9) == 0
    ledger = await kept(Entry(A, 300), Entry(B, 3600))
    assert await ledger.find([A], 300.0) is None
    assert await ledger.find([B], 3599.0) == 0


async def test_finding_a_prefix_begins_its_own_time_anew() -> None:
    ledger = await kept(Entry(A, 300))
    assert await ledger.find([A], 200.0) == 0
    assert await ledger.find([A], 450.0) == 0
    assert await ledger.find([A], 760.0) is None


async def test_prefixes_from_before_this_process_are_known_until_their_time() -> None:
    ledger = await kept(Entry(A, 300), at=100.0)
    ledger.know([(Entry(A, 300), 50.0), (Entry(B, 3600), 500.0)])
    assert await ledger.find([A], 399.0) == 0
    assert await ledger.find([B], 499.0) == 0
    assert await ledger.find([B], 4000.0) == 0
    ledger = await kept()
    ledger.know([(Entry(B, 3600), 500.0)])
    assert await ledger.find([B], 500.0) is None


async def test_a_prefix_that_is_kept_twice_has_the_longer_time() -> None:
    for first, second in ((3600, 300), (300, 3600)):
        ledger = await kept(Entry(A, first))
        await ledger.keep([Entry(A, second)], 10.0)
        assert await ledger.find([A], 3000.0) == 0


async def test_a_request_that_began_long_ago_takes_nothing_away() -> None:
    ledger = await kept(Entry(A, 300), at=100.0)
    await ledger.keep([Entry(A, 300)], 50.0)
    assert await ledger.find([A], 399.0) == 0


async def test_of_too_many_the_longest_unused_is_forgotten() -> None:
    ledger = await kept(Entry(A, 300), Entry(B, 300), most=2)
    assert await ledger.find([A], 1.0) == 0
    await ledger.keep([Entry(b"c", 300)], 2.0)
    assert await ledger.find([B], 3.0) is None
    assert await ledger.find([A], 3.0) == 0

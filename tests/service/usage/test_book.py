"""Records of use on their way to the store: none is lost for its being away for a while."""

from collections.abc import Sequence

import pytest

from antiphon.ports.stores import StoreUnavailable
from antiphon.ports.usage import UsageQuery, UsageRecord, UsageSum
from antiphon.service.usage.book import UsageBook
from tests.stores.test_usage import record


class Flaky:
    """A store that fails until it is told not to."""

    def __init__(self) -> None:
        self.fails = True
        self.kept: list[UsageRecord] = []

    async def add(self, records: Sequence[UsageRecord]) -> None:
        if self.fails:
            raise StoreUnavailable("gone")
        self.kept += records

    async def sums(self, query: UsageQuery) -> Sequence[UsageSum]:
        raise AssertionError

    async def forget(self, before: int) -> None:
        raise AssertionError


@pytest.mark.promise("usage.no-harm")
async def test_what_the_store_would_not_have_waits_and_is_kept_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    store = Flaky()
    book = UsageBook(store, pause=60, most=3)
    book.start()
    some = [record(number, 0) for number in range(5)]
    for each in some:
        book.note(each)
    assert not await book.flush()
    assert "3 records wait" in caplog.text
    assert "2 records are lost" in caplog.text
    store.fails = False
    await book.aclose()
    assert store.kept == some[:3]


async def test_one_that_the_store_cannot_take_keeps_no_other_from_it(caplog: pytest.LogCaptureFixture) -> None:
    class Picky(Flaky):
        async def add(self, records: Sequence[UsageRecord]) -> None:
            if any(each.id == "use_1" for each in records):
                raise ValueError("no such record")
            self.kept += records

    store = Picky()
    book = UsageBook(store)
    for number in range(3):
        book.note(record(number, 0))
    assert await book.flush()
    assert [each.id for each in store.kept] == ["use_0", "use_2"]
    assert "use_1" in caplog.text


async def test_a_store_that_takes_nothing_at_all_loses_nothing() -> None:
    class Broken(Flaky):
        async def add(self, records: Sequence[UsageRecord]) -> None:
            if self.fails:
                raise RuntimeError("in a way that nobody has thought of")
            self.kept += records

    store = Broken()
    book = UsageBook(store)
    for number in range(30):
        book.note(record(number, 0))
    assert not await book.flush()
    store.fails = False
    await book.aclose()
    assert len(store.kept) == 30


async def test_what_comes_while_it_writes_does_not_keep_it_writing() -> None:
    class Busy(Flaky):
        async def add(self, records: Sequence[UsageRecord]) -> None:
            self.kept += records
            book.note(record(len(self.kept), 0))

    store = Busy()
    book = UsageBook(store)
    book.note(record(0, 0))
    assert await book.flush()
    assert len(store.kept) == 1

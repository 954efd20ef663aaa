"""Rows of containers, in memory and in both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from antiphon.ports.containers import NOWHERE, ContainerStore, StoredContainer
from antiphon.stores.containers import MemoryContainers
from antiphon.stores.sql.containers import SqlContainers
from antiphon.stores.sql.database import Database

ONE = StoredContainer("container_1", "mine", "here", 100.0)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url)
    yield opened
    await opened.aclose()


async def keeps_its_word(store: ContainerStore) -> None:
    await store.add(ONE)
    await store.add(replace(ONE, id="container_2", machine="there"))
    assert await store.find("mine", "container_1") == ONE
    assert await store.find("theirs", "container_1") is None
    assert await store.find("mine", "a\0") is None
    assert list(await store.expired("here", 99.0, 10)) == []
    assert list(await store.expired("here", 100.0, 10)) == ["container_1"]
    assert await store.keep("container_1", "here", 200.0)
    assert not await store.keep("container_1", "there", 300.0)
    assert not await store.keep("container_9", "here", 300.0)
    assert not await store.move("container_1", "here", "there", 300.0, expired_by=199.0)
    assert await store.move("container_1", "here", NOWHERE, 200.0, expired_by=200.0)
    assert list(await store.expired(NOWHERE, 200.0, 10)) == ["container_1"]
    assert not await store.move("container_1", "here", "there", 300.0)
    assert await store.move("container_1", NOWHERE, "here", 200.0)
    assert await store.find("mine", "container_1") == replace(ONE, expires_at=200.0)
    assert list(await store.expired("here", 100.0, 10)) == []
    assert [await store.count("here", after) for after in (199.0, 200.0)] == [1, 0]
    await store.remove("container_1")
    assert await store.find("mine", "container_1") is None
    assert list(await store.expired("there", 100.0, 10)) == ["container_2"]


async def test_a_database_keeps_rows_of_containers(database: Database):
    await keeps_its_word(SqlContainers(database))


async def test_the_memory_keeps_rows_of_containers():
    await keeps_its_word(MemoryContainers())

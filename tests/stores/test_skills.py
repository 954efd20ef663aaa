"""Rows of skills: what the port promises, in SQLite and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from antiphon.ports.files import Place
from antiphon.ports.skills import SkillStore, SkillVersion, StoredSkill
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.skills import SqlSkills


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[SkillStore]:
    database = await Database.open(database_url)
    yield SqlSkills(database)
    await database.aclose()


def skill(name: str, at: int = 0, tenant: str = "mine") -> StoredSkill:
    return StoredSkill(f"skill_{name}", tenant, name, f"{name} Ü", 2**50 + at, 2**50 + at)


def version(name: str, number: int = 0, at: int = 0) -> SkillVersion:
    id_ = f"skver_{name}{number}"
    return SkillVersion(id_, f"skill_{name}", name, "Äpfel 😀", 2**50 + at, f"skills/{id_}", "ab" * 32, 7)


def ids(found: Sequence[StoredSkill] | Sequence[SkillVersion]) -> list[str]:
    return [one.id.partition("_")[2] for one in found]


async def test_a_skill_comes_back_with_its_newest_version(store: SkillStore) -> None:
    first, second = version("a"), version("a", 1, 5)
    await store.add(skill("a"), first)
    assert await store.find("mine", "skill_a") == replace(skill("a"), latest=first)
    assert await store.add_version("mine", second) == second
    assert await store.find("mine", "skill_a") == replace(skill("a"), updated_at=2**50 + 5, latest=second)
    assert await store.version("mine", "skill_a", first.id) == first
    assert await store.version("mine", "skill_a", second.created_at) == second
    assert ids(await store.versions("mine", "skill_a", None, 9)) == ["a1", "a0"]
    assert ids(await store.versions("mine", "skill_a", Place(second.created_at, second.id), 9)) == ["a0"]
    assert await store.used() == 14


async def test_a_version_of_the_same_moment_or_an_earlier_one_is_still_the_newest(store: SkillStore) -> None:
    await store.add(skill("a"), version("a"))
    added = await asyncio.gather(*(store.add_version("mine", version("a", n, -n)) for n in range(1, 4)))
    times = [one.created_at - 2**50 for one in added if one is not None]
    assert sorted(times) == [1, 2, 3]
    found = await store.versions("mine", "skill_a", None, 9)
    assert [one.created_at - 2**50 for one in found] == [3, 2, 1, 0]


async def test_the_skills_of_others_do_not_exist(store: SkillStore) -> None:
    await store.add(skill("a"), version("a"))
    for tenant, id_ in (("theirs", "skill_a"), ("mine", "skill_b"), ("mine", "\0"), ("mine", "é")):
        assert await store.find(tenant, id_) is None
        assert await store.version(tenant, id_, "skver_a0") is None
        assert await store.version(tenant, id_, 2**50) is None
        assert list(await store.versions(tenant, id_, None, 9)) == []
        assert await store.remove(tenant, id_) is None
    assert await store.version("mine", "skill_a", "\0") is None
    assert await store.add_version("theirs", version("a", 1, 1)) is None
    assert not await store.remove_version("theirs", version("a"), 0, last=True)
    assert list(await store.older("theirs", None, 9)) == []
    assert ids(await store.older("mine", None, 9)) == ["a"]


async def test_the_list_is_walked_and_no_skill_of_one_moment_is_lost(store: SkillStore) -> None:
    for n, name in enumerate("abcde"):
        await store.add(skill(name, n // 3), version(name))
    walked: list[str] = []
    place: Place | None = None
    while found := await store.older("mine", place, 2):
        walked += ids(found)
        place = Place(found[-1].created_at, found[-1].id)
    assert walked == ["e", "d", "c", "b", "a"]


async def test_a_skill_goes_with_all_its_versions(store: SkillStore) -> None:
    await store.add(skill("a"), version("a"))
    await store.add(skill("b"), version("b"))
    await store.add_version("mine", version("a", 1, 1))
    assert sorted(await store.unknown(["skills/skver_a0", "skills/skver_a1", "skills/x"])) == ["skills/x"]
    assert sorted(await store.remove("mine", "skill_a") or ()) == ["skills/skver_a0", "skills/skver_a1"]
    assert sorted(await store.unknown(["skills/skver_a0", "skills/skver_b0"])) == ["skills/skver_a0"]
    assert await store.find("mine", "skill_a") is None
    assert await store.add_version("mine", version("a", 2, 2)) is None


async def test_the_only_version_goes_only_where_it_is_said_that_it_may(store: SkillStore) -> None:
    await store.add(skill("a"), version("a"))
    await store.add_version("mine", version("a", 1, 1))
    assert await store.remove_version("mine", version("a", 1, 1), 2**50 + 9, last=False)
    assert not await store.remove_version("mine", version("a", 1, 1), 2**50 + 9, last=True)
    assert not await store.remove_version("mine", version("a"), 2**50 + 9, last=False)
    found = await store.find("mine", "skill_a")
    assert (found, found and found.updated_at) == (
        replace(skill("a"), updated_at=2**50 + 9, latest=version("a")),
        2**50 + 9,
    )
    assert await store.remove_version("mine", version("a"), 2**50 + 9, last=True)
    empty = await store.find("mine", "skill_a")
    assert empty is not None
    assert empty.latest is None

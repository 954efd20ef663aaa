"""Skills and what fails beneath them: bytes that became no version are swept, broken ones are never used."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from antiphon.errors import ApiError
from antiphon.ports.skills import SkillVersion, StoredSkill
from antiphon.ports.stores import StoreError, StoreFull, StoreUnavailable
from antiphon.service.files.form import Form, Part
from antiphon.service.leftovers import UNFINISHED
from antiphon.service.skills.library import SkillLibrary
from antiphon.stores.objects import Objects
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.skills import SqlSkills
from antiphon.testing.clock import FixedClock
from antiphon.testing.dice import CountingEntropy
from tests.web.skills_app import manifest


class Failing(SqlSkills):
    """Rows that cannot be added while there is a problem."""

    problem: StoreError | None = None

    async def add(self, skill: StoredSkill, first: SkillVersion) -> None:
        if self.problem is not None:
            raise self.problem
        await super().add(skill, first)

    async def remove(self, tenant: str, id_: str) -> Sequence[str] | None:
        """Nothing can be written before there is room."""
        problem, self.problem = self.problem, None
        if problem is not None:
            raise problem
        return await super().remove(tenant, id_)


class World:
    """A library over a database and objects in memory."""

    def __init__(self, database: Database) -> None:
        self.rows, self.objects, self.clock = Failing(database), Objects.open("memory://"), FixedClock()
        self.library = SkillLibrary(self.rows, self.objects, {}, self.clock, CountingEntropy())

    async def kept(self) -> int:
        return len([key async for key in self.objects.keys("skills/")])


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await Database.open(f"sqlite:///{tmp_path / 'a.db'}")
    yield World(database)
    await database.aclose()


async def form() -> Form:
    async def chunks() -> AsyncIterator[bytes]:
        yield manifest()

    yield Part("files[]", "SKILL.md", "text/markdown", chunks())


async def test_bytes_that_became_no_skill_are_swept_and_others_stay(world: World) -> None:
    await world.library.create("mine", form())
    world.rows.problem = StoreUnavailable("gone")
    with pytest.raises(ApiError) as told:
        await world.library.create("mine", form())
    assert told.value.type == "overloaded_error"
    assert await world.kept() == 2
    await world.library.sweep(world.clock.now() + UNFINISHED)
    assert await world.kept() == 2
    await world.library.sweep(world.clock.now() + UNFINISHED + 1)
    assert await world.kept() == 1


async def test_where_there_is_no_room_nothing_stays(world: World) -> None:
    world.rows.problem = StoreFull("full")
    with pytest.raises(ApiError) as told:
        await world.library.create("mine", form())
    assert told.value.details == {"error_code": "storage_quota_exceeded"}
    assert await world.kept() == 0


async def test_a_deleted_skill_leaves_no_bytes(world: World) -> None:
    skill = await world.library.create("mine", form())
    await world.library.add_version("mine", skill.id, form())
    assert await world.kept() == 2
    await world.library.delete("mine", skill.id)
    assert await world.kept() == 0


async def test_a_skill_is_deleted_from_a_full_disk_too(world: World) -> None:
    skill = await world.library.create("mine", form())
    world.rows.problem = StoreFull("full")
    await world.library.delete("mine", skill.id)
    assert await world.kept() == 0
    with pytest.raises(ApiError, match="not found"):
        await world.library.get("mine", skill.id)


async def test_bytes_that_are_not_what_was_kept_are_never_used(world: World) -> None:
    skill = await world.library.create("mine", form())
    assert skill.latest is not None

    async def other() -> AsyncIterator[bytes]:
        yield b"other"

    await world.objects.put(skill.latest.key, other())
    with pytest.raises(ApiError) as told:
        await world.library.download("mine", skill.id, "latest")
    assert told.value.type == "api_error"
    await world.objects.delete(skill.latest.key)
    with pytest.raises(ApiError) as told:
        await world.library.download("mine", skill.id, "latest")
    assert told.value.type == "api_error"

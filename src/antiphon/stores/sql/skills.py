"""The rows of skills and of their versions in a database."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Select,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from antiphon.ports.files import Place
from antiphon.ports.skills import SkillVersion, StoredSkill
from antiphon.stores.sql.asynchronous import AsyncConnection
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.tables import Key, Moment, Number, is_key, metadata

skills: Final = Table(
    "skill",
    metadata,
    Column("id", Key, primary_key=True),
    Column("tenant", Key, nullable=False),
    Column("name", Key, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("skill_list", "tenant", "created_at", "id"),
)

versions: Final = Table(
    "skill_version",
    metadata,
    Column("id", Key, primary_key=True),
    Column("skill_id", Key, ForeignKey("skill.id"), nullable=False),
    Column("description", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("key", Key, nullable=False),
    Column("digest", Key, nullable=False),
    Column("size", Number, nullable=False),
    Index("skill_version_list", "skill_id", "created_at", unique=True),
    Index("skill_version_key", "key", unique=True),
)

_VERSION: Final = (*versions.c, skills.c.name)
_LATEST: Final = versions.alias("latest")


class SqlSkills:
    """A `SkillStore` in a database, which its maker closes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, skill: StoredSkill, first: SkillVersion) -> None:
        async with self._database.writing() as connection:
            await connection.execute(insert(skills).values(**_values(skills, skill)))
            await connection.execute(insert(versions).values(**_values(versions, first)))

    async def add_version(self, tenant: str, version: SkillVersion) -> SkillVersion | None:
        async with self._database.writing() as connection:
            if not await _held(connection, tenant, version.skill_id):
                return None
            newest = select(func.max(versions.c.created_at)).where(versions.c.skill_id == version.skill_id)
            last: int | None = (await connection.execute(newest)).scalar()
            if last is not None and last >= version.created_at:
                version = replace(version, created_at=last + 1)
            await connection.execute(insert(versions).values(**_values(versions, version)))
            await _touch(connection, version.skill_id, version.created_at)
        return version

    async def used(self) -> int:
        total = select(func.coalesce(func.sum(versions.c.size), 0))
        async with self._database.reading() as connection:
            return int((await connection.execute(total)).scalar_one())

    async def find(self, tenant: str, id_: str) -> StoredSkill | None:
        if not is_key(id_):
            return None
        found = await self._skills(_listed(tenant).where(skills.c.id == id_))
        return found[0] if found else None

    async def older(self, tenant: str, than: Place | None, limit: int) -> Sequence[StoredSkill]:
        query = _listed(tenant).order_by(skills.c.created_at.desc(), skills.c.id.desc()).limit(limit)
        if than is not None:
            query = query.where(tuple_(than.created_at, than.id) > tuple_(skills.c.created_at, skills.c.id))
        return await self._skills(query)

    async def version(self, tenant: str, skill_id: str, version: str | int) -> SkillVersion | None:
        if not is_key(skill_id) or not (isinstance(version, int) or is_key(version)):
            return None
        which = versions.c.created_at if isinstance(version, int) else versions.c.id
        found = await self._versions(_of(tenant, skill_id).where(which == version))
        return found[0] if found else None

    async def versions(self, tenant: str, skill_id: str, than: Place | None, limit: int) -> Sequence[SkillVersion]:
        if not is_key(skill_id):
            return ()
        query = _of(tenant, skill_id).order_by(versions.c.created_at.desc()).limit(limit)
        if than is not None:
            query = query.where(versions.c.created_at < than.created_at)
        return await self._versions(query)

    async def remove(self, tenant: str, id_: str) -> Sequence[str] | None:
        if not is_key(id_):
            return None
        async with self._database.writing() as connection:
            if not await _held(connection, tenant, id_):
                return None
            gone = delete(versions).where(versions.c.skill_id == id_).returning(versions.c.key)
            keys = list((await connection.execute(gone)).scalars())
            await connection.execute(delete(skills).where(skills.c.id == id_))
        return keys

    async def remove_version(self, tenant: str, version: SkillVersion, now: int, *, last: bool) -> bool:
        of_skill = versions.c.skill_id == version.skill_id
        async with self._database.writing() as connection:
            if not await _held(connection, tenant, version.skill_id):
                return False
            count = (await connection.execute(select(func.count()).where(of_skill))).scalar_one()
            if count == 1 and not last:
                return False
            gone = await connection.execute(delete(versions).where(of_skill, versions.c.id == version.id))
            await _touch(connection, version.skill_id, now)
        return gone.rowcount == 1

    async def unknown(self, keys: Sequence[str]) -> Sequence[str]:
        query = select(versions.c.key).where(versions.c.key.in_(keys))
        async with self._database.reading() as connection:
            known = set((await connection.execute(query)).scalars())
        return [key for key in keys if key not in known]

    async def _skills(self, query: Select[Any]) -> Sequence[StoredSkill]:
        async with self._database.reading() as connection:
            return [_skill(dict(row)) for row in (await connection.execute(query)).mappings()]

    async def _versions(self, query: Select[Any]) -> Sequence[SkillVersion]:
        async with self._database.reading() as connection:
            return [SkillVersion(**row) for row in (await connection.execute(query)).mappings()]


async def _held(connection: AsyncConnection, tenant: str, id_: str) -> bool:
    """Whether the skill is there; nobody else changes it until the transaction's end."""
    query = select(skills.c.id).where(skills.c.tenant == tenant, skills.c.id == id_).with_for_update()
    return (await connection.execute(query)).first() is not None


async def _touch(connection: AsyncConnection, id_: str, now: int) -> None:
    await connection.execute(update(skills).where(skills.c.id == id_).values(updated_at=now))


def _listed(tenant: str) -> Select[Any]:
    """The tenant's skills, each beside its newest version."""
    newest = select(func.max(versions.c.created_at)).where(versions.c.skill_id == skills.c.id).scalar_subquery()
    joined = skills.outerjoin(_LATEST, and_(_LATEST.c.skill_id == skills.c.id, _LATEST.c.created_at == newest))
    latest = [column.label(f"latest_{column.name}") for column in _LATEST.c]
    return select(*skills.c, *latest).select_from(joined).where(skills.c.tenant == tenant)


def _of(tenant: str, skill_id: str) -> Select[Any]:
    joined = versions.join(skills, versions.c.skill_id == skills.c.id)
    return select(*_VERSION).select_from(joined).where(skills.c.tenant == tenant, skills.c.id == skill_id)


def _values(table: Table, value: StoredSkill | SkillVersion) -> dict[str, Any]:
    return {column.name: getattr(value, column.name) for column in table.c}


def _skill(row: dict[str, Any]) -> StoredSkill:
    latest = {name.removeprefix("latest_"): row.pop(name) for name in list(row) if name.startswith("latest_")}
    newest = None if latest["id"] is None else SkillVersion(**latest, name=row["name"])
    return StoredSkill(**row, latest=newest)

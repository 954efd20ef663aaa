"""Containers, as rows."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Column, Index, Table, delete, func, insert, select, update

from antiphon.ports.containers import StoredContainer
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.tables import Key, Moment, is_key, metadata, micros, seconds

containers: Final = Table(
    "container",
    metadata,
    Column("id", Key, primary_key=True),
    Column("tenant", Key, nullable=False),
    Column("machine", Key, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index("container_expiry", "machine", "expires_at"),
)


class SqlContainers:
    """A `ContainerStore` in a database, which its maker closes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, container: StoredContainer) -> None:
        row = {
            "id": container.id,
            "tenant": container.tenant,
            "machine": container.machine,
            "expires_at": micros(container.expires_at),
        }
        async with self._database.writing() as connection:
            await connection.execute(insert(containers).values(**row))

    async def find(self, tenant: str, id_: str) -> StoredContainer | None:
        if not is_key(id_):
            return None
        query = select(containers).where(containers.c.id == id_, containers.c.tenant == tenant)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else StoredContainer(row.id, row.tenant, row.machine, seconds(row.expires_at))

    async def keep(self, id_: str, machine: str, expires_at: float) -> bool:
        return await self.move(id_, machine, machine, expires_at)

    async def move(
        self, id_: str, machine: str, to: str, expires_at: float, *, expired_by: float | None = None
    ) -> bool:
        there = [containers.c.id == id_, containers.c.machine == machine]
        if expired_by is not None:
            there.append(containers.c.expires_at <= micros(expired_by))
        moved = update(containers).where(*there).values(machine=to, expires_at=micros(expires_at))
        async with self._database.writing() as connection:
            return (await connection.execute(moved)).rowcount > 0

    async def expired(self, machine: str, before: float, limit: int) -> Sequence[str]:
        due = containers.c.machine == machine, containers.c.expires_at <= micros(before)
        query = select(containers.c.id).where(*due).order_by(containers.c.expires_at).limit(limit)
        async with self._database.reading() as connection:
            return list((await connection.execute(query)).scalars())

    async def count(self, machine: str, after: float) -> int:
        there = containers.c.machine == machine, containers.c.expires_at > micros(after)
        query = select(func.count()).select_from(containers).where(*there)
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar_one()

    async def remove(self, id_: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(containers).where(containers.c.id == id_))

"""The rows of files in a database. A file that was removed keeps its place in the list for a while: see `forget`."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Index,
    Select,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)

from antiphon.ports.files import Place, StoredFile
from antiphon.stores.sql.asynchronous import AsyncConnection
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.tables import Key, Moment, Number, is_key, metadata

files: Final = Table(
    "file",
    metadata,
    Column("id", Key, primary_key=True),
    Column("tenant", Key, nullable=False),
    Column("filename", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("size", Number, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("key", Key, nullable=False),
    Column("digest", Key, nullable=False),
    Column("downloadable", Boolean, nullable=False),
    Column("expires_at", Moment),
    Column("gone", Boolean, nullable=False),
    Column("removed_at", Moment),
    Index("file_list", "tenant", "created_at", "id"),
    Index("file_key", "key", unique=True),
    Index("file_expiry", "expires_at"),
    # All that summing up what is there has to look at.
    Index("file_total", "removed_at", "gone", "size"),
)

_COLUMNS: Final = tuple(column for column in files.c if column.name != "removed_at")
_ORDER: Final = tuple_(files.c.created_at, files.c.id)
_THERE: Final = files.c.removed_at.is_(None)

_MOST_KEYS: Final = 1000
"""Values that one statement has at most; neither database takes as many as a request may name."""

_QUOTA_LOCK: Final = 0x6669_6C65_7300  # "files"
"""What who adds to what all files have together waits for, on PostgreSQL; on SQLite only one writes at a time."""


class SqlFiles:
    """A `FileStore` in a database, which its maker closes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, file: StoredFile, quota: int | None) -> bool:
        async with self._database.writing() as connection:
            if quota is not None:
                if self._database.dialect == "postgresql":
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _QUOTA_LOCK})
                if await _used(connection) + file.size > quota:
                    return False
            values = {column.name: getattr(file, column.name) for column in _COLUMNS}
            await connection.execute(insert(files).values(**values))
        return True

    async def used(self) -> int:
        async with self._database.reading() as connection:
            return await _used(connection)

    async def find(self, tenant: str, ids: Sequence[str]) -> Sequence[StoredFile]:
        keys = [id_ for id_ in ids if is_key(id_)]
        found: list[StoredFile] = []
        for at in range(0, len(keys), _MOST_KEYS):
            found += await self._files(_newest(_of(tenant), files.c.id.in_(keys[at : at + _MOST_KEYS])))
        return sorted(found, key=lambda file: (file.created_at, file.id), reverse=True)

    async def older(self, tenant: str, than: Place | None, limit: int) -> Sequence[StoredFile]:
        behind = () if than is None else (_at(than) > _ORDER,)
        return await self._files(_newest(_of(tenant), *behind).limit(limit))

    async def newer(self, tenant: str, than: Place, limit: int) -> Sequence[StoredFile]:
        nearest = select(*_COLUMNS).where(_of(tenant), _at(than) < _ORDER)
        nearest = nearest.order_by(files.c.created_at, files.c.id).limit(limit)
        return list(reversed(await self._files(nearest)))

    async def place(self, tenant: str, id_: str) -> Place | None:
        if not is_key(id_):
            return None
        query = select(files.c.created_at).where(files.c.tenant == tenant, files.c.id == id_)
        async with self._database.reading() as connection:
            created: int | None = (await connection.execute(query)).scalar()
        return None if created is None else Place(created, id_)

    async def remove(self, tenant: str, id_: str, now: int) -> StoredFile | None:
        if not is_key(id_):
            return None
        statement = update(files).where(_of(tenant), files.c.id == id_).values(removed_at=now).returning(*_COLUMNS)
        async with self._database.writing() as connection:
            row = (await connection.execute(statement)).first()
        return None if row is None else _file(row)

    async def expired(self, before: int, limit: int) -> Sequence[StoredFile]:
        due = and_(_THERE, files.c.gone.is_(False), files.c.expires_at <= before)
        return await self._files(select(*_COLUMNS).where(due).order_by(files.c.expires_at).limit(limit))

    async def mark_gone(self, id_: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(update(files).where(files.c.id == id_).values(gone=True))

    async def forget(self, expired: int, removed: int) -> None:
        over = or_(and_(files.c.gone.is_(True), files.c.expires_at <= expired), files.c.removed_at <= removed)
        async with self._database.reading() as connection:
            if (await connection.execute(select(files.c.id).where(over).limit(1))).first() is None:
                return
        async with self._database.writing() as connection:
            await connection.execute(delete(files).where(over))

    async def unknown(self, keys: Sequence[str]) -> Sequence[str]:
        query = select(files.c.key).where(files.c.key.in_(keys), _THERE, files.c.gone.is_(False))
        async with self._database.reading() as connection:
            known = set((await connection.execute(query)).scalars())
        return [key for key in keys if key not in known]

    async def _files(self, query: Select[Any]) -> Sequence[StoredFile]:
        async with self._database.reading() as connection:
            return [_file(row) for row in await connection.execute(query)]


async def _used(connection: AsyncConnection) -> int:
    total = select(func.coalesce(func.sum(files.c.size), 0)).where(_THERE, files.c.gone.is_(False))
    return int((await connection.execute(total)).scalar_one())


def _of(tenant: str) -> ColumnElement[bool]:
    return and_(files.c.tenant == tenant, _THERE)


def _newest(*conditions: ColumnElement[bool]) -> Select[Any]:
    return select(*_COLUMNS).where(*conditions).order_by(files.c.created_at.desc(), files.c.id.desc())


def _at(place: Place) -> Any:
    return tuple_(place.created_at, place.id)


def _file(row: Any) -> StoredFile:
    return StoredFile(**row._mapping)

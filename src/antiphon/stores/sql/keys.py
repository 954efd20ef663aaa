"""Keys of callers, and the workspaces that they belong to, as rows."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from antiphon.ports.keys import StoredKey
from antiphon.stores.sql.asynchronous import AsyncConnection
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.tables import Key, Moment, metadata

workspaces: Final = Table(
    "workspace",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

keys: Final = Table(
    "api_key",
    metadata,
    Column("id", Key, primary_key=True),
    Column("digest", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("hint", Key, nullable=False),
    Column("workspace", Key, ForeignKey("workspace.id"), nullable=False),
    Column("admin", Boolean, nullable=False),
    # Patterns of models' names, as JSON; nothing: every model.
    Column("models", LargeBinary),
    Column("created_at", Moment, nullable=False),
    Column("ends_at", Moment),
    Column("revoked", Boolean, nullable=False),
    # How often the row was written; see `version`.
    Column("changes", Integer, nullable=False),
    Index("api_key_digest", "digest", unique=True),
)


class SqlKeys:
    """A `KeyStore` in a database, which its maker closes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self) -> int:
        # Rows are never taken out, so that the sum only grows.
        async with self._database.reading() as connection:
            return int((await connection.execute(select(func.coalesce(func.sum(keys.c.changes), 0)))).scalar_one())

    async def all(self) -> Sequence[StoredKey]:
        query = (
            select(keys, workspaces.c.name.label("workspace_name"))
            .join(workspaces, workspaces.c.id == keys.c.workspace)
            .order_by(keys.c.created_at, keys.c.id)
        )
        async with self._database.reading() as connection:
            return [_key(row) for row in (await connection.execute(query)).all()]

    async def workspace(self, wanted: str, new_id: str, now: int) -> tuple[str, str]:
        id_ = wanted if wanted.startswith("wrkspc_") else new_id
        try:
            async with self._database.writing() as connection:
                found = await _workspace(connection, wanted)
                if found is not None:
                    return found
                await connection.execute(insert(workspaces).values(id=id_, name=wanted, created_at=now))
        except IntegrityError:  # somebody else has just made it
            async with self._database.reading() as connection:
                found = await _workspace(connection, wanted)
                if found is None:
                    raise
                return found
        return id_, wanted

    async def add(self, key: StoredKey, replaces: str | None = None, ends_at: int = 0) -> None:
        row = {
            "id": key.id,
            "digest": key.digest,
            "name": key.name,
            "hint": key.hint,
            "workspace": key.workspace,
            "admin": key.admin,
            "models": None if key.models is None else orjson.dumps(key.models),
            "created_at": key.created_at,
            "ends_at": key.ends_at,
            "revoked": key.revoked,
            "changes": 1,
        }
        async with self._database.writing() as connection:
            await connection.execute(insert(keys).values(**row))
            if replaces is not None:
                later = or_(keys.c.ends_at.is_(None), keys.c.ends_at > ends_at)
                old = update(keys).where(keys.c.id == replaces, later)
                await connection.execute(old.values(ends_at=ends_at, changes=keys.c.changes + 1))

    async def revoke(self, id_: str, now: int) -> bool:
        good = or_(keys.c.ends_at.is_(None), keys.c.ends_at > now)
        ended = update(keys).where(keys.c.id == id_, good)
        ended = ended.values(ends_at=now, revoked=True, changes=keys.c.changes + 1)
        async with self._database.writing() as connection:
            return bool((await connection.execute(ended)).rowcount)


async def _workspace(connection: AsyncConnection, wanted: str) -> tuple[str, str] | None:
    query = select(workspaces.c.id, workspaces.c.name).where(
        or_(workspaces.c.id == wanted, workspaces.c.name == wanted)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else (row.id, row.name)


def _key(row: Any) -> StoredKey:
    return StoredKey(
        row.id,
        row.digest,
        row.name,
        row.hint,
        row.workspace,
        row.workspace_name,
        row.created_at,
        None if row.models is None else tuple(orjson.loads(row.models)),
        row.admin,
        row.ends_at,
        row.revoked,
    )

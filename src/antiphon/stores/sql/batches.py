"""Batches in a database that all servers share.

Within a transaction requests are changed before their batch, so that two of them do not wait for each other; where
that happens all the same, the database ends one, which is tried again by whoever began it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Literal

import orjson
from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from antiphon.ports.batches import (
    Batch,
    Counts,
    Endings,
    Kind,
    Leased,
    NewRow,
    NoRoom,
    Outcome,
    Page,
    Result,
    Room,
    Said,
)
from antiphon.stores.sql.asynchronous import AsyncConnection
from antiphon.stores.sql.batch_tables import OVER, TAKEN, WAITING, batches, requests
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.tables import is_key
from antiphon.stores.sql.usage import add_usage

_LOCK: Final = 0x616E_7469_7100
"""What batches that are created at once wait for, where they are counted."""

_AT_ONCE: Final = 500
"""Requests that are taken at most at once."""

_KINDS: Final[tuple[Kind, ...]] = ("succeeded", "errored", "canceled", "expired")
_FREE: Final[dict[str, Any]] = {"state": WAITING, "owner": None, "until": None}
_OVER: Final[dict[str, Any]] = {"state": OVER, "owner": None, "until": None, "params": None}
_FINISH: Final = (
    update(requests)
    .where(requests.c.batch == bindparam("of"), requests.c.number == bindparam("at"))
    .values({**_OVER, "result": bindparam("came")})
)


class SqlBatches:
    """Keeps batches in a `Database`, which is closed by who gave it. What each method does, `BatchStore` says."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, id_: str, tenant: str, said: Said, now: int) -> int:
        """The key of a new batch."""
        values = {
            "id": id_,
            "tenant": tenant,
            "said": orjson.dumps(said),
            "complete": False,
            "total": 0,
            "created_at": now,
            "expires_at": now,
            **dict.fromkeys(_KINDS, 0),
        }
        async with self._database.writing() as connection:
            return (await connection.execute(insert(batches).returning(batches.c.key), values)).scalar_one()

    async def add(self, key: int, rows: Sequence[NewRow]) -> None:
        """More of its requests."""
        values: list[dict[str, Any]] = [
            {
                "batch": key,
                "number": row.number,
                "custom_id": row.custom_id,
                "prefix": row.prefix,
                "state": WAITING,
                "attempts": 0,
                "params": row.params,
            }
            for row in rows
        ]
        async with self._database.writing() as connection:
            await connection.execute(insert(requests), values)

    async def complete(self, key: int, total: int, now: int, expires_at: int, within: Sequence[Room] = ()) -> Batch:
        """It is created, if there is room."""
        values = {"complete": True, "total": total, "created_at": now, "expires_at": expires_at}
        async with self._database.writing() as connection:
            if within and (narrow := await _narrow(connection, key, total, within)) is not None:
                raise NoRoom(narrow)
            done = update(batches).where(batches.c.key == key).values(values).returning(*batches.c)
            return _batch((await connection.execute(done)).one())

    async def abandon(self, key: int) -> None:
        """It goes."""
        async with self._database.writing() as connection:
            await _drop(connection, key)

    async def get(self, tenant: str, id_: str) -> Batch | None:
        """A batch by its id."""
        async with self._database.reading() as connection:
            found = (await connection.execute(select(batches).where(_named(tenant, id_)))).one_or_none()
        return None if found is None else _batch(found)

    async def page(self, tenant: str, limit: int, *, after: str | None, before: str | None) -> Page | None:
        """A page of the list."""
        place = (batches.c.created_at, batches.c.key)
        query = select(batches).where(batches.c.tenant == tenant, batches.c.complete)
        cursor = after if before is None else before
        async with self._database.reading() as connection:
            if cursor is not None:
                at = (await connection.execute(select(*place).where(_named(tenant, cursor)))).one_or_none()
                if at is None:
                    return None
                query = query.where(_earlier(at) if before is None else _later(at))
            # What is right before it is found from its side.
            ordered = [each.desc() if before is None else each.asc() for each in place]
            found = (await connection.execute(query.order_by(*ordered).limit(limit + 1))).all()
        shown = [_batch(each) for each in found[:limit]]
        if before is not None:
            shown.reverse()
        return Page(tuple(shown), len(found) > limit)

    async def cancel(self, tenant: str, id_: str, now: int) -> Batch | None:
        """Its requests that were not begun are not begun any more."""
        unended = and_(batches.c.ended_at.is_(None), batches.c.cancel_initiated_at.is_(None))
        async with self._database.writing() as connection:
            await connection.execute(
                update(batches).where(_named(tenant, id_), unended).values(cancel_initiated_at=now)
            )
            found = (await connection.execute(select(batches).where(_named(tenant, id_)))).one_or_none()
        return None if found is None else _batch(found)

    async def delete(self, tenant: str, id_: str) -> Literal["deleted", "running"] | None:
        """It goes, if it is ended."""
        async with self._database.writing() as connection:
            named = select(batches.c.key, batches.c.ended_at).where(_named(tenant, id_))
            found = (await connection.execute(named)).one_or_none()
            if found is None:
                return None
            if found.ended_at is None:
                return "running"
            await _drop(connection, found.key)
        return "deleted"

    async def results(self, key: int, after: int, limit: int) -> Sequence[Result]:
        """Some of its results."""
        query = (
            select(requests.c.number, requests.c.custom_id, requests.c.result)
            .where(requests.c.batch == key, requests.c.number > after, requests.c.state == OVER)
            .order_by(requests.c.number)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [Result(*found) for found in (await connection.execute(query)).all()]

    async def open(self, now: int) -> Sequence[Batch]:
        """The batches that have requests to be begun."""
        waits = exists().where(requests.c.batch == batches.c.key, requests.c.state == WAITING)
        query = select(batches).where(_begins(now), waits).order_by(batches.c.created_at, batches.c.key)
        async with self._database.reading() as connection:
            return [_batch(found) for found in (await connection.execute(query)).all()]

    async def lease(self, batch: Batch, owner: str, most: int, now: int, until: int) -> Sequence[Leased]:
        """Take requests."""
        begins = exists().where(batches.c.key == batch.key, _begins(now))
        query = (
            select(requests.c.number, requests.c.params, requests.c.attempts)
            .where(requests.c.batch == batch.key, requests.c.state == WAITING, begins)
            .order_by(requests.c.prefix, requests.c.number)
            .limit(min(most, _AT_ONCE))
            .with_for_update(of=requests, skip_locked=True)
        )
        async with self._database.writing() as connection:
            found = (await connection.execute(query)).all()
            if found:
                taken = {"state": TAKEN, "owner": owner, "until": until, "attempts": requests.c.attempts + 1}
                these = and_(requests.c.batch == batch.key, requests.c.number.in_([each.number for each in found]))
                await connection.execute(update(requests).where(these).values(taken))
        return [Leased(batch, each.number, each.params, each.attempts + 1) for each in found]

    async def renew(self, owner: str, rows: Sequence[Leased], until: int) -> None:
        """They stay the owner's."""
        ordered = sorted(rows, key=lambda leased: (leased.batch.key, leased.number))
        async with self._database.writing() as connection:
            for key, those in groupby(ordered, key=lambda leased: leased.batch.key):
                numbers = requests.c.number.in_([leased.number for leased in those])
                held = and_(requests.c.batch == key, numbers, requests.c.owner == owner)
                await connection.execute(update(requests).where(held).values(until=until))

    async def finish(self, owner: str, outcomes: Sequence[Outcome], now: int) -> int:
        """Keep results, and count them."""
        kept = 0
        ordered = sorted(outcomes, key=lambda outcome: (outcome.leased.batch.key, outcome.leased.number))
        async with self._database.writing() as connection:
            for key, those in groupby(ordered, key=lambda outcome: outcome.leased.batch.key):
                ended = {outcome.leased.number: outcome for outcome in those}
                held = (
                    select(requests.c.number, requests.c.attempts)
                    .where(requests.c.batch == key, requests.c.number.in_(ended), requests.c.owner == owner)
                    .order_by(requests.c.number)
                    .with_for_update()
                )
                ours = [
                    ended[found.number]
                    for found in (await connection.execute(held)).all()
                    if ended[found.number].leased.attempts == found.attempts
                ]
                if ours:
                    values = [{"of": key, "at": each.leased.number, "came": each.result} for each in ours]
                    await connection.execute(_FINISH, values)
                    await add_usage(connection, [each.usage for each in ours if each.usage is not None])
                    await _count(connection, key, Counter(each.kind for each in ours), now)
                kept += len(ours)
        return kept

    async def give_back(self, owner: str, rows: Sequence[Leased], *, counted: bool) -> None:
        """Others may run them."""
        free = _FREE if counted else {**_FREE, "attempts": requests.c.attempts - 1}
        async with self._database.writing() as connection:
            for leased in sorted(rows, key=lambda leased: (leased.batch.key, leased.number)):
                await connection.execute(update(requests).where(_held(owner, leased)).values(free))

    async def settle(self, endings: Endings, now: int) -> bool:
        """End what nobody will run, free what was lost."""
        stopped = or_(batches.c.cancel_initiated_at.is_not(None), batches.c.expires_at <= now)
        stops = (
            select(batches.c.key, batches.c.cancel_initiated_at).where(_running(), stopped).order_by(batches.c.key)
        )
        late = and_(requests.c.owner.is_not(None), requests.c.until < now)
        async with self._database.reading() as connection:
            ending = (await connection.execute(stops.order_by(batches.c.key))).all()
            lost = (await connection.execute(select(requests.c.batch).where(late).distinct())).scalars().all()
        changed = 0
        for found in ending:
            kind: Kind = "expired" if found.cancel_initiated_at is None else "canceled"
            result = endings.expired if kind == "expired" else endings.canceled
            changed += await self._end(found.key, or_(requests.c.state == WAITING, late), kind, result, now)
        for key in sorted(lost):
            given_up = and_(late, requests.c.attempts >= endings.most_attempts)
            changed += await self._end(key, given_up, "errored", endings.lost, now)
            async with self._database.writing() as connection:
                free = update(requests).where(requests.c.batch == key, late).values(_FREE)
                changed += (await connection.execute(free)).rowcount
        return changed > 0

    async def forget(self, created_before: int, begun_before: int, now: int) -> None:
        """Take away what is old, and what was left."""
        old = and_(
            batches.c.complete,
            batches.c.created_at < created_before,
            batches.c.archived_at.is_(None),
            batches.c.ended_at.is_not(None),
        )
        left = and_(~batches.c.complete, batches.c.created_at < begun_before)
        async with self._database.reading() as connection:
            archived = (await connection.execute(select(batches.c.key).where(old))).scalars().all()
            dropped = (await connection.execute(select(batches.c.key).where(left))).scalars().all()
        for key in archived:
            async with self._database.writing() as connection:
                await connection.execute(delete(requests).where(requests.c.batch == key))
                await connection.execute(update(batches).where(batches.c.key == key).values(archived_at=now))
        for key in dropped:
            await self.abandon(key)

    async def _end(self, key: int, which: ColumnElement[bool], kind: Kind, result: bytes, now: int) -> int:
        async with self._database.writing() as connection:
            these = update(requests).where(requests.c.batch == key, which)
            done = await connection.execute(these.values({**_OVER, "result": result}))
            await _count(connection, key, {kind: done.rowcount}, now)
            return done.rowcount


async def _narrow(connection: AsyncConnection, key: int, total: int, within: Sequence[Room]) -> Room | None:
    """The first of these that so many more requests of a batch go beyond."""
    if connection.dialect.name == "postgresql":
        # Of those that come at once each counts the ones before it.
        await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    running = select(batches).where(or_(_running(), batches.c.key == key))
    found = [_batch(each) for each in (await connection.execute(running)).all()]
    for room in within:
        ours = [each for each in found if room.tenant in (None, each.tenant) and room.key in (None, each.said.key)]
        # The new one has no total yet.
        if sum(each.total - each.counts.all for each in ours) + total > room.most:
            return room
    return None


async def _count(connection: AsyncConnection, key: int, counts: Mapping[Kind, int], now: int) -> None:
    """Count these; the batch is ended where they were its last."""
    more = sum(counts.values())
    if not more:
        return
    over = batches.c.succeeded + batches.c.errored + batches.c.canceled + batches.c.expired + more
    values: dict[str, Any] = {kind: batches.c[kind] + count for kind, count in counts.items() if count}
    values["ended_at"] = case((over >= batches.c.total, literal(now)), else_=batches.c.ended_at)
    await connection.execute(update(batches).where(batches.c.key == key).values(values))


async def _drop(connection: AsyncConnection, key: int) -> None:
    await connection.execute(delete(requests).where(requests.c.batch == key))
    await connection.execute(delete(batches).where(batches.c.key == key))


def _named(tenant: str, id_: str) -> ColumnElement[bool]:
    if not is_key(id_):
        return false()
    return and_(batches.c.tenant == tenant, batches.c.id == id_, batches.c.complete)


def _running() -> ColumnElement[bool]:
    return and_(batches.c.complete, batches.c.ended_at.is_(None))


def _begins(now: int) -> ColumnElement[bool]:
    """Its requests may be begun."""
    return and_(_running(), batches.c.cancel_initiated_at.is_(None), batches.c.expires_at > now)


def _held(owner: str, leased: Leased) -> ColumnElement[bool]:
    """The request is the owner's still, and was not taken anew since."""
    return and_(
        requests.c.batch == leased.batch.key,
        requests.c.number == leased.number,
        requests.c.owner == owner,
        requests.c.attempts == leased.attempts,
    )


def _later(at: Row[Any, Any]) -> ColumnElement[bool]:
    then, key = batches.c.created_at, batches.c.key
    return or_(then > at.created_at, and_(then == at.created_at, key > at.key))


def _earlier(at: Row[Any, Any]) -> ColumnElement[bool]:
    then, key = batches.c.created_at, batches.c.key
    return or_(then < at.created_at, and_(then == at.created_at, key < at.key))


def _batch(found: Row[Any]) -> Batch:
    return Batch(
        key=found.key,
        id=found.id,
        tenant=found.tenant,
        created_at=found.created_at,
        expires_at=found.expires_at,
        total=found.total,
        said=_said(orjson.loads(found.said)),
        counts=Counts(found.succeeded, found.errored, found.canceled, found.expired),
        ended_at=found.ended_at,
        cancel_initiated_at=found.cancel_initiated_at,
        archived_at=found.archived_at,
    )


def _said(said: dict[str, Any]) -> Said:
    # What older versions wrote has no key.
    models = said.get("models")
    allowed = None if models is None else tuple(models)
    return Said(said["version"], tuple(said["betas"]), said["client"], said.get("key", ""), allowed)

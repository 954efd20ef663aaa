"""Turns of several processes, as rows."""

from sqlalchemy import ColumnElement, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from antiphon.stores.sql.database import Database
from antiphon.stores.sql.tables import leases, micros


class SqlLeases:
    """`Leases` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, name: str, holder: str, now: float, lasting: float) -> bool:
        at, until = micros(now), micros(now + lasting)
        if not await self._is_free(name, holder, at):
            return False
        new = {"holder": holder, "taken": at, "until": until}
        async with self._database.writing() as connection:
            taken = update(leases).where(leases.c.name == name, self._free(holder, at)).values(new)
            if (await connection.execute(taken)).rowcount:
                return True
        try:
            async with self._database.writing() as connection:
                await connection.execute(insert(leases).values(name=name, **new))
        except IntegrityError:  # somebody has it
            return False
        return True

    async def release(self, name: str, holder: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))

    async def _is_free(self, name: str, holder: str, at: int) -> bool:
        """Asked first, since most who ask do not get it, and reading holds up nobody."""
        async with self._database.reading() as connection:
            taken = select(leases.c.name).where(leases.c.name == name, ~self._free(holder, at))
            return (await connection.execute(taken)).first() is None

    @staticmethod
    def _free(holder: str, at: int) -> ColumnElement[bool]:
        c = leases.c
        # Taken later than now: a clock was set back by more than the turn lasts, and nobody waits for that.
        return or_(c.holder == holder, c.until <= at, c.taken > at + (c.until - c.taken))

"""The schema: what the steps make is what the tables say, on both databases, and the steps are one road."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from antiphon.stores.sql.database import Database
from antiphon.stores.sql.migrating import MIGRATIONS, steps, take_steps
from antiphon.stores.sql.tables import whole_schema


async def opened_by_steps(url: str) -> Database:
    """A new database as one that has come all the way."""
    database = await Database.open(url, as_it_is=True)
    async with database.writing() as connection:
        await connection.run_sync(take_steps)
    return database


@pytest.fixture(params=["at once", "by steps"])
async def database(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Database]:
    opened = await (Database.open(database_url) if request.param == "at once" else opened_by_steps(database_url))
    yield opened
    await opened.aclose()


async def test_a_new_database_and_the_steps_have_what_the_tables_say(database: Database) -> None:
    metadata = whole_schema(database.dialect)
    assert "lease" in metadata.tables

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars().all() == [
            steps()[-1]
        ]


async def test_an_index_of_few_rows_holds_only_those(database: Database) -> None:
    kept = "SELECT sql FROM sqlite_master" if database.dialect == "sqlite" else "SELECT indexdef FROM pg_indexes"
    async with database.reading() as connection:
        said = [str(row) for row in (await connection.execute(text(kept))).scalars().all()]
    assert [("WHERE" in row.upper()) for row in said if "batch_running" in row or "batch_request_taken" in row] == [
        True,
        True,
    ]


async def test_a_new_database_is_to_the_letter_what_the_steps_make(tmp_path: Path) -> None:
    made: list[dict[str, str | None]] = []
    for opening in (
        Database.open(f"sqlite:///{tmp_path}/at-once.db"),
        opened_by_steps(f"sqlite:///{tmp_path}/by-steps.db"),
    ):
        database = await opening
        async with database.reading() as connection:
            rows = (await connection.execute(text("SELECT name, sql FROM sqlite_master"))).all()
        made.append({name: sql and " ".join(sql.split()) for name, sql in rows})
        await database.aclose()
    assert made[0] == made[1]


def test_the_steps_are_one_road_and_named_in_its_order() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert len(scripts.get_heads()) == 1
    assert [step.revision for step in scripts.walk_revisions()][::-1] == steps()
    assert steps() == [f"{number:04}" for number in range(1, len(steps()) + 1)]

"""The schema: what the steps make is what the tables say, on both databases, and the steps are one road."""

import importlib
import pkgutil
from collections.abc import AsyncIterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import antiphon.stores.sql as sql
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.migrating import MIGRATIONS, steps
from antiphon.stores.sql.tables import metadata


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url)
    yield opened
    await opened.aclose()


def subjects() -> list[str]:
    """The modules with tables, imported, so that the metadata is whole."""
    names = [found.name for found in pkgutil.iter_modules(sql.__path__)]
    for name in names:
        importlib.import_module(f"antiphon.stores.sql.{name}")
    return names


async def test_the_steps_make_what_the_tables_say(database: Database) -> None:
    assert "leases" in subjects()
    assert metadata.tables

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []


def test_the_steps_are_one_road_and_named_in_its_order() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert len(scripts.get_heads()) == 1
    assert [step.revision for step in scripts.walk_revisions()][::-1] == steps()
    assert steps() == [f"{number:04}" for number in range(1, len(steps()) + 1)]

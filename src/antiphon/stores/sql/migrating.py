"""The schema of a database, brought to what this version wants.

Each step is a file that is named by its revision. Alembic, which takes long to load and 12 MiB for ever, is asked for
where there are steps to take; a new database gets its tables at once, as the steps would leave them.
"""

import logging
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, text

from antiphon.ports.stores import StoreUnfit
from antiphon.stores.sql.tables import metadata, whole_schema

MIGRATIONS: Final = Path(__file__).parent / "migrations"

_LOCK: Final = 0x616E_7469_7068  # "antiph"
"""What processes that start at once on one PostgreSQL wait for."""

_TAKEN: Final = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where Alembic keeps the last step, as it makes it itself."""


def migrate(connection: Connection) -> None:
    """Bring the schema up to date, within the transaction that is open; other processes wait for its end.

    SQLite lets nobody else write anyway. Raises `StoreUnfit` where a newer version has been here.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if check(connection) == steps()[-1]:
        return
    if inspect(connection).get_table_names():
        take_steps(connection)
    else:
        _make_at_once(connection)


def check(connection: Connection) -> str | None:
    """The last step that the database has seen. Raises `StoreUnfit` where a newer version has been here."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if found is not None and found not in steps():
        raise StoreUnfit(
            f"its tables are of a newer Antiphon (step {found}; this one knows {steps()[-1]} as the last). Start "
            "that version, or name another database"
        )
    return found


def steps() -> list[str]:
    """The revisions of all steps, in their order."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _make_at_once(connection: Connection) -> None:
    whole_schema(connection.dialect.name).create_all(connection, checkfirst=False)
    _TAKEN.create(connection, checkfirst=False)
    connection.execute(insert(_TAKEN), {"version_num": steps()[-1]})


def take_steps(connection: Connection) -> None:
    """Take the steps that the database has not seen, all of them where it has seen none."""
    # What it tells of each step is for whoever writes one.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(MIGRATIONS))

    def to_take(revision: Any, _: Any) -> Any:
        return scripts._upgrade_revs("head", revision)  # pyright: ignore[reportPrivateUsage] - as Alembic's own command

    with EnvironmentContext(Config(), scripts, fn=to_take) as environment:
        environment.configure(connection=connection, target_metadata=metadata)
        environment.run_migrations()
